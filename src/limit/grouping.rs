//! The states that a check of limits with different owners needs.

use super::check_request::InvalidCheck;
use super::limit::Limit;
use super::subject::Subject;

/// The limits of a check, grouped by the subject that owns their state: the caller first, then in the order of the limits.
#[derive(Debug)]
pub(crate) struct Grouping<'a> {
    /// The owners of the states, each once.
    pub(crate) owners: Vec<&'a Subject>,
    /// The place of each limit's owner in `owners`.
    pub(crate) owner_of: Vec<usize>,
}

impl<'a> Grouping<'a> {
    /// Groups limits.
    ///
    /// # Errors
    /// Fails if the subject has no value for what a limit counts by.
    pub(crate) fn of(subject: &'a Subject, limits: &[Limit]) -> Result<Self, InvalidCheck> {
        let mut grouping = Grouping { owners: Vec::new(), owner_of: Vec::with_capacity(limits.len()) };
        if limits.iter().any(|limit| limit.by().is_none()) {
            grouping.owners.push(subject);
        }
        for limit in limits {
            let owner = subject.owner(limit).ok_or_else(|| InvalidCheck::NoValue {
                limit: limit.name().clone(),
                by: limit.by().map(ToString::to_string).unwrap_or_default(),
            })?;
            let known = grouping.owners.iter().position(|known| *known == owner);
            grouping.owner_of.push(known.unwrap_or(grouping.owners.len()));
            if known.is_none() {
                grouping.owners.push(owner);
            }
        }
        Ok(grouping)
    }

    /// Groups limits, unless the caller owns all their states.
    ///
    /// # Errors
    /// Same as [`Grouping::of`].
    pub(crate) fn unless_callers(subject: &'a Subject, limits: &[Limit]) -> Result<Option<Self>, InvalidCheck> {
        if limits.iter().all(|limit| limit.by().is_none()) {
            return Ok(None);
        }
        Grouping::of(subject, limits).map(Some)
    }

    /// Returns the indices of the limits of an owner, in order.
    pub(crate) fn limits_of(&self, owner: usize) -> impl Iterator<Item = usize> {
        self.owner_of.iter().enumerate().filter(move |(_, of)| **of == owner).map(|(limit, _)| limit)
    }

    /// Returns the indices of all limits, those of the first owner first.
    pub(crate) fn order(&self) -> Vec<usize> {
        (0..self.owners.len()).flat_map(|owner| self.limits_of(owner)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::{By, LimitName};
    use crate::time::Millis;

    fn limit(name: &str, by: Option<By>) -> Limit {
        let limit = Limit::token_bucket(LimitName::new(name).unwrap(), 1, Millis::new(1), None).unwrap();
        by.map_or(limit.clone(), |by| limit.counting_by(by))
    }

    #[test]
    fn limits_are_grouped_by_their_owner() {
        let limits = [
            limit("all", Some(By::Everyone)),
            limit("own", None),
            limit("place", Some(By::Country)),
            limit("all2", Some(By::Everyone)),
        ];
        let subject = Subject::named("s").with(&By::Country, b"CH").with(&By::Everyone, b"");
        let grouping = Grouping::of(&subject, &limits).unwrap();
        let keys: Vec<_> = grouping.owners.iter().map(|owner| owner.state_key()).collect();
        assert_eq!(keys, ["sg:1:{s}", "sg:1:{everyone}", "sg:1:{s}:by:country:CH"]);
        assert_eq!((grouping.owner_of.as_slice(), grouping.order()), (&[1, 0, 2, 1][..], vec![1, 0, 3, 2]));
        let one = Grouping::of(&subject, &limits[..1]).unwrap();
        assert_eq!(one.owners.len(), 1, "the caller owns none of these");
        assert!(Grouping::unless_callers(&subject, &limits[1..2]).unwrap().is_none());
    }

    #[test]
    fn a_missing_value_is_named() {
        let error = Grouping::of(&Subject::named("s"), &[limit("place", Some(By::Country))]).unwrap_err();
        assert_eq!(error.to_string(), "no value of country (the limit place counts by it)");
    }
}
