//! Models of servers, independent of the code under test. Whatever one of them would serve has its own route or is
//! refused.

use percent_encoding::percent_decode_str;
use proptest::prelude::*;

use crate::config::routes::interpretations::{agreed_among, stays_below_base};
use crate::config::routes::pattern::Pattern;
use crate::config::routes::route::Route;
use crate::config::routes::table::{RouteMatch, Routes};

/// A name, and a function that returns the segments that the server serves for a path.
type Server = (&'static str, fn(&str) -> Vec<String>);

const SERVERS: [Server; 13] = [
    ("splits, then decodes", |path| split(path, "/").iter().map(|name| decode(name)).collect()),
    ("decodes, then splits", |path| split(&decode(path), "/")),
    ("nginx", |path| walk(split(&decode(path), "/"))),
    ("nginx with merge_slashes off", |path| walk_unmerged(&decode(path))),
    ("Tomcat", |path| walk(split(&decode(&without_parameters(path)), "/"))),
    ("Tomcat that takes backslashes for slashes", |path| walk(split(&decode(&without_parameters(path)), "/\\"))),
    ("Tomcat that passes encoded slashes", |path| {
        let path = without_parameters(path);
        walk(split(&path, "/").iter().map(|name| decode(name)).collect())
    }),
    ("Jetty", |path| walk_unmerged(&decode(&without_parameters(path)))),
    ("nginx before Tomcat", |path| {
        let path = walk(split(&decode(path), "/")).join("/");
        walk(split(&without_parameters(&path), "/"))
    }),
    ("a framework that drops parameters after decoding and trims", |path| {
        let names = split(&without_parameters(&decode(path)), "/");
        names.iter().map(|name| name.trim().to_owned()).collect()
    }),
    ("IIS", |path| {
        let path = decode(path);
        let names = walk(split(path.split('?').next().unwrap(), "/\\"));
        names.iter().map(|name| name.trim_end_matches(['.', ' ']).to_owned()).collect()
    }),
    ("a C program behind nginx", |path| {
        let names = walk(split(&decode(path), "/")).join("/");
        split(names.split('\0').next().unwrap(), "/")
    }),
    ("decodes, then parses a URL", |path| {
        let url: String = decode(path).chars().filter(|c| !['\t', '\r', '\n'].contains(c)).collect();
        walk_unmerged(&url.split(['?', '#']).next().unwrap().replace('\\', "/"))
    }),
];

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn split(path: &str, ends: &str) -> Vec<String> {
    path.split(|c| ends.contains(c)).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn without_parameters(path: &str) -> String {
    let mut inside = false;
    let kept = path.chars().filter(|c| {
        inside = *c == ';' || (inside && *c != '/');
        !inside
    });
    kept.collect()
}

fn walk(names: Vec<String>) -> Vec<String> {
    let mut place = Vec::new();
    for name in names {
        if name == ".." {
            place.pop();
        } else if name != "." {
            place.push(name);
        }
    }
    place
}

/// `..` removes an empty segment.
fn walk_unmerged(path: &str) -> Vec<String> {
    let names = path.split('/').skip(1).map(str::to_owned).collect();
    walk(names).into_iter().filter(|name| !name.is_empty()).collect()
}

fn table(patterns: &[&str]) -> Routes {
    let mut routes: Vec<Route> = Vec::new();
    for pattern in patterns {
        let mut longer = routes.clone();
        longer.push(Route::new(Pattern::new(pattern).unwrap()));
        if Routes::new(longer.clone()).is_ok() {
            routes = longer;
        }
    }
    Routes::new(routes).unwrap()
}

fn found(routes: &Routes, path: &str) -> String {
    match routes.find("GET", path) {
        RouteMatch::Route(route) => route.pattern.to_string(),
        other => format!("{other:?}"),
    }
}

fn served(routes: &Routes, names: &[String]) -> String {
    let names: Vec<String> =
        names.iter().filter(|name| !name.is_empty()).map(|name| name.to_ascii_lowercase()).collect();
    let first = routes.all().find(|route| route.pattern.matches("GET", &names));
    first.map_or("None".to_owned(), |route| route.pattern.to_string())
}

#[test]
fn no_encoding_escapes_a_route() {
    let routes = table(&["* /v1/chat"]);
    for path in [
        "/v1/chat;x%2Fy",
        "/v1/chat;x=1",
        "/v1/%3bx/chat",
        "/v1/;a/..%2fchat",
        "/v1/..;a/..%2fchat;b",
        "/v1/x/..;/chat",
        "/v1%2fchat",
        r"/v1%5cchat",
        "/public/..%2Fv1/chat",
        "/v1/chat%00",
        "/v1/chat%00.png",
        "/v1/chat.",
        "/v1/chat%20",
        "/v1./chat",
        "/v1/chat%0A",
        "/v1/ch%09at",
        "/v1/%20chat",
        "/v1/chat%C2%A0",
        "/v1/%63hat%3F",
        "/v1/chat%23x",
        "/v1/x%2f%2e%2e%2fchat",
        "/v1//..%2fchat",
        "/%01/v1/chat%00x",
        "/v1/ch%0Aat%00x",
        "/v1/ch%01at",
    ] {
        assert_eq!(found(&routes, path), "Ambiguous", "{path}");
    }
    assert_eq!(found(&table(&["* /:a/:b/:c"]), "/%C2%A0/%01/%01/x"), "Ambiguous", "one segment, or three");
}

#[test]
fn paths_with_one_route_in_all_interpretations_are_served() {
    let routes = table(&["* /projects/*", "GET /files/:name", "GET /:page"]);
    for (path, expected) in [
        ("/projects/group%2Fname", "* /projects/*"),
        ("/projects/https:%2F%2Fa.example%2Fb%3Fc=d%23e", "* /projects/*"),
        ("/projects/a.", "* /projects/*"),
        ("/projects/a;v=1/b%20/c", "* /projects/*"),
        ("/files/report.", "GET /files/:name"),
        ("/files/a;v=1", "GET /files/:name"),
        ("/files/what%3F", "GET /files/:name"),
        ("/a;v=1", "GET /:page"),
        ("/other/a%2Fb;c", "None"),
        ("/projects/..%2Fother", "Ambiguous"),
        ("/files/a%2Fb", "Ambiguous"),
        ("/files/%3Fa", "Ambiguous"),
    ] {
        assert_eq!(found(&routes, path), expected, "{path}");
    }
}

#[test]
fn long_paths_with_many_interpretations_are_refused() {
    let routes = table(&["* /v1/*"]);
    let long = |part: &str| format!("/v1{}", part.repeat(16_000 / part.len()));
    assert_eq!(found(&routes, &long("/a%2Fb")), "* /v1/*");
    assert_eq!(found(&routes, &long("/a;b")), "* /v1/*");
    assert_eq!(found(&routes, &long("/a%2Fb;c%3Bd%00e%3Ff%23g.%20/%5C..%2F")), "Ambiguous");
}

#[test]
fn paths_that_leave_the_base_are_found() {
    for rest in ["", "/", "/x", "/a%2Fb", "/a%2F..%2Fb", "/x;y", "/%2e%2E.", "//a%20b/"] {
        assert!(stays_below_base(rest), "{rest}");
    }
    for rest in
        ["/..%2Fx", "/..%2F..%2Fx", "/..;/x", "/x/..%5C..%2F", "/%00/..%2Fx", "/..%3Fx", "/..%20/x", "/..%2Fbase/x"]
    {
        assert!(!stays_below_base(rest), "{rest}");
    }
}

fn path() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "/", "/", "/", "v1", "v1", "chat", "chat", "%63HAT", "x", "..", "..", ".", "%2e", "%2F", "%2f", "%5C", ";",
        ";a", "%3b", "%00", "%3F", "%23", "%20", "%0A", "%09",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| format!("/{}", pieces.concat()))
}

