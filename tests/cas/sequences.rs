//! Compares any sequence of operations with the same sequence on a map.

use std::cell::RefCell;
use std::collections::HashMap;

use proptest::prelude::*;
use sluicegate::redis::cas::{self, Expiry, Outcome};

use crate::server::Server;
use crate::{DIALECT, cases};

thread_local! {
    static SERVER: RefCell<(tokio::runtime::Runtime, Option<Server>)> = RefCell::new((
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
        None,
    ));
}

/// An operation. Its values come from a small set, so that expected and stored values often match.
#[derive(Debug, Clone)]
enum Step {
    Create(String),
    Replace(String, String),
    Delete(String),
}

fn step() -> impl Strategy<Value = Step> {
    let value = || prop_oneof![4 => "[ab]{0,1}", 1 => "\\PC{0,3}"];
    prop_oneof![
        value().prop_map(Step::Create),
        (value(), value()).prop_map(|(old, new)| Step::Replace(old, new)),
        value().prop_map(Step::Delete),
    ]
}

proptest! {
    #![proptest_config(cases::config(60, "regressions"))]

    #[test]
    fn any_sequence_behaves_like_a_map(steps in prop::collection::vec((0_usize..2, step()), 1..40)) {
        SERVER.with_borrow_mut(|(runtime, server)| {
            let server = server.get_or_insert_with(|| runtime.block_on(Server::start()));
            server.run::<()>(&["FLUSHALL"]);
            let mut model: HashMap<String, String> = HashMap::new();
            let transport = server.transport();
            for (key, step) in steps {
                let key = ["k", "sg:1:{é}"][key].to_owned();
                let stored = model.get(&key).cloned();
                let outcome = runtime.block_on(async {
                    match &step {
                        Step::Create(new) => cas::create(&transport, DIALECT, &key, new, Expiry::Keep).await,
                        Step::Replace(old, new) => cas::replace(&transport, DIALECT, &key, old, new, Expiry::Keep).await,
                        Step::Delete(old) => cas::delete(&transport, DIALECT, &key, old).await,
                    }
                });
                let matches = match &step {
                    Step::Create(_) => stored.is_none(),
                    Step::Replace(old, _) | Step::Delete(old) => stored.as_ref() == Some(old),
                };
                let expected = if matches { Outcome::Swapped } else { Outcome::Conflict { found: stored } };
                prop_assert_eq!(outcome.unwrap(), expected, "{:?}", step);
                if matches {
                    match step {
                        Step::Create(new) | Step::Replace(_, new) => drop(model.insert(key, new)),
                        Step::Delete(_) => drop(model.remove(&key)),
                    }
                }
            }
            for key in ["k", "sg:1:{é}"] {
                prop_assert_eq!(server.run::<Option<String>>(&["GET", key]), model.get(key).cloned());
            }
            Ok(())
        })?;
    }
}
