//! What a configuration names but does not contain: secrets and origins.

use super::config::Config;
use super::origin::Origin;
use super::origin_secrets::OriginSecrets;

impl Config {
    /// Returns each secret that a route sends to its origin, with the path of the field that names it.
    pub fn secret_references(&self) -> impl Iterator<Item = (String, &str)> {
        self.routes.all().enumerate().flat_map(|(i, route)| {
            route.onward.secrets().map(move |(header, name)| (format!("routes[{i}].set.{header}"), name))
        })
    }

    /// Returns a text in the place of each secret that a route sends to its origin, for explanations: they never see a
    /// secret.
    #[must_use]
    pub fn concealed_secrets(&self) -> OriginSecrets {
        OriginSecrets::read(self.secret_references(), |_| Some(CONCEALED.to_owned())).unwrap_or_default()
    }

    /// Returns the origin of each route that has its own, with the path of the field.
    pub fn origins(&self) -> impl Iterator<Item = (String, &Origin)> {
        self.routes.all().enumerate().filter_map(|(i, route)| {
            let origin = route.onward.origin.as_ref()?;
            Some((format!("routes[{i}].origin"), origin))
        })
    }
}

const CONCEALED: &str = "concealed";
