//! `GET /overview`: which tenants used most today, and which are near a limit.

use serde_json::{Value, json};

use super::admin::Admin;
use super::response::{Failure, Response};
use super::usage::describe;
use crate::redis::Transport;
use crate::tenant::overview::{self, NearLimit, NearTenant, TopTenant};
use crate::time::Timestamp;

impl<T: Transport> Admin<'_, T> {
    pub(super) async fn overview(&self) -> Result<Response, Failure> {
        let now = self.now();
        let overview = overview::read(self.limiter, self.config, now).await?;
        let body = json!({
            "as_of": Timestamp::new(now),
            "reported_at": overview.reported_at.map(Timestamp::new),
            "day": overview.day,
            "top": overview.top.iter().map(top_json).collect::<Vec<_>>(),
            "near_limit": overview.near.iter().map(near_json).collect::<Vec<_>>(),
            "more": overview.more,
        });
        Ok(Response::json(200, &body).failing(overview.unreadable))
    }
}

fn top_json(TopTenant { id, plan, status, units, refused }: &TopTenant) -> Value {
    json!({ "tenant": id, "plan": plan, "status": status, "units": units, "refused": refused })
}

fn near_json(NearTenant { id, plan, status, limits }: &NearTenant) -> Value {
    let limits: Vec<_> = limits.iter().map(limit_json).collect();
    json!({ "tenant": id, "plan": plan, "status": status, "limits": limits })
}

fn limit_json(NearLimit { budget, route, seen_at }: &NearLimit) -> Value {
    let mut fields = describe(&budget.limit, Some(budget));
    if let Some(route) = route {
        fields.insert("route".to_owned(), route.as_str().into());
    }
    if let Some(seen_at) = seen_at {
        fields.insert("as_of".to_owned(), json!(Timestamp::new(*seen_at)));
    }
    fields.into()
}
