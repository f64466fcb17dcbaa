//! The queries for Workers Logs, on lines that the Worker has logged.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::markdown::blocks;

/// The parameters of a query (Cloudflare API, "Run a query" of Workers Observability).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    filters: Vec<Filter>,
    calculations: Vec<Calculation>,
    #[serde(default, rename = "groupBys")]
    groups: Vec<Group>,
    #[serde(rename = "orderBy")]
    order: Option<Order>,
    #[serde(rename = "limit")]
    _limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    key: String,
    operation: Operation,
    #[serde(rename = "type")]
    kind: Kind,
    value: Option<Value>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Operation {
    Eq,
    Neq,
    Exists,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    String,
    Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Calculation {
    operator: Operator,
    key: String,
    #[serde(rename = "keyType")]
    kind: Kind,
    alias: String,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Operator {
    Sum,
    Median,
    P99,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    #[serde(rename = "type")]
    kind: Kind,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    value: String,
    #[serde(rename = "order")]
    _order: Direction,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    Desc,
}

/// Fails unless the queries of the document give the numbers of the traffic.
pub(super) fn expect_numbers(text: &str, lines: &[Value]) {
    let blocks = blocks(text, "json");
    for (heading, query) in &blocks {
        let query: Parameters = serde_json::from_str(query).unwrap_or_else(|error| panic!("{heading}: {error}"));
        let found = run(&query, lines);
        let counts = |pairs: &[(&str, u64)]| -> BTreeMap<String, Vec<Value>> {
            pairs.iter().map(|(group, count)| ((*group).to_owned(), vec![json!(count)])).collect()
        };
        let expected = match *heading {
            "Refusals by caller and limit, in the log" => {
                counts(&[("acme hour", 2), ("ip:203.0.113.1 hour", 1), ("ip:203.0.113.2 units", 1)])
            }
            "Refusals before any limit, in the log" => {
                counts(&[("key-required", 1), ("temporary-reduced-capacity", 1)])
            }
            "Decisions without Redis" => {
                let cause = "redis is unreachable";
                let groups = ["closed", "local", "open"].map(|policy| format!("{cause} {policy}"));
                groups.into_iter().map(|group| (group, vec![json!(1)])).collect()
            }
            "Failures by part" => counts(&[("origin", 1)]),
            "Latency of the limiter, in the log" => {
                let [p50, p99] = &found[""][..] else { panic!("{heading}: {found:?}") };
                assert!(p50.as_u64().unwrap() <= p99.as_u64().unwrap(), "{found:?}");
                continue;
            }
            other => panic!("no numbers for the query {other}"),
        };
        assert_eq!(found, expected, "{heading}");
    }
    assert_eq!(blocks.len(), 5);
}

/// Returns the results of the calculations for each group.
fn run(query: &Parameters, lines: &[Value]) -> BTreeMap<String, Vec<Value>> {
    if let Some(order) = &query.order {
        assert!(query.calculations.iter().any(|calculation| calculation.alias == order.value), "{}", order.value);
    }
    let mut groups: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for line in lines.iter().filter(|line| query.filters.iter().all(|filter| applies(filter, line))) {
        assert!(query.groups.iter().all(|group| group.kind == Kind::String));
        let names = query.groups.iter().map(|group| line[&group.value].as_str().unwrap_or_default());
        groups.entry(names.collect::<Vec<_>>().join(" ")).or_default().push(line);
    }
    let results = |lines: &Vec<&Value>| query.calculations.iter().map(|one| calculate(one, lines)).collect();
    groups.iter().map(|(name, lines)| (name.clone(), results(lines))).collect()
}

fn applies(filter: &Filter, line: &Value) -> bool {
    assert!(filter.kind == Kind::String && filter.value.as_ref().is_none_or(Value::is_string), "{}", filter.key);
    let (found, value) = (line.get(&filter.key), filter.value.as_ref());
    match filter.operation {
        Operation::Eq => found.is_some() && found == value,
        Operation::Neq => found != value,
        Operation::Exists => found.is_some(),
    }
}

/// Calculates over whole numbers.
fn calculate(calculation: &Calculation, lines: &[&Value]) -> Value {
    assert!(calculation.kind == Kind::Number);
    let mut values: Vec<u64> = lines.iter().filter_map(|line| line[&calculation.key].as_u64()).collect();
    assert_eq!(values.len(), lines.len(), "each line has {}", calculation.key);
    values.sort_unstable();
    let quantile = |percent: usize| values[(values.len() * percent).div_ceil(100) - 1];
    match calculation.operator {
        Operator::Sum => values.iter().sum::<u64>().into(),
        Operator::Median => quantile(50).into(),
        Operator::P99 => quantile(99).into(),
    }
}
