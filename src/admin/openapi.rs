//! The description of the API, without the whitespace of its file, made at compile time.

/// The description of this API in `OpenAPI` 3.1: `openapi.json` on one line.
pub const OPENAPI: &str = match str::from_utf8(&MINIFIED) {
    Ok(text) => text,
    Err(_) => panic!("openapi.json is not UTF-8"),
};

const FILE: &[u8] = include_bytes!("openapi.json");

#[expect(clippy::large_const_arrays, reason = "the compiler alone uses it")]
const MINIFIED: [u8; minify(FILE, &mut [])] = {
    let mut text = [0; minify(FILE, &mut [])];
    minify(FILE, &mut text);
    text
};

/// Copies JSON without the whitespace outside of its strings, as far as there is room, and returns its full length.
#[expect(clippy::indexing_slicing, reason = "the compiler checks it")]
const fn minify(json: &[u8], to: &mut [u8]) -> usize {
    let (mut at, mut length, mut in_string) = (0, 0, false);
    while at < json.len() {
        let mut end = at + 1;
        if in_string && json[at] == b'\\' {
            // The escaped character, which may be a quotation mark.
            end += 1;
        } else if json[at] == b'"' {
            in_string = !in_string;
        } else if !in_string && json[at].is_ascii_whitespace() {
            at = end;
            continue;
        }
        while at < end {
            if length < to.len() {
                to[length] = json[at];
            }
            at += 1;
            length += 1;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn whitespace_is_removed_outside_of_strings() {
        let mut text = [0; 64];
        let length = minify(br#"{ "a \" b" : [1, "\\" ],   "c": " d" }"#, &mut text);
        assert_eq!(&text[..length], br#"{"a \" b":[1,"\\"],"c":" d"}"#);
    }

    #[test]
    fn description_equals_its_file() {
        let (file, minified): (Value, Value) =
            (serde_json::from_slice(FILE).unwrap(), serde_json::from_str(OPENAPI).unwrap());
        assert_eq!(minified, file);
    }
}
