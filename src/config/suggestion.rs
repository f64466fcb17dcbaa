//! Messages about unknown names, with the nearest known one.

/// Describes an unknown name, for example `unknown algorithm "token_buket" (did you mean "token_bucket"? known: …)`.
pub(super) fn unknown(noun: &str, found: &str, known: &[&str]) -> String {
    format!("unknown {noun} {found:?} ({})", remedy(found, "known", known.iter().copied()))
}

/// Returns the nearest known name, if one is near, and the list of all, introduced by `label`.
pub(super) fn remedy<'k>(found: &str, label: &str, known: impl Iterator<Item = &'k str> + Clone) -> String {
    let list = known.clone().collect::<Vec<_>>().join(", ");
    match nearest(found, known) {
        Some(name) => format!("did you mean {name:?}? {label}: {list}"),
        None => format!("{label}: {list}"),
    }
}

/// Returns the known name with the fewest typing errors: at most one for every three letters of `found`, and at least
/// one is allowed. Case does not count.
fn nearest<'k>(found: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    if found.len() > MAX_NAME {
        return None;
    }
    let most = (found.chars().count() / 3).max(1);
    let lower = found.to_ascii_lowercase();
    let distance = |name: &&str| strsim::osa_distance(&lower, &name.to_ascii_lowercase());
    known
        .filter(|name| name.len() <= MAX_NAME)
        .map(|name| (distance(&name), name))
        .filter(|(d, _)| *d <= most)
        .min_by_key(|(d, _)| *d)
        .map(|(_, name)| name)
}

/// Bytes of a name that is compared: the distance takes time proportional to the product of both lengths.
const MAX_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["limit", "limits", "window", "x-api-key"];

    #[test]
    fn only_a_near_name_is_suggested() {
        for (found, expected) in [
            ("limts", Some("limits")),
            ("limt", Some("limit")),
            ("wnidow", Some("window")),
            ("X-API-Key", Some("x-api-key")),
            ("x_api_key", Some("x-api-key")),
            ("period", None),
            ("", None),
            (&"limits".repeat(100), None),
        ] {
            assert_eq!(nearest(found, KNOWN.into_iter()), expected, "{found}");
        }
        assert_eq!(nearest("limits", std::iter::empty()), None);
    }

    #[test]
    fn all_known_names_are_listed() {
        assert_eq!(
            unknown("field", "limts", &KNOWN[..2]),
            "unknown field \"limts\" (did you mean \"limits\"? known: limit, limits)"
        );
        assert_eq!(unknown("field", "a\nb", &KNOWN[..2]), "unknown field \"a\\nb\" (known: limit, limits)");
    }
}
