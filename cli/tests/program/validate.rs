//! `sluicegate validate`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::run::{Ended, end, program};

/// Validates a file of this name and text, in its own folder.
pub(crate) async fn validate(name: &str, text: &str, more: &[&str]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), text).unwrap();
    let mut command = program(&[&["validate", name], more].concat());
    command.current_dir(folder.path());
    end(command).await
}

/// Expects only these problems and their count.
pub(crate) async fn check(name: &str, text: &str, more: &[&str], problems: &[&str]) {
    let ended = validate(name, text, more).await;
    let count = if problems.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", problems.len()) };
    let lines = problems.iter().map(|problem| format!("{name}: {problem}\n"));
    assert_eq!(ended.stdout, lines.collect::<String>() + &count + "\n");
    assert_eq!((ended.code, ended.stderr.as_str()), (1, ""));
}

pub(crate) const VALID: &str = r#"
[vars]
ORIGIN = "https://api.example.com"
UPSTASH_REDIS_REST_URL = "https://example.upstash.io"

[vars.SLUICEGATE]
default_plan = "free"

[vars.SLUICEGATE.plans.free]
limits = [{ name = "burst", algorithm = "token_bucket", limit = 20, window = "10s" }]

[vars.SLUICEGATE.plans.pro]
limits = [{ name = "burst", algorithm = "token_bucket", limit = 200, window = "10s" }]
"#;

const NOT_CHECKED: &str = "not checked: the secrets UPSTASH_REDIS_REST_TOKEN and SLUICEGATE_ADMIN_TOKEN, which are \
    not in the file; whether the origin and Redis are reachable (after the deployment, run `sluicegate doctor`)\n";

#[tokio::test]
async fn configurations_of_this_repository_are_valid() {
    for file in ["wrangler.toml", "wrangler.production.example.toml", "npm/template/wrangler.toml"] {
        let ended = validate_in_repository(file).await;
        let beginning = format!("{file}: valid, with the plan");
        assert!(ended.stdout.starts_with(&beginning) && ended.stdout.ends_with(NOT_CHECKED), "{}", ended.stdout);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    }
}

