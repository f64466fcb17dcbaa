//! `--by`: the values by which limits count.

use clap::Args;
use serde_json::{Map, Value};

#[derive(Debug, Args)]
pub(crate) struct Subjects {
    /// The value by which a limit counts, for example header:x-user=ada; repeat it for each
    #[arg(long = "by", value_name = "WHAT=VALUE", value_parser = pair)]
    by: Vec<(String, String)>,
}

impl Subjects {
    /// Returns the field `subjects` of the API, if there are values.
    pub(crate) fn field(&self) -> Option<(String, Value)> {
        let values: Map<String, Value> =
            self.by.iter().map(|(what, value)| (what.clone(), Value::from(value.as_str()))).collect();
        (!values.is_empty()).then(|| ("subjects".to_owned(), Value::Object(values)))
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (what, value) = text.split_once('=').ok_or("expected WHAT=VALUE, for example header:x-user=ada")?;
    Ok((what.to_owned(), value.to_owned()))
}
