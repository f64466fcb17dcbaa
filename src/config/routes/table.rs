//! Finds the route of a request: the first one that matches its method and path.
//!
//! The table is compiled once, into a [`Tree`] of all patterns, so the time of a search does not grow with unrelated routes.

use std::sync::Arc;

use super::route::Route;
use super::tree::Tree;

/// The compiled table of routes.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    pub(super) list: Vec<Arc<Route>>,
    tree: Tree,
}

/// The result of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteMatch<'a> {
    /// The first route that matches.
    Route(&'a Arc<Route>),
    /// No route matches.
    None,
    /// The path has several interpretations with different routes, and the origin's is unknown.
    Ambiguous,
}

impl Routes {
    /// Compiles a table.
    ///
    /// # Errors
    /// Returns [`Unreachable`] if an earlier route matches everything that a later one does.
    pub fn new(routes: Vec<Route>) -> Result<Self, Unreachable> {
        let mut tree = Tree::default();
        for (later, route) in routes.iter().enumerate() {
            if let Some(earlier) = tree.covering(&route.pattern) {
                return Err(Unreachable { later, earlier });
            }
            tree.insert(&route.pattern, later);
        }
        Ok(Routes { list: routes.into_iter().map(Arc::new).collect(), tree })
    }

    /// Finds the route of a request.
    #[must_use]
    pub fn find(&self, method: &str, path: &str) -> RouteMatch<'_> {
        if self.list.is_empty() {
            return RouteMatch::None;
        }
        let place = match super::path::plain(path) {
            Some(segments) => self.first(method, &segments),
            None => {
                match super::interpretations::agreed(path, self.depth() + 1, |segments| self.first(method, segments)) {
                    Some(place) => place,
                    None => return RouteMatch::Ambiguous,
                }
            }
        };
        place.and_then(|place| self.list.get(place)).map_or(RouteMatch::None, RouteMatch::Route)
    }

    /// Returns all routes, in order.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &Route> {
        self.list.iter().map(Arc::as_ref)
    }

    /// Returns the place of a route that was found here.
    #[must_use]
    pub fn place_of(&self, route: &Arc<Route>) -> Option<usize> {
        self.list.iter().position(|known| Arc::ptr_eq(known, route))
    }

    /// Returns the number of segments of the longest pattern. Later segments never matter.
    pub(super) fn depth(&self) -> usize {
        self.tree.depth()
    }

    pub(super) fn first<S: AsRef<str>>(&self, method: &str, path: &[S]) -> Option<usize> {
        self.tree.matching(method, path)
    }
}

/// A route that can never be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreachable {
    /// Its index in the table.
    pub later: usize,
    /// The index of the route that matches all of its requests.
    pub earlier: usize,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Origin;
    use crate::config::routes::path;
    use crate::config::routes::pattern::Pattern;

    fn routes(patterns: &[String]) -> Routes {
        // Without the check for unreachable routes: the search must work for any table.
        let route = |text: &String| Route::new(Pattern::new(text).unwrap());
        let routes: Vec<Route> = patterns.iter().map(route).collect();
        let mut tree = Tree::default();
        for (place, route) in routes.iter().enumerate() {
            tree.insert(&route.pattern, place);
        }
        Routes { list: routes.into_iter().map(Arc::new).collect(), tree }
    }

    #[test]
    fn the_first_route_wins_over_a_more_specific_one() {
        let routes = routes(&["GET /a/:x", "GET /a/b", "* /a/*"].map(str::to_owned));
        let found = |method, path| match routes.find(method, path) {
            RouteMatch::Route(route) => route.pattern.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(found("GET", "/a/b"), "GET /a/:x");
        assert_eq!(found("POST", "/a/b"), "* /a/*");
        assert_eq!(found("GET", "/a"), "* /a/*");
        assert_eq!(found("GET", "/b"), "None");
        assert_eq!(found("GET", "/b%2F..%2Fa"), "Ambiguous");
        assert_eq!(found("GET", "/a/b%2Fc"), "Ambiguous", "one segment, or two");
        assert_eq!(found("POST", "/a/b%2Fc"), "* /a/*", "both interpretations agree");
    }

    #[test]
    fn unreachable_routes_are_found() {
        let route = |text| Route::new(Pattern::new(text).unwrap());
        let table = vec![route("GET /x"), route("* /v1/*"), route("POST /v1/chat")];
        assert_eq!(Routes::new(table).unwrap_err(), Unreachable { later: 2, earlier: 1 });
    }

    fn pattern() -> impl Strategy<Value = String> {
        let segment = prop::sample::select(vec!["a", "b", "c{d}", ":x", ":y"]);
        let method = prop::sample::select(vec!["GET", "POST", "*"]);
        (method, prop::collection::vec(segment, 0..4), any::<bool>()).prop_map(|(method, mut segments, open)| {
            if open {
                segments.push("*");
            }
            format!("{method} /{}", segments.join("/"))
        })
    }

    fn path() -> impl Strategy<Value = String> {
        let segment = prop::sample::select(vec!["a", "b", "c{d}", "A", "%61", "", "x", "{any}", "a%2Fb"]);
        prop::collection::vec(segment, 0..5).prop_map(|segments| format!("/{}", segments.join("/")))
    }

    proptest! {
        #[test]
        fn the_tree_agrees_with_a_linear_search(
            patterns in prop::collection::vec(pattern(), 0..12),
            method in prop::sample::select(vec!["GET", "HEAD", "POST"]),
            path in path(),
        ) {
            let routes = routes(&patterns);
            let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).map(path::decoded).collect();
            let slow = routes.list.iter().position(|route| route.pattern.matches(method, &segments));
            prop_assert_eq!(routes.first(method, &segments), slow);
        }

        /// The origin gets what follows the literal segments with which the pattern begins, whatever the path looks like.
        #[test]
        fn a_found_route_begins_with_its_literals(
            first in prop::sample::select(vec!["/a", "//A/b", "/%61//%62/", "/a;x", "/a%2Fb", "/x;/..%2Fa", "/a%20", "/"]),
            rest in "(/|a|b|%2F|%5C|%2e|;|;x|\\.|%00|%20|[\\\\]|x){0,9}",
        ) {
            let routes = routes(&["GET /a/b/*".to_owned(), "GET /a/*".to_owned()]);
            let url = url::Url::parse(&format!("https://h{first}{rest}")).unwrap();
            if let RouteMatch::Route(route) = routes.find("GET", url.path()) {
                let strip = route.pattern.segments.len();
                let segments = url.path().split('/').filter(|segment| !segment.is_empty());
                let (stripped, left): (Vec<_>, Vec<_>) = segments.enumerate().partition(|(i, _)| *i < strip);
                let expected = &["a", "b"][..strip];
                prop_assert!(stripped.iter().map(|(_, segment)| path::decoded(segment)).eq(expected.iter().copied()));
                let onward = Origin::Zone.url_for(&url, strip);
                let onward = url::Url::parse(&onward).unwrap();
                let rest = onward.path().split('/').filter(|segment| !segment.is_empty());
                prop_assert!(rest.eq(left.into_iter().map(|(_, segment)| segment)), "{url} {onward}");
            }
        }

        #[test]
        fn no_path_makes_it_panic(path in "\\PC{0,40}") {
            let routes = routes(&["GET /a/:x".to_owned(), "* /a/*".to_owned()]);
            let _ = routes.find("GET", &path);
        }
    }
}
