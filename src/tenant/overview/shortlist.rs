//! The shortlist: the tenants that an overview looks at.

use super::readings::Reading;
use crate::tenant::history::Day;
use crate::tenant::id::TenantId;
use crate::time::Millis;

/// The shortlist as `shortlist.lua` has written it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Shortlist {
    /// The time of the newest report, by the clock of its isolate.
    pub(super) reported_at: Option<Millis>,
    pub(super) tenants: Vec<Listed>,
}

/// A tenant in the shortlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) id: TenantId,
    /// The day on which the refusals count.
    day: u64,
    /// The requests that a limit has refused on that day.
    refused: u64,
    /// Until when a limit may be near its end.
    pub(super) until: Millis,
    pub(super) readings: Vec<Reading>,
}

impl Shortlist {
    /// Parses the value in Redis. Leaves out lines that have another form.
    pub(super) fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        let reported_at = lines.next().and_then(|line| line.parse().ok()).map(Millis::new);
        Shortlist { reported_at, tenants: lines.filter_map(Listed::parse).collect() }
    }
}

impl Listed {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let id = TenantId::new(words.next()?).ok()?;
        let mut number = || words.next()?.parse().ok();
        let (day, _units, refused, _share, until) = (number()?, number()?, number()?, number()?, number()?);
        Some(Listed { id, day, refused, until: Millis::new(until), readings: Reading::from_word(words.next()?) })
    }

    /// Returns the requests refused on a day.
    pub(super) fn refused_on(&self, day: Day) -> u64 {
        if self.day == day.number() { self.refused } else { 0 }
    }
}

/// The key of the shortlist. It has no hash tag, because it belongs to no tenant.
pub(super) const KEY: &str = "sg:1:overview";

/// How many tenants have a place for their units, and how many for their share.
pub(super) const PLACES: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_another_form_are_left_out() {
        let text =
            "1795435200000\nacme 20780 120 3 85 1796083200000 -\nAcme 1 1 1 1 1 -\nbolt 1 2 3\n\nx y\nz 1 2 3 4 5 -";
        let shortlist = Shortlist::parse(text);
        assert_eq!(shortlist.reported_at, Some(Millis::new(1_795_435_200_000)));
        let ids: Vec<_> = shortlist.tenants.iter().map(|tenant| tenant.id.as_str()).collect();
        assert_eq!(ids, ["acme", "z"]);
        let day = Day::of(Millis::new(1_795_435_200_000));
        assert_eq!([day, day.before()].map(|day| shortlist.tenants[0].refused_on(day)), [3, 0]);
        assert_eq!(Shortlist::parse("x"), Shortlist::default());
    }
}