fn patterns() -> impl Strategy<Value = Vec<&'static str>> {
    let pattern = prop::sample::select(vec![
        "* /v1/chat",
        "* /v1/chat/*",
        "* /v1/*",
        "* /v1",
        "GET /:a/chat",
        "GET /:a/x",
        "* /chat/*",
        "* /x/:b/*",
        "* /:a",
        "* /:a/:b",
        "* /",
        "* /*",
    ]);
    prop::collection::vec(pattern, 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_served_path_has_its_route_or_is_refused(patterns in patterns(), path in path()) {
        let routes = table(&patterns);
        // Without the bound, which could hide a missing interpretation.
        let place = agreed_among(usize::MAX, &path, routes.depth() + 1, |names| routes.first("GET", names));
        let found = match place {
            Some(Some(place)) => routes.list[place].pattern.to_string(),
            Some(None) => "None".to_owned(),
            None => "Ambiguous".to_owned(),
        };
        for (name, server) in SERVERS {
            let names = server(&path);
            let served = served(&routes, &names);
            prop_assert!(found == "Ambiguous" || found == served, "{path}: {name} serves {names:?}: {served}, not {found}");
        }
    }

    #[test]
    fn no_server_leaves_the_base_path(path in path()) {
        let url = url::Url::parse(&format!("https://h{path}")).unwrap();
        if stays_below_base(url.path()) {
            for (name, server) in SERVERS {
                let names = server(&format!("/v1/chat{}", url.path()));
                prop_assert!(names.starts_with(&["v1", "chat"].map(str::to_owned)), "{url}: {name} serves {names:?}");
            }
        }
    }

    #[test]
    fn plain_paths_are_never_refused(patterns in patterns(), names in prop::collection::vec("[a-zA-Z0-9_~!$&'()*+,=:@-]{0,4}", 0..6)) {
        let routes = table(&patterns);
        prop_assert_eq!(found(&routes, &format!("/{}", names.join("/"))), served(&routes, &names));
    }
}
