//! Tenants in a real redis-server, through the real bridge: documents, the index, races and invalid documents.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod cluster;
mod documents;
mod garbage;
mod index;
mod interleaved;
mod races;
#[path = "../lock/server.rs"]
mod server;

use sluicegate::redis::Transport;
use sluicegate::redis::script::Dialect;
use sluicegate::tenant::store::{Create, Delete, Replace, Stored, TenantStore};
use sluicegate::tenant::{Settings, Tenant, TenantId};

fn id(text: &str) -> TenantId {
    TenantId::new(text).unwrap()
}

fn tenant(plan: &str) -> Tenant {
    Tenant::new(Settings::new(plan)).unwrap()
}

fn tenants<T: Transport>(transport: &T) -> TenantStore<'_, T> {
    TenantStore::new(transport, Dialect::Plain)
}

fn key(id: &str) -> String {
    format!("sg:1:{{{id}}}:tenant")
}

const INDEX: &str = "sg:1:tenants";

/// Creates a tenant, which must succeed.
async fn create<T: Transport>(tenants: TenantStore<'_, T>, name: &str, plan: &str) -> Stored {
    match tenants.create(&id(name), tenant(plan)).await.unwrap() {
        Create::Created(stored) => stored,
        Create::Exists => panic!("{name} exists"),
    }
}

/// Replaces a tenant's document, which must succeed.
async fn replace<T: Transport>(tenants: TenantStore<'_, T>, expected: &Stored, plan: &str) -> Stored {
    match tenants.replace(expected.version(), tenant(plan)).await.unwrap() {
        Replace::Replaced(stored) => stored,
        Replace::Lost { found } => panic!("lost to {found:?}"),
    }
}

/// Deletes a tenant, which must succeed.
async fn delete<T: Transport>(tenants: TenantStore<'_, T>, expected: &Stored) {
    assert_eq!(tenants.delete(expected.version()).await.unwrap(), Delete::Deleted);
}

/// Lists the ids of all tenants in pages of `page` ids.
async fn list<T: Transport>(tenants: TenantStore<'_, T>, page: usize) -> Vec<String> {
    let mut ids: Vec<TenantId> = Vec::new();
    loop {
        let found = tenants.list(ids.last(), page).await.unwrap();
        assert!(found.ids.len() <= page && (!found.more || found.ids.len() == page));
        ids.extend(found.ids);
        if !found.more {
            return ids.iter().map(ToString::to_string).collect();
        }
    }
}