#[tokio::test]
async fn the_examples_are_valid_and_cause_no_warning() {
    let entries = fs::read_dir(repository().join("examples")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: Vec<_> = names.filter(|name| name != "README.md").map(|name| format!("examples/{name}")).collect();
    assert!(files.len() > 10, "found too few examples: {files:?}");
    for file in files {
        let ended = validate_in_repository(&file).await;
        assert!(ended.stdout.starts_with(&format!("{file}: valid, with the plan")), "{}", ended.stdout);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    }
}

async fn validate_in_repository(file: &str) -> Ended {
    let mut command = program(&["validate", file]);
    command.current_dir(repository());
    end(command).await
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

#[tokio::test]
async fn keys_in_a_variable_are_checked() {
    let jwt = "[vars.SLUICEGATE.jwt]\njwks = \"variable:KEYS\"\nissuer = \"i\"\naudience = \"a\"\n";
    let text = VALID.replace("default_plan", "identify = [\"jwt\", \"address\"]\ndefault_plan") + jwt;
    let with_keys = |keys: &str| text.replace("[vars]", &format!("[vars]\nKEYS = '{keys}'"));
    check("wrangler.toml", &text, &[], &["vars.KEYS: is not set"]).await;
    let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"AA"}"#;
    let private = format!(r#"{{"keys":[{key}]}}"#);
    let problem = "vars.KEYS: keys[0] is a private key (publish the public part only)";
    check("wrangler.toml", &with_keys(&private), &[], &[problem]).await;
    check(
        "wrangler.toml",
        &with_keys("{}"),
        &[],
        &["vars.KEYS: is not a JSON Web Key Set (an object with a list named keys)"],
    )
    .await;
    let public = private.replace(r#","d":"AA""#, "");
    assert_eq!(validate("wrangler.toml", &with_keys(&public), &[]).await.code, 0);
}

#[tokio::test]
async fn valid_file_lists_what_was_not_checked() {
    let ended = validate("wrangler.toml", VALID, &[]).await;
    assert_eq!(ended.stdout, format!("wrangler.toml: valid, with the plans free, pro\n{NOT_CHECKED}"));
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
}

#[tokio::test]
async fn independent_problems_are_reported_together() {
    let text = VALID
        .replace("https://api.example.com", "api.example.com")
        .replace("[vars.SLUICEGATE]", "[vars.SLUICEGATE]\ntimeout = \"1h\"\n")
        .replace("limit = 20,", "limit = 0,")
        .replace("limit = 200, window = \"10s\"", "limit = 200, window = \"ten\"");
    check(
        "wrangler.toml",
        &text,
        &[],
        &[
            "vars.ORIGIN: expected \"https://host\", \"service:NAME\" or \"zone\": relative URL without a base",
            "vars.SLUICEGATE.plans.free.limits[0].limit: expected 1 to 9007199254740991, found 0",
            "vars.SLUICEGATE.plans.pro.limits[0].window: expected a duration like \"10s\" (units: ms, s, m, h, d), found \"ten\"",
            "vars.SLUICEGATE.timeout: expected 1ms to 30s, found 1h",
        ],
    )
    .await;
}

#[tokio::test]
async fn missing_variables_are_named() {
    let nothing = "[vars]\nOTHER = \"x\"\n";
    let problems = [
        "vars.ORIGIN: is not set",
        "vars.UPSTASH_REDIS_REST_URL: is not set",
        "vars.SLUICEGATE: is not set (nor is SLUICEGATE_FILE, and there is no KV binding SLUICEGATE_CONFIG)",
    ];
    check("wrangler.toml", nothing, &[], &problems).await;
    check("wrangler.toml", "name = \"w\"", &[], &["vars: is missing"]).await;
    check("wrangler.toml", "vars = 1", &[], &["vars: is not a table"]).await;
    let text = VALID.replace("default_plan = \"free\"", "");
    check("wrangler.toml", &text, &[], &["vars.SLUICEGATE: missing field `default_plan`"]).await;
}

#[tokio::test]
async fn secret_in_the_file_is_a_problem_and_not_printed() {
    let text = VALID.replace("[vars]", "[vars]\nUPSTASH_REDIS_REST_TOKEN = \"hunter2\"");
    let problem = "vars.UPSTASH_REDIS_REST_TOKEN: is a secret and must not be in a file (remove it, then run `wrangler secret put \
                   UPSTASH_REDIS_REST_TOKEN`)";
    check("wrangler.toml", &text, &[], &[problem]).await;
}

#[tokio::test]
async fn syntax_errors_have_line_and_column() {
    let ended = validate("wrangler.toml", "[vars]\nORIGIN = \n", &[]).await;
    assert_eq!(ended.code, 1);
    assert!(
        ended.stdout.starts_with("wrangler.toml: is not valid TOML: TOML parse error at line 2, column 10\n"),
        "{}",
        ended.stdout
    );
    let ended = validate("wrangler.jsonc", "{ \"vars\": }", &[]).await;
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.starts_with("wrangler.jsonc: is not valid JSON: "), "{}", ended.stdout);
    assert!(ended.stdout.contains("line 1 column 11"), "{}", ended.stdout);
    let ended = end(program(&["validate", "no/such/file.toml"])).await;
    assert_eq!(ended.code, 2);
    assert!(
        ended.stderr.starts_with("sluicegate: no/such/file.toml: cannot be read: No such file"),
        "{}",
        ended.stderr
    );
}

/// `VALID` as the section `[env.NAME]`.
fn section(name: &str) -> String {
    VALID.replace("vars", &format!("env.{name}.vars"))
}

const STAGING_PROBLEM: &str =
    "env.staging.vars.SLUICEGATE.plans.pro.limits[0].limit: expected 1 to 9007199254740991, found 0";

#[tokio::test]
async fn every_environment_is_checked() {
    let staging = section("staging").replace("limit = 200", "limit = 0");
    let text = format!("{VALID}\n{staging}\n{}", section("live"));
    let ended = validate("wrangler.toml", &text, &[]).await;
    let expected = format!(
        "\
wrangler.toml: {STAGING_PROBLEM}
wrangler.toml: top level: valid, with the plans free, pro
wrangler.toml: env.live: valid, with the plans free, pro
wrangler.toml: env.staging: invalid, 1 problem
1 problem
"
    );
    assert_eq!((ended.code, ended.stdout, ended.stderr.as_str()), (1, expected, ""));

    let ended = validate("wrangler.toml", &text, &["--json"]).await;
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    let environments = json!([
        { "name": null, "valid": true, "plans": ["free", "pro"] },
        { "name": "live", "valid": true, "plans": ["free", "pro"] },
        { "name": "staging", "valid": false, "plans": [] },
    ]);
    assert_eq!((ended.code, &json["valid"], &json["environments"]), (1, &json!(false), &environments));

    let ended = validate("wrangler.toml", &format!("{VALID}\n{}", section("live")), &[]).await;
    let expected = format!(
        "\
wrangler.toml: top level: valid, with the plans free, pro
wrangler.toml: env.live: valid, with the plans free, pro
{NOT_CHECKED}"
    );
    assert_eq!((ended.code, ended.stdout, ended.stderr.as_str()), (0, expected, ""));
}

#[tokio::test]
async fn env_selects_one_environment() {
    let staging = section("staging").replace("limit = 200", "limit = 0");
    let text = format!("{VALID}\n{staging}\n{}", section("live"));
    check("wrangler.toml", &text, &["--env", "staging"], &[STAGING_PROBLEM]).await;
    let ended = validate("wrangler.toml", &text, &["--env", "live"]).await;
    let expected = format!("wrangler.toml: env.live: valid, with the plans free, pro\n{NOT_CHECKED}");
    assert_eq!((ended.code, ended.stdout), (0, expected));
    let ended = validate("wrangler.toml", &text, &["--env", ""]).await;
    let expected = format!("wrangler.toml: valid, with the plans free, pro\n{NOT_CHECKED}");
    assert_eq!((ended.code, ended.stdout), (0, expected));

    let problem = "env.prod: is missing (environments: live, staging)";
    check("wrangler.toml", &text, &["--env", "prod"], &[problem]).await;
    let problem = "env.prod: is missing (the file has no environments)";
    check("wrangler.toml", VALID, &["--env", "prod"], &[problem]).await;
}

#[tokio::test]
async fn environments_do_not_inherit_variables() {
    let text = format!("{VALID}\n[env.empty]\n");
    let problem = "env.empty.vars: is missing (environments do not inherit vars: wrangler would deploy a Worker without \
                   configuration; add [env.empty.vars])";
    check("wrangler.toml", &text, &["--env", "empty"], &[problem]).await;
    let ended = validate("wrangler.toml", &text, &[]).await;
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.starts_with(&format!("wrangler.toml: {problem}\n")), "{}", ended.stdout);

    let partial = format!("{VALID}\n{}", section("staging").replace("ORIGIN", "OTHER"));
    check("wrangler.toml", &partial, &["--env", "staging"], &["env.staging.vars.ORIGIN: is not set"]).await;
    check("wrangler.toml", &format!("env = 1\n{VALID}"), &[], &["env: is not a table"]).await;
    let text = format!("env.staging = 1\n{VALID}");
    check("wrangler.toml", &text, &["--env", "staging"], &["env.staging: is not a table"]).await;

    let ended = validate("wrangler.toml", &section("staging"), &[]).await;
    let expected = "\
wrangler.toml: vars: is missing (environments: staging; choose one with --env)
wrangler.toml: top level: invalid, 1 problem
wrangler.toml: env.staging: valid, with the plans free, pro
1 problem
";
    assert_eq!((ended.code, ended.stdout.as_str()), (1, expected));
}

#[tokio::test]
async fn json_environments_are_checked() {
    let mut config: Value = toml::from_str(VALID).unwrap();
    let mut staging = config["vars"].clone();
    staging["SLUICEGATE"]["plans"]["pro"]["limits"][0]["limit"] = json!(0);
    config["env"] = json!({ "staging": { "vars": staging } });
    for name in ["wrangler.json", "wrangler.jsonc"] {
        let ended = validate(name, &config.to_string(), &[]).await;
        assert_eq!(ended.code, 1);
        assert!(ended.stdout.starts_with(&format!("{name}: {STAGING_PROBLEM}\n")), "{}", ended.stdout);
    }
}

#[tokio::test]
async fn environments_inherit_assets_and_triggers() {
    let tenants = |text: &str| text.replace("default_plan", "identify = [\"api_key\", \"address\"]\ndefault_plan");
    let text = tenants(&format!("{VALID}\n{}", section("staging")));
    let shared = format!("{text}\n[triggers]\ncrons = [\"5 * * * *\"]\n[assets]\nrun_worker_first = true\n");
    let warnings = async |text: String| {
        let ended = validate("wrangler.toml", &text, &["--json"]).await;
        let json: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(ended.code, 0, "{json:#}");
        let warnings = json["warnings"].as_array().unwrap();
        warnings.iter().map(|warning| warning["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(warnings(text).await, ["triggers.crons"], "one warning for what both share");
    assert!(warnings(shared.clone()).await.is_empty());
    let own = format!("{shared}\n[env.staging.triggers]\n[env.staging.assets]\ndirectory = \"x\"\n");
    assert_eq!(warnings(own).await, ["env.staging.assets.run_worker_first", "env.staging.triggers.crons"]);
}

#[tokio::test]
async fn json_may_have_comments_and_trailing_commas() {
    let config = r#"{
        // the development configuration
        "vars": {
            "ORIGIN": "https://api.example.com",
            "UPSTASH_REDIS_REST_URL": "https://example.upstash.io",
            /* a string is accepted as well */
            "SLUICEGATE": "{\"default_plan\":\"p\",\"plans\":{\"p\":{\"limits\":[{\"name\":\"b\",\"algorithm\":\"sliding_log\",\"limit\":1,\"window\":\"1s\"}]}}}",
        },
    }"#;
    let ended = validate("wrangler.jsonc", config, &[]).await;
    assert_eq!(ended.stdout, format!("wrangler.jsonc: valid, with the plan p\n{NOT_CHECKED}"));
    assert_eq!(ended.code, 0);
    assert_eq!(validate("wrangler.json", &config.replace("\"vars\"", "'vars'"), &[]).await.code, 1);
}

#[tokio::test]
async fn suspicious_settings_are_warnings() {
    let text = format!("{VALID}\n[assets]\ndirectory = \"x\"\n");
    let ended = validate("wrangler.toml", &text, &[]).await;
    let warning = "wrangler.toml: warning: assets.run_worker_first: is not true (an asset would hide a path of the \
                   origin and bypass the limits)\n";
    assert_eq!(ended.stdout, format!("{warning}wrangler.toml: valid, with the plans free, pro\n{NOT_CHECKED}"));
    assert_eq!(ended.code, 0);

    let tenants = VALID.replace("[vars.SLUICEGATE]", "[vars.SLUICEGATE]\nidentify = [\"api_key\", \"address\"]\n");
    let ended = validate("wrangler.toml", &tenants, &[]).await;
    assert!(ended.stdout.starts_with("wrangler.toml: warning: triggers.crons: is empty ("), "{}", ended.stdout);
    let scheduled = format!("{tenants}\n[triggers]\ncrons = [\"5 * * * *\"]\n");
    let ended = validate("wrangler.toml", &scheduled, &[]).await;
    assert!(ended.stdout.starts_with("wrangler.toml: valid"), "{}", ended.stdout);
}

#[tokio::test]
async fn json_output_lists_problems() {
    let text = VALID.replace("limit = 20,", "limit = 0,");
    let ended = validate("wrangler.toml", &text, &["--json"]).await;
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    let problem = json!({
        "path": "vars.SLUICEGATE.plans.free.limits[0].limit",
        "problem": "expected 1 to 9007199254740991, found 0",
    });
    assert_eq!(json["problems"], json!([problem]));
    assert_eq!(
        (&json["valid"], &json["warnings"], &json["file"]),
        (&json!(false), &json!([]), &json!("wrangler.toml"))
    );
    assert_eq!((ended.code, json["not_checked"].as_array().unwrap().len()), (1, 2));
}

/// The configuration of [`VALID`] as a file of its own.
const ALONE: &str = r#"
default_plan = "free"

[plans.free]
limits = [{ name = "burst", algorithm = "token_bucket", limit = 20, window = "10s" }]
"#;

/// A wrangler configuration whose configuration is elsewhere.
const ELSEWHERE: &str = r#"
[vars]
ORIGIN = "https://api.example.com"
UPSTASH_REDIS_REST_URL = "https://example.upstash.io"
"#;

const FILE: &str = "SLUICEGATE_FILE = \"sluicegate.toml\"\n";

const KV: &str = "[[kv_namespaces]]\nbinding = \"SLUICEGATE_CONFIG\"\nid = \"x\"\n";

/// Validates a wrangler.toml next to a sluicegate.toml. Returns the bundle, too.
async fn validate_both(wrangler: &str, alone: &str) -> (Ended, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("wrangler.toml"), wrangler).unwrap();
    fs::write(folder.path().join("sluicegate.toml"), alone).unwrap();
    let mut command = program(&["validate", "--env", "", "--bundle", "configuration.js"]);
    command.current_dir(folder.path());
    let ended = end(command).await;
    (ended, fs::read_to_string(folder.path().join("configuration.js")).ok())
}

#[tokio::test]
async fn a_file_of_its_own_is_read_and_bundled() {
    let (ended, bundle) = validate_both(&format!("{ELSEWHERE}{FILE}"), ALONE).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    assert!(ended.stdout.starts_with("wrangler.toml: valid, with the plan free\n"), "{ended:?}");
    let bundle = bundle.unwrap();
    let json = bundle.strip_prefix("export default ").and_then(|rest| rest.strip_suffix(";\n")).unwrap();
    let value: Value = serde_json::from_str(json).unwrap();
    assert_eq!(value["name"], "sluicegate.toml");
    let text: Value = serde_json::from_str(value["text"].as_str().unwrap()).unwrap();
    assert_eq!(text["plans"]["free"]["limits"][0]["limit"], 20);

    let (broken, bundle) = validate_both(&format!("{ELSEWHERE}{FILE}"), &ALONE.replace("20", "0")).await;
    let problem =
        "wrangler.toml: sluicegate.toml: plans.free.limits[0].limit: expected 1 to 9007199254740991, found 0\n";
    assert_eq!((broken.code, broken.stdout), (1, format!("{problem}1 problem\n")));
    assert_eq!(bundle, None);
    let (unreadable, _) = validate_both(&format!("{ELSEWHERE}{FILE}"), "x = ").await;
    assert!(unreadable.stdout.starts_with("wrangler.toml: sluicegate.toml: is not valid TOML: "), "{unreadable:?}");
    let missing = validate("wrangler.toml", &format!("{ELSEWHERE}{FILE}"), &[]).await;
    assert!(missing.stdout.contains("vars.SLUICEGATE_FILE: sluicegate.toml: cannot be read: "), "{missing:?}");

    let (variable, bundle) = validate_both(VALID, ALONE).await;
    assert_eq!((variable.code, bundle.as_deref()), (0, Some("export default null;\n")));
}

#[tokio::test]
async fn a_configuration_in_kv_is_not_checked() {
    let ended = validate("wrangler.toml", &format!("{ELSEWHERE}{KV}"), &[]).await;
    assert!(
        ended
            .stdout
            .starts_with("wrangler.toml: valid, with the configuration in KV\nnot checked: the configuration in KV,")
    );
    assert_eq!(ended.code, 0);
    let text = format!("{ELSEWHERE}ORIGIN_TOO = 1\n{KV}").replace("https://api", "api");
    check(
        "wrangler.toml",
        &text,
        &[],
        &["vars.ORIGIN: expected \"https://host\", \"service:NAME\" or \"zone\": relative URL without a base"],
    )
    .await;
}

#[tokio::test]
async fn two_sources_are_a_problem() {
    let rest = "(the configuration has one source: remove one of them)";
    for (text, names) in [
        (
            VALID.replace("[vars]\n", &format!("[vars]\n{FILE}")),
            "vars.SLUICEGATE_FILE: is set together with SLUICEGATE",
        ),
        (format!("{VALID}{KV}"), "vars.SLUICEGATE_CONFIG: is set together with SLUICEGATE"),
        (format!("{ELSEWHERE}{FILE}{KV}"), "vars.SLUICEGATE_CONFIG: is set together with SLUICEGATE_FILE"),
    ] {
        check("wrangler.toml", &text, &[], &[&format!("{names} {rest}")]).await;
    }
}

#[tokio::test]
async fn a_configuration_alone_is_checked() {
    let ended = validate("sluicegate.toml", ALONE, &[]).await;
    assert!(
        ended.stdout.starts_with("sluicegate.toml: valid, with the plan free\nnot checked: everything else"),
        "{ended:?}"
    );
    assert_eq!(ended.code, 0);
    let problem =
        "plans.free.limits[0].window: expected a duration like \"10s\" (units: ms, s, m, h, d), found \"ten\"";
    check("sluicegate.toml", &ALONE.replace("10s", "ten"), &[], &[problem]).await;
}
