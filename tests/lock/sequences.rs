//! Compares any sequence of calls by several owners with a model; leases may end at any time.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::sample::Index;

use crate::cases;
use crate::scripts::Scripts;
use crate::server::Server;
use crate::{FENCE, LOCK};

/// A call or an event. A token is the newest (`None`) or any one issued so far.
#[derive(Debug, Clone)]
enum Step {
    Acquire {
        owner: usize,
    },
    Renew {
        owner: usize,
        token: Option<Index>,
    },
    Release {
        owner: usize,
        token: Option<Index>,
    },
    Write {
        token: Option<Index>,
    },
    /// A write with a token not yet issued, `ahead` above the newest.
    Forge {
        ahead: i64,
    },
    /// The lease ends: the test deletes the key, which for Redis is the same as its expiry.
    LeaseEnds,
    ValueExpires,
    ScriptFlush,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let token = || prop_oneof![2 => Just(None), 1 => any::<Index>().prop_map(Some)];
    let owner = || 0..OWNERS.len();
    let step = prop_oneof![
        6 => owner().prop_map(|owner| Step::Acquire { owner }),
        3 => (owner(), token()).prop_map(|(owner, token)| Step::Renew { owner, token }),
        3 => (owner(), token()).prop_map(|(owner, token)| Step::Release { owner, token }),
        6 => token().prop_map(|token| Step::Write { token }),
        1 => (1_i64..1 << 52).prop_map(|ahead| Step::Forge { ahead }),
        2 => Just(Step::LeaseEnds),
        1 => Just(Step::ValueExpires),
        1 => Just(Step::ScriptFlush),
    ];
    prop::collection::vec(step, 1..60)
}

const OWNERS: [&str; 3] = ["a", "b", "c"];

/// The expected state of a lock.
#[derive(Default)]
struct Model {
    holder: Option<(usize, i64)>,
    /// The number of tokens issued: they are 1, 2, 3, …
    tokens: i64,
    value: Option<String>,
}

impl Model {
    /// Returns the chosen token, or 1 if none was issued yet.
    fn token(&self, chosen: Option<Index>) -> i64 {
        let newest = self.tokens.max(1);
        chosen.map_or(newest, |index| 1 + i64::try_from(index.index(newest.try_into().unwrap())).unwrap())
    }

    fn holds(&self, owner: usize, token: i64) -> bool {
        self.holder == Some((owner, token))
    }
}

thread_local! {
    static SCRIPTS: RefCell<(tokio::runtime::Runtime, Option<Scripts>)> = RefCell::new((
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
        None,
    ));
}

proptest! {
    #![proptest_config(cases::config(200, "regressions"))]

    #[test]
    fn any_sequence_has_one_holder_and_no_stale_write(steps in steps()) {
        SCRIPTS.with_borrow_mut(|(runtime, scripts)| {
            let scripts = scripts.get_or_insert_with(|| Scripts { server: runtime.block_on(Server::start()) });
            scripts.server.run::<()>(&["FLUSHALL"]);
            let mut model = Model::default();
            for (number, step) in steps.iter().enumerate() {
                match *step {
                    Step::Acquire { owner } => {
                        let [acquired, token, free_in] = scripts.acquire(OWNERS[owner], TTL);
                        if model.holder.is_some_and(|(holder, _)| holder != owner) {
                            prop_assert_eq!([acquired, token], [0, 0], "another owner holds the lock");
                            prop_assert!(0 < free_in && free_in <= i64::try_from(TTL).unwrap());
                        } else {
                            prop_assert_eq!([acquired, token, free_in], [1, model.tokens + 1, 0]);
                            model.tokens = token;
                            model.holder = Some((owner, token));
                        }
                    }
                    Step::Renew { owner, token } => {
                        let token = model.token(token);
                        let renewed = scripts.renew(OWNERS[owner], token, TTL) == 1;
                        prop_assert_eq!(renewed, model.holds(owner, token));
                    }
                    Step::Release { owner, token } => {
                        let token = model.token(token);
                        let released = scripts.release(OWNERS[owner], token) == 1;
                        prop_assert_eq!(released, model.holds(owner, token));
                        if released {
                            model.holder = None;
                        }
                    }
                    Step::Write { token } => {
                        let (token, new) = (model.token(token), format!("step {number}"));
                        let reply = scripts.write(token, &new, "never");
                        if token == model.tokens {
                            prop_assert_eq!(reply, [1, token]);
                            model.value = Some(new);
                        } else {
                            prop_assert_eq!(reply, [0, model.tokens], "a stale token, or none issued yet");
                        }
                    }
                    Step::Forge { ahead } => {
                        let reply = scripts.write(model.tokens + ahead, "forged", "never");
                        prop_assert_eq!(reply, [0, model.tokens]);
                    }
                    Step::LeaseEnds => {
                        scripts.server.run::<i64>(&["DEL", LOCK]);
                        model.holder = None;
                    }
                    Step::ValueExpires => {
                        scripts.server.run::<i64>(&["DEL", "sg:1:{lock:job}:value:v"]);
                        model.value = None;
                    }
                    Step::ScriptFlush => scripts.server.run::<()>(&["SCRIPT", "FLUSH"]),
                }
                prop_assert_eq!(scripts.value(), model.value.clone());
                let held: Option<String> = scripts.server.run(&["GET", LOCK]);
                prop_assert_eq!(held, model.holder.map(|(owner, token)| format!("{token}:{}", OWNERS[owner])));
                let fence: Option<i64> = scripts.server.run(&["GET", FENCE]);
                prop_assert_eq!(fence.unwrap_or(0), model.tokens);
            }
            Ok(())
        })?;
    }
}

const TTL: u64 = 600_000;
