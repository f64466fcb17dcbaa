//! Many clients that change the same tenant at once.

use std::collections::HashSet;
use std::sync::Arc;

use sluicegate::redis::HttpTransport;
use sluicegate::tenant::store::{Create, Delete, Replace, Stored, TenantStore};
use sluicegate::tenant::{Settings, Tenant};
use tokio::sync::Barrier;

use crate::server::Server;
use crate::{create, id, key, list, tenant, tenants};

const WRITERS: usize = 50;

/// Runs one task per writer concurrently, each with its own client, and returns the results.
async fn run_concurrently<R: Send + 'static, F>(
    server: &Server,
    task: impl Fn(usize, HttpTransport, Arc<Barrier>) -> F,
) -> Vec<R>
where
    F: Future<Output = R> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(WRITERS));
    let tasks: Vec<_> =
        (0..WRITERS).map(|writer| tokio::spawn(task(writer, server.transport(), barrier.clone()))).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_writer_wins_each_version() {
    const ROUNDS: usize = 20;
    let server = Server::start().await;
    let first = create(tenants(&server.transport()), "acme", "first").await;
    let histories = run_concurrently(&server, |writer, transport, barrier| {
        let mut known = first.clone();
        async move {
            // For each round: whether this writer won, and the entity tag after the round.
            let mut history = Vec::new();
            for round in 0..ROUNDS {
                barrier.wait().await;
                let own = tenant(&format!("{round} by {writer}"));
                let (won, now) = match tenants(&transport).replace(known.version(), own).await.unwrap() {
                    Replace::Replaced(stored) => (true, stored),
                    Replace::Lost { found } => (false, found.unwrap()),
                };
                history.push((won, now.etag()));
                known = now;
            }
            history
        }
    })
    .await;
    let mut tags = HashSet::from([first.etag()]);
    for round in 0..ROUNDS {
        let winners = histories.iter().filter(|history| history[round].0).count();
        assert_eq!(winners, 1, "round {round}");
        let tag = &histories[0][round].1;
        assert!(
            histories.iter().all(|history| history[round].1 == *tag),
            "round {round}: every writer sees the winner's version"
        );
        assert!(tags.insert(tag.clone()), "round {round}: the tag is new");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_write_is_lost_silently() {
    const WRITES: usize = 4;
    let server = Server::start().await;
    create(tenants(&server.transport()), "acme", "pro").await;
    let wins = run_concurrently(&server, |_, transport, barrier| async move {
        let tenants = tenants(&transport);
        barrier.wait().await;
        let mut known = tenants.get(&id("acme")).await.unwrap().unwrap();
        let mut tags = Vec::new();
        while tags.len() < WRITES {
            match tenants.replace(known.version(), with_one_more_write(&known)).await.unwrap() {
                Replace::Replaced(stored) => {
                    tags.push(stored.etag());
                    known = stored;
                }
                Replace::Lost { found } => known = found.unwrap(),
            }
        }
        tags
    })
    .await;
    let tags: HashSet<_> = wins.into_iter().flatten().collect();
    assert_eq!(tags.len(), WRITERS * WRITES, "every successful write made a new version");
    let last = tenants(&server.transport()).get(&id("acme")).await.unwrap().unwrap();
    assert_eq!(write_count(&last), WRITERS * WRITES, "the last version includes every write");
}

/// Returns the tenant with its count of writes increased by one.
fn with_one_more_write(stored: &Stored) -> Tenant {
    let mut settings: Settings = stored.tenant.settings().clone();
    settings.metadata.insert("writes".to_owned(), (write_count(stored) + 1).to_string());
    stored.tenant.with_settings(settings).unwrap()
}

fn write_count(stored: &Stored) -> usize {
    stored.tenant.settings().metadata.get("writes").map_or(0, |writes| writes.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_creator_and_one_deleter_win() {
    let mut server = Server::start().await;
    for _ in 0..3 {
        let created = run_concurrently(&server, |writer, transport, barrier| async move {
            barrier.wait().await;
            match tenants(&transport).create(&id("acme"), tenant(&format!("by {writer}"))).await.unwrap() {
                Create::Created(stored) => Some(stored),
                Create::Exists => None,
            }
        })
        .await;
        let created: Vec<_> = created.into_iter().flatten().collect();
        let stored = tenants(&server.transport()).get(&id("acme")).await.unwrap().unwrap();
        assert_eq!(created, std::slice::from_ref(&stored));

        let deleted = run_concurrently(&server, |_, transport, barrier| {
            let stored = stored.clone();
            async move {
                barrier.wait().await;
                tenants(&transport).delete(stored.version()).await.unwrap()
            }
        })
        .await;
        assert_eq!(deleted.iter().filter(|outcome| **outcome == Delete::Deleted).count(), 1);
        assert!(deleted.iter().all(|outcome| matches!(outcome, Delete::Deleted | Delete::Lost { found: None })));
        assert!(server.dump().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_is_listed_exactly_if_it_exists() {
    const NAMES: [&str; 3] = ["a", "b", "c"];
    const STEPS: usize = 20;
    let mut server = Server::start().await;
    run_concurrently(&server, |writer, transport, barrier| async move {
        barrier.wait().await;
        for step in 0..STEPS {
            let name = id(NAMES[(writer + step) % NAMES.len()]);
            toggle(tenants(&transport), &name).await;
        }
    })
    .await;
    let existing: Vec<_> = NAMES.into_iter().filter(|name| server.run::<bool>(&["EXISTS", &key(name)])).collect();
    assert_eq!(list(tenants(&server.transport()), 2).await, existing);
}

/// Creates the tenant if it does not exist; otherwise deletes it.
async fn toggle(tenants: TenantStore<'_, HttpTransport>, name: &sluicegate::tenant::TenantId) {
    match tenants.get(name).await.unwrap() {
        Some(stored) => drop(tenants.delete(stored.version()).await.unwrap()),
        None => drop(tenants.create(name, tenant("pro")).await.unwrap()),
    }
}
