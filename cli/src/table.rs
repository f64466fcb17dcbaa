//! Plain tables, which `grep` and `awk` can read as well.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use sluicegate_validate::printable;

/// A cell.
pub(crate) enum Field {
    /// Aligned left.
    Text(String),
    /// Aligned right.
    Number(String),
}

/// The text of an empty cell.
pub(crate) const NONE: &str = "-";

impl Field {
    pub(crate) fn text(text: &str) -> Self {
        Field::Text(printable(text))
    }

    pub(crate) fn number(number: u64) -> Self {
        Field::Number(number.to_string())
    }

    /// Returns a text, or [`NONE`].
    pub(crate) fn optional(text: Option<&str>) -> Self {
        Field::text(text.unwrap_or(NONE))
    }
}

/// Formats rows below a header. The header of a column of numbers is aligned right.
pub(crate) fn table<const N: usize>(names: [&str; N], rows: Vec<[Field; N]>) -> String {
    let mut table = plain();
    let numeric = |i: usize| rows.first().and_then(|row| row.get(i)).is_some_and(|f| matches!(f, Field::Number(_)));
    let header = names.iter().enumerate().map(|(i, name)| {
        let side = if numeric(i) { CellAlignment::Right } else { CellAlignment::Left };
        Cell::new(name.to_uppercase()).set_alignment(side)
    });
    table.set_header(header.collect::<Vec<_>>());
    for row in rows {
        table.add_row(row.map(cell));
    }
    finish(&table)
}

/// Formats a line for each name and its value.
pub(crate) fn record(fields: &[(&str, String)]) -> String {
    let mut table = plain();
    for (name, value) in fields {
        table.add_row([Cell::new(name), Cell::new(printable(value))]);
    }
    finish(&table)
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

fn cell(field: Field) -> Cell {
    match field {
        Field::Text(text) => Cell::new(text),
        Field::Number(number) => Cell::new(number).set_alignment(CellAlignment::Right),
    }
}

fn finish(table: &Table) -> String {
    let lines = table.lines().map(|line| line.trim_end().strip_prefix(' ').unwrap_or(&line).trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = vec![
            [Field::text("burst"), Field::number(20), Field::optional(None)],
            [Field::text("d"), Field::number(5), Field::optional(Some("x"))],
        ];
        assert_eq!(table(["name", "limit", "until"], rows), "NAME   LIMIT  UNTIL\nburst     20  -\nd          5  x");
    }

    #[test]
    fn record_has_two_columns() {
        assert_eq!(record(&[("id", "acme".into()), ("plan", "pro".into())]), "id    acme\nplan  pro");
    }
}
