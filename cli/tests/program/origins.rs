//! `sluicegate validate`, about origins and their credentials.

use serde_json::Value;

use crate::validate::{VALID, check, validate};

const SERVICE: &str = "[[services]]\nbinding = \"API\"\nservice = \"shop\"\n";

/// Returns a valid file with this origin and more lines at the top.
fn file(origin: &str, top: &str) -> String {
    format!("{top}\n{}", VALID.replace("https://api.example.com", origin))
}

/// Returns the warnings about a valid file.
async fn warnings(text: &str) -> Vec<String> {
    let ended = validate("wrangler.toml", text, &["--json"]).await;
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.code, &json["valid"]), (0, &Value::Bool(true)), "{json:#}");
    let warnings = json["warnings"].as_array().unwrap().iter();
    warnings.map(|one| format!("{}: {}", one["path"].as_str().unwrap(), one["problem"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_service_needs_a_binding() {
    let remedy = "(add [[services]] with binding = \"API\" and the name of the other Worker as service)";
    let missing = |path: &str| format!("{path}: the Worker has no service binding \"API\" {remedy}");
    check("wrangler.toml", &file("service:API", ""), &[], &[&missing("vars.ORIGIN")]).await;
    let route = "\n[[vars.SLUICEGATE.routes]]\nmatch = \"GET /x\"\norigin = \"service:API\"\n";
    let of_route = VALID.to_owned() + route;
    check("wrangler.toml", &of_route, &[], &[&missing("vars.SLUICEGATE.routes[0].origin")]).await;
    let other = SERVICE.replace("API", "OTHER");
    check("wrangler.toml", &(of_route.clone() + &other), &[], &[&missing("vars.SLUICEGATE.routes[0].origin")]).await;
    for bound in [SERVICE, "[[vpc_services]]\nbinding = \"API\"\nservice_id = \"x\"\n"] {
        assert!(warnings(&(file("service:API", "") + bound)).await.is_empty());
    }
}

#[tokio::test]
async fn environments_do_not_inherit_services() {
    let own = file("service:API", "").replace("[vars", "[env.staging.vars");
    let text = file("service:API", "") + &own + SERVICE;
    let remedy = "(add [[env.staging.services]] with binding = \"API\" and the name of the other Worker as service)";
    let ended = validate("wrangler.toml", &text, &[]).await;
    let problem = format!("env.staging.vars.ORIGIN: the Worker has no service binding \"API\" {remedy}");
    assert!(ended.stdout.contains(&problem) && ended.code == 1, "{}", ended.stdout);
    let bound = text + &SERVICE.replace("[[services", "[[env.staging.services");
    assert_eq!(validate("wrangler.toml", &bound, &[]).await.code, 0);
}

#[tokio::test]
async fn a_service_is_another_worker() {
    let itself = |section: &str, service: &str| {
        format!("is this Worker: {section} binds \"API\" to \"{service}\" (name the other Worker)")
    };
    let text = file("service:API", "name = \"shop\"") + SERVICE;
    check("wrangler.toml", &text, &[], &[&format!("vars.ORIGIN: {}", itself("services", "shop"))]).await;
    // An environment is a Worker with another name.
    let own = file("service:API", "").replace("[vars", "[env.staging.vars");
    let bound = |service: &str| SERVICE.replace("[[services", "[[env.staging.services").replace("shop", service);
    let top = file("service:API", "name = \"gate\"") + &own + SERVICE;
    assert_eq!(validate("wrangler.toml", &(top.clone() + &bound("gate")), &[]).await.code, 0);
    let ended = validate("wrangler.toml", &(top + &bound("gate-staging")), &[]).await;
    let problem = format!("env.staging.vars.ORIGIN: {}", itself("env.staging.services", "gate-staging"));
    assert!(ended.stdout.contains(&problem) && ended.code == 1, "{}", ended.stdout);
}

#[tokio::test]
async fn a_zone_needs_routes() {
    let zone = |top: &str| file("zone", top);
    let remedy = "(use routes = [{ pattern = \"api.example.com/*\", zone_name = \"example.com\" }])";
    let good = "routes = [{ pattern = \"api.example.com/*\", zone_name = \"example.com\" }]";
    assert!(warnings(&zone(good)).await.is_empty());
    assert!(warnings(&zone("route = \"api.example.com/*\"")).await.is_empty());
    for (top, problem) in [
        ("", "the Worker has no routes, so it runs on no zone"),
        (
            "routes = [{ pattern = \"a.example.com\", custom_domain = true }]",
            "\"a.example.com\" is a custom domain: there this Worker is the zone's origin",
        ),
        (&format!("{good}\nworkers_dev = true"), "workers_dev is true: workers.dev has no other origin"),
    ] {
        assert_eq!(warnings(&zone(top)).await, [format!("vars.ORIGIN: is \"zone\", but {problem} {remedy}")]);
    }
    let public = format!("{good}\ncompatibility_flags = [\"global_fetch_strictly_public\"]");
    let problem = "vars.ORIGIN: is \"zone\", but with the compatibility flag \"global_fetch_strictly_public\" a fetch of the \
        client's URL comes back to this Worker (remove the flag)";
    check("wrangler.toml", &zone(&public), &[], &[problem]).await;
}

#[tokio::test]
async fn an_origin_that_is_the_worker_itself_is_a_warning() {
    let custom = "routes = [{ pattern = \"api.example.com\", custom_domain = true }]";
    let routed = "routes = [\"https://*.example.com/*\"]";
    let flag = "compatibility_flags = [\"global_fetch_strictly_public\"]";
    let itself = |pattern: &str| {
        format!("vars.ORIGIN: is this Worker: \"{pattern}\" is in its routes (name the address of the origin itself)")
    };
    let at = |top: &str| file("https://api.example.com/v1", top);
    assert_eq!(warnings(&at(custom)).await, [itself("api.example.com")]);
    assert_eq!(warnings(&at(&format!("{routed}\n{flag}"))).await, [itself("*.example.com")]);
    // On a route, a fetch of this host reaches the zone's own origin.
    assert!(warnings(&at(routed)).await.is_empty());
    assert!(warnings(&file("https://other.example.org", custom)).await.is_empty());
    let dev = warnings(&file("https://shop.me.workers.dev", "")).await;
    assert!(dev.len() == 1 && dev[0].contains("error 1042 (bind it in [[services]]"), "{dev:?}");
}

#[tokio::test]
async fn secrets_for_an_origin_are_listed_and_not_in_the_file() {
    let route =
        "\n[[vars.SLUICEGATE.routes]]\nmatch = \"GET /x\"\nset = { authorization = \"Bearer {secret:ORIGIN_LLM}\" }\n";
    let text = VALID.to_owned() + route;
    let ended = validate("wrangler.toml", &text, &[]).await;
    let line = "not checked: the secrets UPSTASH_REDIS_REST_TOKEN, ORIGIN_LLM and SLUICEGATE_ADMIN_TOKEN, which";
    assert!(ended.stdout.contains(line) && ended.code == 0, "{}", ended.stdout);
    let text = text.replacen("[vars]\n", "[vars]\nORIGIN_LLM = \"hunter2hunter2\"\n", 1);
    let problem =
        "vars.ORIGIN_LLM: is a secret and must not be in a file (remove it, then run `wrangler secret put ORIGIN_LLM`)";
    check("wrangler.toml", &text, &[], &[problem]).await;
}
