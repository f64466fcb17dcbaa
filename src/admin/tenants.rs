//! Tenants: list, create, read, replace, patch, delete.

use serde_json::{Value, json};

use super::admin::Admin;
use super::precondition::Precondition;
use super::query::Query;
use super::response::{Failure, Response};
use super::{merge, wire};
use crate::config::json::{InvalidInput, Problems};
use crate::http::problem::Problem;
use crate::redis::Transport;
use crate::tenant::store::{Create, Delete, Replace, StoreError, Stored, TenantStore};
use crate::tenant::{Tenant, TenantId, history};

impl<T: Transport> Admin<'_, T> {
    pub(super) async fn list_tenants(&self, query: &Query) -> Result<Response, Failure> {
        let mut problems = Problems::default();
        let cursor = query.get("cursor").map(TenantId::new).transpose();
        let cursor = cursor.map_err(|error| problems.push("cursor", error.to_string())).ok();
        let limit = query.get("limit").map_or(Some(DEFAULT_PAGE), page_size);
        if limit.is_none() {
            problems.push("limit", format!("expected 1 to {MAX_PAGE}"));
        }
        let (cursor, limit) = problems.finish(cursor.zip(limit))?;

        let page = self.tenants().list(cursor.as_ref(), limit).await?;
        let mut tenants = Vec::new();
        let mut unreadable = None;
        for stored in self.tenants().get_many(&page.ids).await? {
            match stored {
                Ok(stored) => tenants.extend(stored.as_ref().map(wire::tenant)),
                // Reading it tells; the others are listed.
                Err(error) => unreadable = Some(error.to_string()),
            }
        }
        let next = page.ids.last().filter(|_| page.more);
        Ok(Response::json(200, &json!({ "tenants": tenants, "cursor": next })).failing(unreadable))
    }

    pub(super) async fn create_tenant(&self, body: Value) -> Result<Response, Failure> {
        let (id, settings) = wire::new_tenant(body, self.config)?;
        match self.tenants().create(&id, Tenant::new(settings)?).await? {
            Create::Created(stored) => {
                let location = format!("{ROOT}/tenants/{id}");
                Ok(wire::answer(201, &stored).with("location", location).changed(id))
            }
            Create::Exists => Err(Problem::tenant_exists(id.as_str()).into()),
        }
    }

    pub(super) async fn read_tenant(&self, id: &str) -> Result<Response, Failure> {
        Ok(wire::answer(200, &self.tenant(&wire::id(id)?).await?))
    }

    pub(super) async fn replace_tenant(
        &self,
        id: &str,
        if_match: Option<&str>,
        body: &Value,
    ) -> Result<Response, Failure> {
        let id = wire::id(id)?;
        let precondition = precondition(if_match)?.ok_or_else(Problem::precondition_required)?;
        let settings = wire::settings(body, self.config)?;
        let change = |tenant: &Tenant| Ok(tenant.with_settings(settings.clone())?);
        Ok(wire::answer(200, &self.change(&id, Some(&precondition), change).await?).changed(id))
    }

    pub(super) async fn patch_tenant(
        &self,
        id: &str,
        if_match: Option<&str>,
        patch: &Value,
    ) -> Result<Response, Failure> {
        let id = wire::id(id)?;
        let precondition = precondition(if_match)?;
        wire::check_patch(patch)?;
        let change = |tenant: &Tenant| {
            let before = json!(tenant.settings());
            Ok(tenant.with_settings(wire::settings(&merge::apply(before, patch), self.config)?)?)
        };
        Ok(wire::answer(200, &self.change(&id, precondition.as_ref(), change).await?).changed(id))
    }

    pub(super) async fn delete_tenant(&self, id: &str, if_match: Option<&str>) -> Result<Response, Failure> {
        let id = wire::id(id)?;
        let precondition = precondition(if_match)?;
        let mut tries = 0..TRIES;
        let mut found = self.tenants().get(&id).await;
        loop {
            let outcome = match found {
                Ok(None) => return Err(Problem::tenant_not_found(id.as_str()).into()),
                Ok(Some(stored)) => {
                    hold(precondition.as_ref(), &stored)?;
                    // First what its limits have counted, so that a failure on the way can be tried again, and nothing
                    // of a successor is forgotten. A plan that is unknown by now has no limits.
                    let limits = stored.tenant.limits(self.config, self.now()).unwrap_or_default();
                    history::reset(self.limiter, &id, &limits).await?;
                    self.tenants().delete(stored.version()).await
                }
                // What nobody can read can still be deleted, by whoever does not ask for a certain version.
                Err(StoreError::Unreadable(document)) if !matches!(precondition, Some(Precondition::OneOf(_))) => {
                    history::reset(self.limiter, &id, &[]).await?;
                    self.tenants().delete(document.version()).await
                }
                Err(error) => return Err(error.into()),
            };
            found = match outcome {
                Ok(Delete::Deleted) => break,
                Ok(Delete::Lost { found }) => Ok(found),
                Err(error) => Err(error),
            };
            tries.next().ok_or_else(Problem::lost_race)?;
        }
        Ok(Response::done().changed(id))
    }

    /// The tenants of this Redis.
    pub(super) fn tenants(&self) -> TenantStore<'_, T> {
        TenantStore::new(self.transport(), self.dialect())
    }

    /// The tenant of this id.
    pub(super) async fn tenant(&self, id: &TenantId) -> Result<Stored, Failure> {
        let stored = self.tenants().get(id).await?;
        stored.ok_or_else(|| Problem::tenant_not_found(id.as_str()).into())
    }

    /// Changes a tenant by compare-and-swap. Whoever is overtaken tries again with the newest version, if the
    /// precondition holds for that, too.
    pub(super) async fn change(
        &self,
        id: &TenantId,
        precondition: Option<&Precondition>,
        change: impl Fn(&Tenant) -> Result<Tenant, Failure>,
    ) -> Result<Stored, Failure> {
        let mut stored = self.tenant(id).await?;
        for _ in 0..TRIES {
            hold(precondition, &stored)?;
            stored = match self.tenants().replace(stored.version(), change(&stored.tenant)?).await? {
                Replace::Replaced(stored) => return Ok(stored),
                Replace::Lost { found } => found.ok_or_else(|| Problem::tenant_not_found(id.as_str()))?,
            };
        }
        Err(Problem::lost_race().into())
    }
}

fn precondition(if_match: Option<&str>) -> Result<Option<Precondition>, InvalidInput> {
    if_match.map(Precondition::parse).transpose()
}

fn hold(precondition: Option<&Precondition>, stored: &Stored) -> Result<(), Problem> {
    match precondition {
        Some(precondition) if !precondition.holds(&stored.etag()) => Err(Problem::lost_race()),
        _ => Ok(()),
    }
}

fn page_size(text: &str) -> Option<usize> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|size| digits && (1..=MAX_PAGE).contains(size))
}

/// Where the API lives.
const ROOT: &str = "/_sluicegate/v1";
/// Whoever is overtaken so often in a row competes with a program.
const TRIES: usize = 16;
const DEFAULT_PAGE: usize = 50;
const MAX_PAGE: usize = 100;
