//! Weighted sums of numbers in a body.

use super::amount::{Amount, Total, Weight};
use super::pointer::{Pointer, Pointers};

/// A weighted sum of numbers in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    terms: Vec<Term>,
}

/// A term of a sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The factor.
    pub weight: Weight,
    /// The places of its pointers in their set. The first that points to a number counts.
    pub places: Vec<usize>,
    /// Whether a body without it has a cost all the same.
    pub is_optional: bool,
}

/// The format of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFormat {
    /// One JSON document.
    Json,
    /// An event stream (`text/event-stream`) whose events have JSON documents as data.
    Events,
}

impl Sum {
    /// Creates a sum of these terms.
    #[must_use]
    pub fn new(terms: Vec<Term>) -> Self {
        Sum { terms }
    }

    /// Parses a sum like `/usage/prompt_tokens + 4*/usage/completion_tokens`, and adds its pointers to the set.
    ///
    /// # Errors
    /// Returns the problem.
    pub fn parse(text: &str, pointers: &mut Pointers) -> Result<Self, String> {
        let mut terms = Vec::new();
        for (weight, pointer) in terms_of(text)? {
            let place = pointers.add(Pointer::parse(pointer)?)?;
            terms.push(Term { weight, places: vec![place], is_optional: false });
        }
        Ok(Sum { terms })
    }

    /// Returns the cost in whole units, rounded up, from the numbers at the places of the set. `None` if a term that is not
    /// optional, or every term, has no number.
    #[must_use]
    pub fn cost(&self, number_at: impl Fn(usize) -> Option<Amount>) -> Option<u64> {
        let (mut total, mut found) = (Total::default(), false);
        for term in &self.terms {
            match term.places.iter().find_map(|place| number_at(*place)) {
                Some(amount) => {
                    total.add(term.weight, amount);
                    found = true;
                }
                None if term.is_optional => {}
                None => return None,
            }
        }
        found.then(|| total.ceil())
    }
}

/// Splits a sum into its terms: each with its weight, and what follows it.
///
/// # Errors
/// Returns the problem.
pub(super) fn terms_of(text: &str) -> Result<Vec<(Weight, &str)>, String> {
    let terms: Result<Vec<_>, String> = text.split('+').map(|term| split_weight(term.trim())).collect();
    let terms = terms?;
    if terms.len() > MAX_TERMS {
        return Err(format!("expected a sum of at most {MAX_TERMS} terms, found {}", terms.len()));
    }
    Ok(terms)
}

/// A pointer begins with a slash, and a name has no `*`, so the first `*` before a slash ends a weight.
fn split_weight(term: &str) -> Result<(Weight, &str), String> {
    match term.split_once('*') {
        Some((weight, rest)) if !weight.contains('/') => Ok((Weight::parse(weight.trim())?, rest.trim())),
        _ => Ok((Weight::ONE, term)),
    }
}

/// The most terms of a sum.
const MAX_TERMS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_needs_its_terms() {
        let mut pointers = Pointers::default();
        let sum = Sum::parse("/in + 4*/out + 0.5 * /in", &mut pointers).unwrap();
        assert_eq!(pointers.len(), 2);
        let of = |input: Option<&str>, output: Option<&str>| {
            let numbers = [input, output];
            sum.cost(|place| Amount::parse(numbers[place]?))
        };
        assert_eq!(of(Some("10"), Some("3")), Some(27));
        assert_eq!(of(Some("11"), Some("3")), Some(29), "28.5 is rounded up");
        assert_eq!(of(Some("0"), Some("0")), Some(0));
        assert_eq!((of(Some("10"), None), of(None, Some("3")), of(None, None)), (None, None, None));
    }

    #[test]
    fn optional_terms_may_be_missing_but_not_all() {
        let term = |place, is_optional| Term { weight: Weight::ONE, places: vec![place], is_optional };
        let cost = |sum: &Sum, found: usize| sum.cost(|place| (place == found).then(|| Amount::parse("7"))?);
        let one = Sum::new(vec![term(0, false), term(1, true)]);
        assert_eq!((cost(&one, 0), cost(&one, 1)), (Some(7), None));
        let both = Sum::new(vec![term(0, true), term(1, true)]);
        assert_eq!((cost(&both, 1), cost(&both, 2)), (Some(7), None));
    }

    #[test]
    fn mistakes_are_named() {
        let problem = |text: &str| Sum::parse(text, &mut Pointers::default()).unwrap_err();
        assert!(problem("4*usage").contains("found \"usage\""));
        assert!(problem("x*/usage").contains("expected a weight above 0"));
        assert!(problem("/a++/b").contains("found \"\""));
        assert!(problem("").contains("found \"\""));
        assert!(problem(&["/a"; 9].join(" + ")).contains("at most 8 terms, found 9"));
    }
}
