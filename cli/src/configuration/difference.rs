//! The differences between two configurations, field by field.

use serde_json::Value;

/// Returns a line for each field that differs: its path, the value in `old` and the value in `new`.
pub(super) fn between(old: &Value, new: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare("", Some(old), Some(new), &mut lines);
    lines
}

fn compare(path: &str, old: Option<&Value>, new: Option<&Value>, lines: &mut Vec<String>) {
    match (old, new) {
        (Some(old), Some(new)) if old == new => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let added = new.keys().filter(|name| !old.contains_key(*name));
            for name in old.keys().chain(added) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(&path, old.get(name), new.get(name), lines);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for index in 0..old.len().max(new.len()) {
                compare(&format!("{path}[{index}]"), old.get(index), new.get(index), lines);
            }
        }
        (old, new) => {
            let shown = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
            lines.push(format!("{path}: {} in KV, {} in the file", shown(old), shown(new)));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_field_that_differs_has_a_line() {
        let limit = |limit: u64| json!({ "name": "l", "limit": limit });
        let old = json!({ "timeout": "1s", "plans": { "p": { "limits": [limit(1), limit(2)] } }, "usage": true });
        let new = json!({ "timeout": "1s", "plans": { "p": { "limits": [limit(3)] } }, "clock": "edge" });
        let expected = [
            "plans.p.limits[0].limit: 1 in KV, 3 in the file",
            r#"plans.p.limits[1]: {"limit":2,"name":"l"} in KV, nothing in the file"#,
            "usage: true in KV, nothing in the file",
            r#"clock: nothing in KV, "edge" in the file"#,
        ];
        assert_eq!(between(&old, &new), expected);
        assert!(between(&old, &old).is_empty());
        assert_eq!(between(&json!([]), &json!({})), [": [] in KV, {} in the file"]);
    }
}
