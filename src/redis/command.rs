//! A Redis command as the JSON body of a REST request.

use serde_json::Value;

/// A Redis command under construction: its name and arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command(String);

impl Command {
    /// Creates a command without arguments.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Command(format!("[{}", Value::from(name)))
    }

    /// Adds a text argument.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0.push(',');
        self.0.push_str(&Value::from(text).to_string());
        self
    }

    /// Adds an integer argument.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.0.push(',');
        self.0.push_str(&number.to_string());
        self
    }

    /// Returns the command as a JSON array.
    #[must_use]
    pub fn into_body(mut self) -> String {
        self.0.push(']');
        self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn body_is_a_json_array_of_name_and_arguments(name in "[A-Z]+", text in "\\PC*|[\\x00-\\x1f\"\\\\]*", number in any::<u64>()) {
            let body = Command::new(&name).text(&text).number(number).into_body();
            prop_assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), json!([name, text, number]));
        }
    }
}
