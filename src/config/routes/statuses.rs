//! Sets of HTTP statuses.

use std::ops::RangeInclusive;

/// A set of HTTP statuses, written as `"404"` or, for a class, `"5xx"`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statuses(Vec<RangeInclusive<u16>>);

impl Statuses {
    /// Parses a status or class and adds it.
    ///
    /// # Errors
    /// Returns the problem if the text is neither.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let class = text.strip_suffix("xx").and_then(|class| class.parse::<u16>().ok());
        // Three characters: a parsed number may also have a sign or leading zeros.
        let range = match (class, text.parse::<u16>()) {
            (Some(class @ 1..=5), _) if text.len() == 3 => class * 100..=class * 100 + 99,
            (_, Ok(status @ 100..=599)) if text.len() == 3 => status..=status,
            _ => return Err(format!("expected a status like \"404\" or a class like \"5xx\", found {text:?}")),
        };
        self.0.push(range);
        Ok(())
    }

    /// Returns whether the set contains a status.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }

    /// Returns the statuses and classes as they are written.
    pub fn iter(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|range| {
            let (first, is_class) = (range.start(), range.start() < range.end());
            if is_class { format!("{}xx", first / 100) } else { first.to_string() }
        })
    }

    /// Returns whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_and_classes_are_read() {
        let mut statuses = Statuses::default();
        statuses.add("404").unwrap();
        statuses.add("5xx").unwrap();
        let found: Vec<u16> = [403, 404, 405, 499, 500, 599].into_iter().filter(|s| statuses.contains(*s)).collect();
        assert_eq!(found, [404, 500, 599]);
        assert_eq!(statuses.iter().collect::<Vec<_>>(), ["404", "5xx"]);
        for bad in ["", "5XX", "6xx", "99", "600", "xx", "+404x", "-1", "+404", "0404", "+5xx", "05xx"] {
            assert!(Statuses::default().add(bad).is_err(), "{bad}");
        }
    }
}
