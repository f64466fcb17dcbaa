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
                // Reading that tenant alone returns the error; the list has the others.
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
                Ok(wire::response(201, &stored).with("location", location).changed(id))
            }
            Create::Exists => Err(Problem::tenant_exists(id.as_str()).into()),
        }
    }

    pub(super) async fn read_tenant(&self, id: &str) -> Result<Response, Failure> {
        Ok(wire::response(200, &self.tenant(&wire::id(id)?).await?))
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
        Ok(wire::response(200, &self.change(&id, Some(&precondition), change).await?).changed(id))
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
        Ok(wire::response(200, &self.change(&id, precondition.as_ref(), change).await?).changed(id))
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
                    check_precondition(precondition.as_ref(), &stored)?;
                    // Its counts go first: then a failure in between can be retried, and a later tenant of the same
                    // id loses nothing. A plan that no longer exists has no limits.
                    let limits = stored.tenant.limits(self.config, self.now()).unwrap_or_default();
                    history::reset(self.limiter, &id.subject(), &limits).await?;
                    self.tenants().delete(stored.version()).await
                }
                // An unreadable document can still be deleted, unless If-Match names a version.
                Err(StoreError::Unreadable(document)) if !matches!(precondition, Some(Precondition::OneOf(_))) => {
                    history::reset(self.limiter, &id.subject(), &[]).await?;
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
        Ok(Response::no_content().changed(id))
    }

    /// Returns the store of tenants.
    pub(super) fn tenants(&self) -> TenantStore<'_, T> {
        TenantStore::of(self.limiter)
    }

    /// Reads the tenant with this id.
    pub(super) async fn tenant(&self, id: &TenantId) -> Result<Stored, Failure> {
        let stored = self.tenants().get(id).await?;
        stored.ok_or_else(|| Problem::tenant_not_found(id.as_str()).into())
    }

    /// Changes a tenant by compare-and-swap. If another writer was faster, tries again with the newest version, as long
    /// as the precondition holds for it.
    pub(super) async fn change(
        &self,
        id: &TenantId,
        precondition: Option<&Precondition>,
        change: impl Fn(&Tenant) -> Result<Tenant, Failure>,
    ) -> Result<Stored, Failure> {
        let mut stored = self.tenant(id).await?;
        for _ in 0..TRIES {
            check_precondition(precondition, &stored)?;
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

fn check_precondition(precondition: Option<&Precondition>, stored: &Stored) -> Result<(), Problem> {
    match precondition {
        Some(precondition) if !precondition.holds(&stored.etag()) => Err(Problem::lost_race()),
        _ => Ok(()),
    }
}

fn page_size(text: &str) -> Option<usize> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|size| digits && (1..=MAX_PAGE).contains(size))
}

/// The path of the API.
const ROOT: &str = "/_sluicegate/v1";
/// Only a program can be faster so many times in a row.
const TRIES: usize = 16;
const DEFAULT_PAGE: usize = 50;
const MAX_PAGE: usize = 100;
