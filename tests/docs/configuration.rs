//! `docs/configuration.md` lists exactly the fields of the parser, with their defaults, values and bounds.

use serde_json::{Value, json};
use sluicegate::config::Config;

use crate::{document, quoted};

/// A row of a table of fields.
struct Field {
    name: String,
    values: String,
    default: String,
}

/// The headings of the tables, each with a pointer to its object in a configuration.
const SECTIONS: [(&str, &str); 7] = [
    ("SLUICEGATE", ""),
    ("Tokens", "/jwt"),
    ("A plan", "/plans/p"),
    ("Prefetch", "/plans/p/prefetch"),
    ("A limit", "/plans/p/limits/0"),
    ("A route", "/routes/0"),
    ("Browsers", "/cors"),
];

/// Returns the rows of the first table below a heading.
fn table(heading: &str) -> Vec<Field> {
    let text = document("docs/configuration.md");
    let below = text.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no {heading}")).1;
    let rows = below.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.skip(2)
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [name, values, default, _] = cells[..] else { panic!("{row}") };
            Field { name: quoted(name)[0].clone(), values: values.to_owned(), default: default.to_owned() }
        })
        .collect()
}

/// Returns a configuration in which `field` of `section` can be set.
fn base(section: &str, field: &str) -> Value {
    let mut limit = json!({ "name": "l", "algorithm": "token_bucket", "limit": 5, "window": "1s" });
    if (section, field) == ("A limit", "lease") {
        limit = json!({ "name": "l", "algorithm": "concurrency", "limit": 5, "lease": "1s" });
    }
    let mut config = json!({ "default_plan": "p", "plans": { "p": { "limits": [limit] } } });
    if section == "Prefetch" {
        config["plans"]["p"]["prefetch"] = json!({ "units": 1, "hold": "1ms" });
    }
    if section == "Tokens" {
        config["identify"] = json!(["jwt", "address"]);
        config["jwt"] = json!({ "jwks": "https://id.example/jwks", "issuer": "i", "audience": "a" });
    }
    if section == "Browsers" {
        config["cors"] = json!({ "origins": ["https://app.example.com"] });
    }
    if section == "A route" {
        config["routes"] = json!([{ "match": "GET /x" }]);
        if field == "read_body" {
            config["routes"][0]["cost"] = json!("json:/x | 1");
        }
    }
    config
}

/// Parses the base configuration with the field set, or without the field. Returns it in its `Debug` form.
fn parse_with(section: &str, field: &str, value: Option<Value>) -> Result<String, String> {
    let mut config = base(section, field);
    let pointer = SECTIONS.iter().find(|(heading, _)| *heading == section).unwrap().1;
    let object = config.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => object.insert(field.to_owned(), value),
        None => object.remove(field),
    };
    let parsed = Config::from_json(&config.to_string());
    parsed.map(|config| format!("{config:?}")).map_err(|error| error.to_string())
}

/// The names that the message lists as known.
fn known(error: &str) -> Vec<&str> {
    error.split_once("known: ").unwrap().1.trim_end_matches(')').split(", ").collect()
}

#[test]
fn exactly_the_parsed_fields_are_documented() {
    for (section, _) in SECTIONS {
        let error = parse_with(section, "no such field", Some(json!(1))).unwrap_err();
        let mut names = known(&error);
        let mut documented: Vec<_> = table(section).into_iter().map(|field| field.name).collect();
        names.sort_unstable();
        documented.sort();
        assert_eq!(documented, names, "{section}");
    }
}

#[test]
fn documented_defaults_match_the_parser() {
    for (section, _) in SECTIONS {
        for Field { name, default, .. } in table(section) {
            let without = parse_with(section, &name, None);
            let literal = match default.as_str() {
                "none" | "that of the whole" => None,
                "the limit" => Some(json!(5)),
                required if required.starts_with("required") => {
                    let error = without.unwrap_err();
                    assert!(error.contains("missing"), "{section}, {name}: {error}");
                    continue;
                }
                literal => {
                    let literal = &quoted(literal)[0];
                    Some(serde_json::from_str(literal).unwrap_or_else(|error| panic!("{name}: {literal}: {error}")))
                }
            };
            assert!(without.is_ok(), "{section}, {name}: {without:?}");
            if let Some(literal) = literal {
                assert_eq!(without, parse_with(section, &name, Some(literal)), "{section}, {name}");
            }
        }
    }
}

#[test]
fn documented_choices_match_the_parser() {
    let mut checked = 0;
    for (section, _) in SECTIONS {
        for Field { name, values, default } in table(section) {
            let choices: Vec<_> =
                values.split(", ").map(|value| value.strip_prefix("`\"")?.strip_suffix("\"`")).collect();
            let Some(mut choices) = choices.into_iter().collect::<Option<Vec<_>>>() else { continue };
            if choices[0].contains(' ') {
                continue;
            }
            let unknown = if default.starts_with("`[") { json!(["no such choice"]) } else { json!("no such choice") };
            let error = parse_with(section, &name, Some(unknown)).unwrap_err();
            let mut names = known(&error);
            names.sort_unstable();
            choices.sort_unstable();
            assert_eq!(choices, names, "{section}, {name}");
            checked += 1;
        }
    }
    assert!(checked >= 6, "found too few fields with choices: {checked}");
}

#[test]
fn documented_bounds_match_the_parser() {
    let mut checked = 0;
    for (section, _) in SECTIONS {
        for Field { name, values, .. } in table(section) {
            let Some((min, max)) = values.split(';').next().unwrap().split_once("` to `") else { continue };
            let (min, max) = (min.trim_start_matches('`'), max.trim_end_matches('`'));
            let outside = match min {
                "0ms" => json!("9999d"),
                min if min.ends_with("ms") => json!("0ms"),
                _ => json!(0),
            };
            let error = parse_with(section, &name, Some(outside)).unwrap_err();
            assert!(error.contains(&format!("expected {min} to {max}")), "{section}, {name}: {error}");
            checked += 1;
        }
    }
    assert!(checked >= 9, "found too few fields with bounds: {checked}");
}
