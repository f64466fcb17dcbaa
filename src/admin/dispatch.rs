//! Dispatches a call to its operation.

use super::admin::{Admin, Call, is_read};
use super::openapi::OPENAPI;
use super::query::Query;
use super::response::{Failure, Response};
use super::route::Path;
use super::{events, subjects};
use crate::config::json::Problems;
use crate::http::problem::Problem;
use crate::redis::Transport;
use crate::tenant::TenantId;

impl<T: Transport> Admin<'_, T> {
    /// Answers a call. `random` must be secure random bytes: a new API key is made of them.
    pub async fn answer(&self, call: &Call<'_>, random: [u8; 20]) -> Response {
        let mut response = self.dispatch(call, random).await.unwrap_or_else(Failure::into_response);
        if !is_read(call.method) && response.changed.is_none() {
            // Also if it failed: a write may have been made although its reply was lost.
            response.changed = Path::parse(call.path).and_then(|path| TenantId::new(path.tenant()?).ok());
        }
        if call.method == "HEAD" { response.without_body() } else { response }
    }

    async fn dispatch(&self, call: &Call<'_>, random: [u8; 20]) -> Result<Response, Failure> {
        let path = Path::parse(call.path);
        if path != Some(Path::OpenApi) && !self.is_authorized(call) {
            return Err(Problem::unauthorized().into());
        }
        let path = path.ok_or_else(Problem::no_such_path)?;
        if !path.allows(call.method) {
            return Err(Problem::allow_only(path.methods()).into());
        }
        let known: &[&str] = match path {
            Path::Tenants if is_read(call.method) => &["cursor", "limit"],
            Path::Usage(_) => &[subjects::FIELD],
            Path::Events => &[events::AFTER],
            _ => &[],
        };
        let mut problems = Problems::default();
        let query = Query::parse(call.query, known, &mut problems);
        problems.finish(Some(()))?;
        match (path, call.method) {
            (Path::OpenApi, _) => Ok(Response::text(200, OPENAPI)),
            (Path::Tenants, "POST") => self.create_tenant(call.object()?).await,
            (Path::Tenants, _) => self.list_tenants(&query).await,
            (Path::Tenant(id), "PUT") => self.replace_tenant(&id, call.if_match, &call.object()?).await,
            (Path::Tenant(id), "PATCH") => self.patch_tenant(&id, call.if_match, &call.patch()?).await,
            (Path::Tenant(id), "DELETE") => self.delete_tenant(&id, call.if_match).await,
            (Path::Tenant(id), _) => self.read_tenant(&id).await,
            (Path::Keys(id), "POST") => self.create_key(&id, &call.object_or_nothing()?, random).await,
            (Path::Keys(id), _) => self.list_keys(&id).await,
            (Path::Key(id, key), _) => self.delete_key(&id, &key).await,
            (Path::Usage(id), _) => self.usage(&id, &query).await,
            (Path::Reset(id), _) => self.reset(&id, &call.object_or_nothing()?).await,
            (Path::Refund(id), _) => self.refund(&id, &call.object()?).await,
            (Path::Check, _) => self.check(&call.object()?).await,
            (Path::Acquire(lock), _) => self.acquire(&lock, &call.object()?).await,
            (Path::Renew(lock), _) => self.renew(&lock, &call.object()?).await,
            (Path::Release(lock), _) => self.release(&lock, &call.object()?).await,
            (Path::LockValue(lock, value), "PUT") => self.write_guarded(&lock, &value, &call.object()?).await,
            (Path::LockValue(lock, value), _) => self.read_guarded(&lock, &value).await,
            (Path::Value(name), _) => self.read_value(&name).await,
            (Path::Swap(name), _) => self.swap_value(&name, &call.object()?).await,
            (Path::Diagnosis, _) => Ok(self.diagnosis().await),
            (Path::Explain, _) => self.explain(&call.object()?).await,
            (Path::Configuration, _) => Ok(self.configuration()),
            (Path::Overview, _) => self.overview().await,
            (Path::Events, _) => self.events_after(&query),
        }
    }
}
