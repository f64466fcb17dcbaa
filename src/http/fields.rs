//! The header fields of a message, as they cross from JavaScript.

/// The header fields of a message: a line with each name, in lower case, then a line with its value. Neither contains a
/// line break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields<'a>(&'a str);

impl<'a> Fields<'a> {
    /// Wraps the lines.
    #[must_use]
    pub const fn new(lines: &'a str) -> Self {
        Fields(lines)
    }

    /// Returns the value of the first field with this name, which is in lower case.
    #[must_use]
    pub fn get(self, name: &str) -> Option<&'a str> {
        self.iter().find_map(|(found, value)| (found == name).then_some(value))
    }

    /// Returns each name with its value.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut lines = self.0.split_terminator('\n');
        std::iter::from_fn(move || Some((lines.next()?, lines.next()?)))
    }
}

/// Appends a field as two lines.
pub fn push_field(lines: &mut String, name: &str, value: &str) {
    for line in [name, value] {
        lines.push_str(line);
        lines.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_they_are_written() {
        let mut lines = String::new();
        let written = [("host", "a.example"), ("x-empty", ""), ("set-cookie", "a=1"), ("set-cookie", "b=é")];
        for (name, value) in written {
            push_field(&mut lines, name, value);
        }
        let fields = Fields::new(&lines);
        assert_eq!(fields.iter().collect::<Vec<_>>(), written);
        assert_eq!(fields.get("x-empty"), Some(""));
        assert_eq!(fields.get("set-cookie"), Some("a=1"));
        assert_eq!((fields.get("x-none"), fields.get("a.example")), (None, None));
        assert_eq!(Fields::new("").iter().count(), 0);
    }
}
