//! Another client creates or deletes the same tenant between any two commands of an operation. In each case,
//! a tenant is listed if and only if it exists.

use std::cell::{Cell, RefCell};

use sluicegate::redis::{HttpTransport, RedisError, Response, Transport};
use sluicegate::tenant::store::{Create, Delete};

use crate::server::Server;
use crate::{INDEX, create, delete, id, key, list, tenant, tenants};

/// A transport that counts commands and runs an interruption before the command with a given number.
struct InterruptedTransport<'a> {
    transport: &'a HttpTransport,
    interruption: RefCell<Option<(usize, Interruption)>>,
    commands: Cell<usize>,
}

#[derive(Debug, Clone, Copy)]
enum Interruption {
    Create,
    Delete,
    DeleteAndCreate,
    CreateAndDelete,
}

impl<'a> InterruptedTransport<'a> {
    fn new(transport: &'a HttpTransport, interruption: Option<(usize, Interruption)>) -> Self {
        InterruptedTransport { transport, interruption: RefCell::new(interruption), commands: Cell::new(0) }
    }
}

impl Transport for InterruptedTransport<'_> {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        let number = self.commands.replace(self.commands.get() + 1);
        let now = self.interruption.borrow_mut().take_if(|(at, _)| *at == number);
        if let Some((_, interruption)) = now {
            interrupt(self.transport, interruption).await;
        }
        self.transport.post(body).await
    }
}

/// Runs the operations of another client. A creation or deletion that comes too late has no effect.
async fn interrupt(transport: &HttpTransport, interruption: Interruption) {
    let tenants = tenants(transport);
    let create = async || drop(tenants.create(&id("acme"), tenant("another")).await.unwrap());
    let delete = async || {
        if let Some(stored) = tenants.get(&id("acme")).await.unwrap() {
            assert_eq!(tenants.delete(stored.version()).await.unwrap(), Delete::Deleted);
        }
    };
    match interruption {
        Interruption::Create => create().await,
        Interruption::Delete => delete().await,
        Interruption::DeleteAndCreate => (delete().await, create().await).1,
        Interruption::CreateAndDelete => (create().await, delete().await).1,
    }
}

const ALL: [Interruption; 4] =
    [Interruption::Create, Interruption::Delete, Interruption::DeleteAndCreate, Interruption::CreateAndDelete];

/// An upper bound of the commands that one operation sends, repetitions included.
const MAX_COMMANDS: usize = 12;

#[tokio::test]
async fn a_creation_survives_interruption_anywhere() {
    let mut server = Server::start().await;
    let transport = server.transport();
    let mut interrupted = 0;
    for interruption in ALL {
        for at in 0..MAX_COMMANDS {
            server.run::<()>(&["FLUSHDB"]);
            let own = InterruptedTransport::new(&transport, Some((at, interruption)));
            let outcome = tenants(&own).create(&id("acme"), tenant("own")).await.unwrap();
            interrupted += usize::from(own.interruption.borrow().is_none());
            assert_consistent(&mut server, &transport, &format!("{interruption:?} before command {at}: {outcome:?}"))
                .await;
        }
    }
    assert!(interrupted >= 16, "{interrupted} interruptions took place");
}

#[tokio::test]
async fn a_deletion_survives_interruption_anywhere() {
    let mut server = Server::start().await;
    let transport = server.transport();
    let mut interrupted = 0;
    for interruption in ALL {
        for at in 0..MAX_COMMANDS {
            server.run::<()>(&["FLUSHDB"]);
            let stored = create(tenants(&transport), "acme", "own").await;
            let own = InterruptedTransport::new(&transport, Some((at, interruption)));
            let outcome = tenants(&own).delete(stored.version()).await.unwrap();
            interrupted += usize::from(own.interruption.borrow().is_none());
            assert_consistent(&mut server, &transport, &format!("{interruption:?} before command {at}: {outcome:?}"))
                .await;
        }
    }
    assert!(interrupted >= 12, "{interrupted} interruptions took place");
}

/// Checks that the tenant is listed if and only if it exists.
async fn assert_consistent(server: &mut Server, transport: &HttpTransport, when: &str) {
    let exists = server.run::<bool>(&["EXISTS", &key("acme")]);
    let listed = list(tenants(transport), 10).await;
    assert_eq!(listed, if exists { vec!["acme"] } else { vec![] }, "{when}");
}

#[tokio::test]
async fn a_failed_creation_leaves_no_unlisted_tenant() {
    /// A transport that fails after a number of commands.
    struct FailingTransport<'a>(&'a HttpTransport, Cell<usize>);

    impl Transport for FailingTransport<'_> {
        async fn post(&self, body: String) -> Result<Response, RedisError> {
            let left = self.1.get().checked_sub(1).ok_or(RedisError::Timeout)?;
            self.1.set(left);
            self.0.post(body).await
        }
    }

    let mut server = Server::start().await;
    let transport = server.transport();
    for commands in 0..5 {
        server.run::<()>(&["FLUSHDB"]);
        let outcome =
            tenants(&FailingTransport(&transport, Cell::new(commands))).create(&id("acme"), tenant("own")).await;
        let exists = server.run::<bool>(&["EXISTS", &key("acme")]);
        let listed = server.run::<Option<f64>>(&["ZSCORE", INDEX, "acme"]).is_some();
        assert!(listed || !exists, "{commands} commands: {outcome:?}");
    }
}

#[tokio::test]
async fn operations_send_the_documented_commands() {
    let server = Server::start().await;
    let transport = server.transport();
    // Loads the script.
    let stored = create(tenants(&transport), "other", "free").await;
    delete(tenants(&transport), &stored).await;

    let counted = InterruptedTransport::new(&transport, None);
    let tenants = tenants(&counted);
    let commands = || counted.commands.replace(0);
    let stored = create(tenants, "acme", "free").await;
    assert_eq!(commands(), 4, "ZADD, EVALSHA, ZADD, EXISTS");
    assert_eq!(tenants.create(&id("acme"), tenant("pro")).await.unwrap(), Create::Exists);
    assert_eq!(commands(), 2);
    assert_eq!((tenants.get(&id("acme")).await.unwrap().is_some(), commands()), (true, 1));
    assert_eq!((tenants.get_many(&[id("acme"), id("b")]).await.unwrap().len(), commands()), (2, 1));
    assert_eq!((tenants.list(None, 100).await.unwrap().ids.len(), commands()), (1, 1));
    let stored = crate::replace(tenants, &stored, "pro").await;
    assert_eq!(commands(), 1);
    delete(tenants, &stored).await;
    assert_eq!(commands(), 3, "EVALSHA, ZREM, EXISTS");
}
