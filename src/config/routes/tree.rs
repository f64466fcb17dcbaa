//! An index of patterns by their segments: it finds the first pattern, in the operator's order, that matches a path or
//! covers another pattern.
//!
//! Each node is a prefix of patterns. A search follows the literal child and the child for any segment, so it takes time for
//! the patterns that fit, not for all. It skips every branch that has only patterns after the one already found.

use std::collections::HashMap;

use super::pattern::{Pattern, Segment};

/// The patterns of a table, each with its place in the operator's order.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    root: Node,
    /// The number of segments of the longest pattern.
    depth: usize,
}

#[derive(Debug, Clone, Default)]
struct Node {
    /// The first place in this node and below, `None` if there is none.
    first: Option<usize>,
    /// By the name of the next segment.
    literals: HashMap<String, Node>,
    /// For any next segment.
    any: Option<Box<Node>>,
    /// The patterns that end here.
    ended: Vec<Entry>,
    /// The patterns that end here with `*`.
    open: Vec<Entry>,
}

/// A pattern without its segments. No two of a list have the same method.
#[derive(Debug, Clone)]
struct Entry {
    method: Option<String>,
    place: usize,
}

/// What a search looks for at the nodes on its way.
trait Query {
    /// Returns the number of segments.
    fn len(&self) -> usize;

    /// Returns the name of a segment that literals may match; `None` if only the child for any segment does.
    fn literal(&self, index: usize) -> Option<&str>;

    /// Returns whether patterns that end at the last segment without `*` count.
    fn allows_ended(&self) -> bool;

    /// Returns whether an entry with this method counts.
    fn allows(&self, method: Option<&str>) -> bool;
}

impl Tree {
    /// Adds a pattern at the next place. One that has the method and segments of an earlier one can never be found.
    pub(super) fn insert(&mut self, pattern: &Pattern, place: usize) {
        let mut node = &mut self.root;
        node.first.get_or_insert(place);
        for segment in &pattern.segments {
            node = match segment {
                Segment::Literal(name) => node.literals.entry(name.clone()).or_default(),
                Segment::Any => node.any.get_or_insert_default(),
            };
            node.first.get_or_insert(place);
        }
        let entries = if pattern.open { &mut node.open } else { &mut node.ended };
        if entries.iter().all(|entry| entry.method.as_deref() != pattern.method()) {
            entries.push(Entry { method: pattern.method().map(str::to_owned), place });
        }
        self.depth = self.depth.max(pattern.segments.len());
    }

    /// Returns the number of segments of the longest pattern.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Returns the place of the first pattern that matches a method and the segments of a path.
    pub(super) fn matching<S: AsRef<str>>(&self, method: &str, path: &[S]) -> Option<usize> {
        self.find(&Request { method, path })
    }

    /// Returns the place of the first pattern that covers another one.
    pub(super) fn covering(&self, pattern: &Pattern) -> Option<usize> {
        self.find(pattern)
    }

    fn find(&self, query: &impl Query) -> Option<usize> {
        let mut found = None;
        self.root.search(query, 0, &mut found);
        found
    }
}

impl Node {
    /// Lowers `found` to the first place that the query allows, here and below. `index` is that of the next segment.
    fn search(&self, query: &impl Query, index: usize, found: &mut Option<usize>) {
        if self.first.is_none_or(|first| found.is_some_and(|found| found < first)) {
            return;
        }
        let is_end = index == query.len();
        let ended = if is_end && query.allows_ended() { &self.ended[..] } else { &[] };
        let allowed = self.open.iter().chain(ended).filter(|entry| query.allows(entry.method.as_deref()));
        let here = allowed.map(|entry| entry.place).min();
        *found = match (*found, here) {
            (Some(found), Some(here)) => Some(found.min(here)),
            (found, here) => found.or(here),
        };
        if is_end {
            return;
        }
        if let Some(node) = query.literal(index).and_then(|name| self.literals.get(name)) {
            node.search(query, index + 1, found);
        }
        if let Some(node) = &self.any {
            node.search(query, index + 1, found);
        }
    }
}

/// A request, without what only its interpretation needs.
struct Request<'a, S> {
    method: &'a str,
    path: &'a [S],
}

impl<S: AsRef<str>> Query for Request<'_, S> {
    fn len(&self) -> usize {
        self.path.len()
    }

    fn literal(&self, index: usize) -> Option<&str> {
        self.path.get(index).map(AsRef::as_ref)
    }

    fn allows_ended(&self) -> bool {
        true
    }

    fn allows(&self, method: Option<&str>) -> bool {
        Pattern::method_covers(method, Some(self.method))
    }
}

/// As a query, a pattern stands for all that it matches.
impl Query for Pattern {
    fn len(&self) -> usize {
        self.segments.len()
    }

    fn literal(&self, index: usize) -> Option<&str> {
        match self.segments.get(index)? {
            Segment::Literal(name) => Some(name),
            Segment::Any => None,
        }
    }

    fn allows_ended(&self) -> bool {
        !self.open
    }

    fn allows(&self, method: Option<&str>) -> bool {
        Pattern::method_covers(method, self.method())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tree(patterns: &[Pattern]) -> Tree {
        let mut tree = Tree::default();
        for (place, pattern) in patterns.iter().enumerate() {
            tree.insert(pattern, place);
        }
        tree
    }

    fn patterns() -> impl Strategy<Value = Vec<Pattern>> {
        let segment = prop::sample::select(vec!["a", "b", "c", ":x"]);
        let method = prop::sample::select(vec!["GET", "HEAD", "POST", "*"]);
        let pattern =
            (method, prop::collection::vec(segment, 0..5), any::<bool>()).prop_map(|(method, mut parts, open)| {
                if open {
                    parts.push("*");
                }
                Pattern::new(&format!("{method} /{}", parts.join("/"))).unwrap()
            });
        prop::collection::vec(pattern, 0..20)
    }

    proptest! {
        #[test]
        fn a_request_has_the_route_of_a_linear_search(
            patterns in patterns(),
            method in prop::sample::select(vec!["GET", "HEAD", "POST", "PUT"]),
            path in prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "d"]), 0..6),
        ) {
            let linear = patterns.iter().position(|pattern| pattern.matches(method, &path));
            prop_assert_eq!(tree(&patterns).matching(method, &path), linear);
        }

        #[test]
        fn a_pattern_is_covered_as_in_a_linear_search(patterns in patterns()) {
            let mut tree = Tree::default();
            for (place, pattern) in patterns.iter().enumerate() {
                let linear = patterns.iter().take(place).position(|earlier| earlier.covers(pattern));
                prop_assert_eq!(tree.covering(pattern), linear, "{}", pattern);
                tree.insert(pattern, place);
            }
        }
    }

    #[test]
    fn a_search_ends_at_the_longest_pattern() {
        let patterns = ["GET /a/:x/c", "* /a/*"].map(|text| Pattern::new(text).unwrap());
        let tree = tree(&patterns);
        assert_eq!((tree.depth(), Tree::default().depth()), (3, 0));
        assert_eq!(tree.matching("GET", &vec!["a"; 10_000]), Some(1));
        assert_eq!(Tree::default().matching("GET", &[""; 0]), None);
    }
}
