//! The reader agrees with `serde_json`, however the document is cut into pieces.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::config::costs::Pointer;
use crate::http::usage::nesting::MAX_DEPTH;

fn pointers(texts: &[&str]) -> Arc<Pointers> {
    let mut pointers = Pointers::default();
    for text in texts {
        pointers.add(Pointer::parse(text).unwrap()).unwrap();
    }
    Arc::new(pointers)
}

fn read(texts: &[&str], document: &[u8], piece: usize) -> Option<Vec<Option<Hit>>> {
    let mut reader = JsonReader::new(pointers(texts));
    for piece in document.chunks(piece.max(1)) {
        reader.feed(piece);
    }
    reader.finish()
}

/// Returns what each pointer points to, as the text of the document has it.
fn texts<'d>(pointers: &[&str], document: &'d str) -> Option<Vec<Option<&'d str>>> {
    let range = |hit: Hit| usize::try_from(hit.start).unwrap()..usize::try_from(hit.end).unwrap();
    let hits = read(pointers, document.as_bytes(), usize::MAX)?;
    Some(hits.into_iter().map(|hit| hit.map(|hit| &document[range(hit)])).collect())
}

#[test]
fn values_are_found_with_their_place() {
    let document = r#" {"a": [1, {"b": "x\"}"}, [ ]], "": null, "a/b": 2.50 , "0": true,"deep":{"a":{"a":-7}}} "#;
    for (pointer, text) in [
        ("/a", Some(r#"[1, {"b": "x\"}"}, [ ]]"#)),
        ("/a/0", Some("1")),
        ("/a/1", Some(r#"{"b": "x\"}"}"#)),
        ("/a/1/b", Some(r#""x\"}""#)),
        ("/a/2", Some("[ ]")),
        ("/a/3", None),
        ("/a/-", None),
        ("/a/01", None),
        ("/", Some("null")),
        ("/a~1b", Some("2.50")),
        ("/0", Some("true")),
        ("/deep/a/a", Some("-7")),
        ("/deep/a/a/a", None),
        ("/b", None),
    ] {
        assert_eq!(texts(&[pointer], document), Some(vec![text]), "{pointer}");
    }
}

#[test]
fn keys_are_unescaped() {
    for document in [r#"{"\u0061\/\ud83d\ude00":7}"#, r#"{"a/😀":7}"#] {
        assert_eq!(texts(&["/a~1😀"], document), Some(vec![Some("7")]), "{document}");
    }
    let long = format!(r#"{{"{}":1,"{}":2}}"#, "k".repeat(300), "k".repeat(200));
    assert_eq!(texts(&[&format!("/{}", "k".repeat(200))], &long), Some(vec![Some("2")]));
}

#[test]
fn the_last_of_equal_keys_counts_alone() {
    assert_eq!(texts(&["/a/b"], r#"{"a":{"b":1},"a":{"b":2}}"#), Some(vec![Some("2")]));
    assert_eq!(texts(&["/a/b", "/a"], r#"{"a":{"b":1},"a":null}"#), Some(vec![None, Some("null")]));
}

#[test]
fn a_document_that_is_cut_has_no_values() {
    let document = r#"{"usage":{"total":12}}"#;
    for end in 0..document.len() {
        assert_eq!(read(&["/usage/total"], &document.as_bytes()[..end], 3), None, "{end}");
    }
    assert!(read(&["/usage/total"], document.as_bytes(), 3).is_some());
    let mut reader = JsonReader::new(pointers(&["/a"]));
    reader.feed(b"{\"a\":1}");
    assert!(reader.has_ended());
    reader.feed(b" \n");
    assert!(reader.has_ended());
    reader.feed(b"{");
    assert!(!reader.has_ended());
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(read(&["/0"], nested(MAX_DEPTH).as_bytes(), 100).is_some());
    assert!(read(&["/0"], nested(MAX_DEPTH + 1).as_bytes(), 100).is_none());
    let objects = r#"{"a":"#.repeat(200) + "1" + &"}".repeat(200);
    assert!(read(&["/a/a/a/a/a/a/a/a"], objects.as_bytes(), 7).unwrap()[0].is_some());
    assert!(read(&["/a"], "[".repeat(1 << 20).as_bytes(), 4096).is_none());
}

/// Documents of few keys, so that pointers hit; some with equal keys, and with the spellings that JSON allows.
fn document() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<u32>().prop_map(|n| n.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| Value::from(n).to_string()),
        Just("1E+2".to_owned()),
        Just("0.5".to_owned()),
    ];
    let text = any::<String>().prop_map(|text| Value::from(text).to_string());
    let scalar = prop_oneof![Just("null".to_owned()), Just("true".to_owned()), Just("false".to_owned()), number, text];
    let key = prop_oneof![Just(r#""a""#), Just(r#""b""#), Just(r#""\u0061""#), Just(r#""0""#), Just(r#""c c""#)];
    scalar.prop_recursive(5, 40, 5, move |value| {
        let space = prop_oneof![Just(""), Just(" "), Just("\n\t"), Just("\r")];
        prop_oneof![
            (prop::collection::vec(value.clone(), 0..5), space.clone())
                .prop_map(|(items, space)| format!("[{space}{}]", items.join(&format!("{space},{space}")))),
            (prop::collection::vec((key.clone(), value), 0..5), space).prop_map(|(members, space)| {
                let members: Vec<_> = members.iter().map(|(k, v)| format!("{k}{space}:{space}{v}")).collect();
                format!("{{{}{space}}}", members.join(","))
            }),
        ]
    })
}

const POINTERS: [&str; 9] = ["/a", "/a/b", "/a/a", "/0", "/0/a", "/b/0", "/a/b/a", "/c c", "/1/1"];

/// Compares with `serde_json`, which does not read lone surrogates, invalid UTF-8, and numbers above those of an `f64`.
fn check(document: &[u8], piece: usize) {
    let expected: Result<Value, _> = serde_json::from_slice(document);
    let found = read(&POINTERS, document, piece);
    let expected = match expected {
        Ok(expected) => expected,
        Err(error) => {
            let is_text = std::str::from_utf8(document).is_ok_and(|text| !text.contains("\\u"));
            if is_text && !error.to_string().contains("number out of range") {
                assert_eq!(found, None, "{document:?}");
            }
            return;
        }
    };
    let found = found.unwrap_or_else(|| panic!("{} is not read", String::from_utf8_lossy(document)));
    for (pointer, hit) in POINTERS.iter().zip(found) {
        let value = expected.pointer(pointer);
        assert_eq!(hit.is_some(), value.is_some(), "{pointer} in {}", String::from_utf8_lossy(document));
        let (Some(hit), Some(value)) = (hit, value) else { continue };
        let range = usize::try_from(hit.start).unwrap()..usize::try_from(hit.end).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&document[range]).unwrap(), *value, "{pointer}");
        match hit.kind {
            Kind::Number(amount) => {
                if let Some(whole) = value.as_u64() {
                    assert_eq!(amount.ceil(), whole.min(crate::limit::MAX_INTEGER));
                }
                assert!(value.as_f64().is_some_and(|number| number >= 0.0));
            }
            Kind::True => assert_eq!(*value, Value::Bool(true)),
            Kind::Null => assert!(value.is_null()),
            Kind::Object => assert!(value.is_object()),
            Kind::Other => assert!(!value.is_null() && !value.is_object() && *value != Value::Bool(true)),
        }
    }
}

proptest! {
    #[test]
    fn documents_are_read_as_serde_json_does(document in document(), piece in 1..64_usize) {
        check(document.as_bytes(), piece);
    }

    #[test]
    fn broken_documents_are_refused_as_serde_json_does(
        document in document(),
        at in any::<prop::sample::Index>(),
        byte in prop_oneof![any::<u8>(), prop::sample::select(b"{}[]\",:\\u0-.eE+ \n\x00tfn".to_vec())],
        how in 0..3,
        piece in 1..64_usize,
    ) {
        let mut bytes = document.into_bytes();
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            _ => bytes.truncate(at),
        }
        check(&bytes, piece);
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1..20_usize) {
        check(&bytes, piece);
    }
}
