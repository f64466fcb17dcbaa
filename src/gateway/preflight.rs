//! CORS preflights, which are not limited.

use std::sync::Arc;

use super::onward::origin_of;
use super::request::{check_base_path, find_route};
use crate::config::routes::Route;
use crate::config::{Config, Cors, Origin, Preflight};
use crate::http::cors::{announced_method, preflight_fields};
use crate::http::{Fields, RequestFacts};

/// The request that a preflight announces, with the rules for the preflight.
#[derive(Debug)]
pub struct AnnouncedRequest<'a> {
    cors: &'a Cors,
    /// The route of the announced request.
    pub route: Option<&'a Arc<Route>>,
    /// Whether its path and address let it reach the origin.
    reaches_origin: bool,
}

impl<'a> AnnouncedRequest<'a> {
    /// Returns what a preflight announces; `None` if the request is none. Preflights have no key and are not limited: a
    /// browser sends them by itself, and if one is refused, the page sees a network error instead of the refusal.
    #[must_use]
    pub fn of(facts: &RequestFacts, fields: Fields<'_>, config: &'a Config, origin: &'a Origin) -> Option<Self> {
        let cors = config.cors.as_ref()?;
        let method = announced_method(&facts.method, fields)?;
        let facts = RequestFacts { method: method.to_owned(), ..facts.clone() };
        let route = find_route(&facts, config);
        let reaches_origin = match &route {
            Ok(route) => {
                !route.is_some_and(|route| route.denies(facts.address))
                    && check_base_path(&facts, origin_of(*route, origin), *route).is_ok()
            }
            Err(_) => false,
        };
        Some(AnnouncedRequest { cors, route: route.ok().flatten(), reaches_origin })
    }

    /// Returns whether the preflight is answered here: as configured, or because the announced request could not reach the
    /// origin.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.cors.preflight == Preflight::Answer || !self.reaches_origin
    }

    /// Returns the header fields of the answer to the preflight with these fields.
    #[must_use]
    pub fn answer(&self, fields: Fields<'_>) -> Vec<(&'static str, String)> {
        preflight_fields(self.cors, fields)
    }
}
