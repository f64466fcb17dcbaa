//! Event streams, however they are cut into pieces.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::config::costs::Pointer;

fn reader() -> EventReader {
    let mut pointers = Pointers::default();
    for text in ["/a", "/u/b"] {
        pointers.add(Pointer::parse(text).unwrap()).unwrap();
    }
    EventReader::new(Arc::new(pointers))
}

fn read(stream: &[u8], piece: usize) -> (Option<u64>, Option<u64>, bool) {
    let mut reader = reader();
    for piece in stream.chunks(piece.max(1)) {
        reader.feed(piece);
    }
    let number = |place: usize| reader.number(place).map(Amount::ceil);
    (number(0), number(1), reader.is_final())
}

/// Expects the same numbers in pieces of any length.
fn expect(stream: &str, a: Option<u64>, b: Option<u64>, is_final: bool) {
    for piece in (1..=stream.len().max(1)).chain([usize::MAX]) {
        assert_eq!(read(stream.as_bytes(), piece), (a, b, is_final), "{stream:?} in pieces of {piece}");
    }
}

#[test]
fn each_pointer_keeps_its_own_last_number() {
    expect("data: {\"a\":1}\n\ndata: {\"u\":{\"b\":2}}\n\ndata: {\"a\":3}\n\n", Some(3), Some(2), false);
    expect(
        "data: {\"a\":1}\n\ndata: {\"a\":null}\n\ndata: {\"a\":\"9\"}\n\ndata: {\"a\":-9}\n\n",
        Some(1),
        None,
        false,
    );
    expect("data: {\"a\":5}\n\ndata: [DONE]\n\n", Some(5), None, true);
}

#[test]
fn lines_end_in_three_ways() {
    for end in ["\n", "\r", "\r\n"] {
        let stream = "data: {\"a\":1,EE\"data\":2,EE\"u\":{}}".replace("EE", &format!("{end}data:"));
        expect(&format!(":c{end}{stream}{end}{end}data:{{\"a\":4}}{end}{end}"), Some(4), None, false);
    }
    expect("data: {\"a\":1}\r\n\ndata: {\"a\":2}\n\r\n", Some(2), None, false);
}

#[test]
fn a_byte_order_mark_is_dropped_at_the_start() {
    expect("\u{feff}data: {\"a\":1}\n\n", Some(1), None, false);
    expect("\u{feff}\u{feff}data: {\"a\":1}\n\n", None, None, false);
    expect("data: {\"a\":1}\n\n\u{feff}data: {\"a\":2}\n\n", Some(1), None, false);
    assert_eq!(read(b"\xEF\xBBdata: {\"a\":1}\n\n", 1), (None, None, false));
}

#[test]
fn other_fields_and_comments_are_ignored() {
    expect(": {\"a\":1}\nid: 7\nretry: 3\ndatas: {\"a\":2}\ndat: {\"a\":3}\n\n", None, None, false);
    expect("event: x\ndata: {\"a\":\nid: 7\ndata: 1}\n\n", Some(1), None, false);
    expect("data\n\ndata: {\"a\":1}\n\n", Some(1), None, false);
    expect("Data: {\"a\":1}\n\n data: {\"a\":1}\n\n", None, None, false);
}

#[test]
fn an_event_counts_at_its_empty_line() {
    expect("data: {\"a\":1}\n", None, None, false);
    expect("data: {\"a\":1}", None, None, false);
    expect("data: {\"a\":1}\n\ndata: {\"a\":2", Some(1), None, false);
    expect("data: [DONE]", None, None, false);
}

#[test]
fn a_stream_says_that_it_is_whole() {
    expect("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", None, None, true);
    expect("event: response.completed\ndata: {\"a\":4}\n\n", Some(4), None, true);
    expect("event: message_stop\n\n", None, None, false);
    expect("event: message_stopped\ndata: {}\n\n", None, None, false);
    expect("event: message_stop\nevent: ping\ndata: {}\n\n", None, None, false);
    expect("data: [DONE] \n\n", None, None, false);
    expect("data: \"[DONE]\"\n\n", None, None, false);
    expect("data: {\"text\":\"\\n\\ndata: [DONE]\\n\\n\"}\n\n", None, None, false);
}

#[test]
fn an_event_may_have_any_length() {
    let long = format!("data: {{\"x\":\"{}\",\"a\":7}}\n\n", "y".repeat(3 << 20));
    assert_eq!(read(long.as_bytes(), 65_536), (Some(7), None, false));
}

/// Reads a whole stream as the standard says, without pieces.
fn by_the_standard(stream: &str) -> (Option<u64>, Option<u64>, bool) {
    let stream = stream.strip_prefix('\u{feff}').unwrap_or(stream).replace("\r\n", "\n").replace('\r', "\n");
    let (mut a, mut b, mut is_final) = (None, None, false);
    let (mut data, mut kind) = (None::<String>, String::new());
    let lines: Vec<&str> = stream.split('\n').collect();
    for line in lines.iter().take(lines.len() - 1) {
        if line.is_empty() {
            if let Some(data) = data.take() {
                is_final |= data == "[DONE]" || kind == "message_stop";
                let value: Value = serde_json::from_str(&data).unwrap_or_default();
                a = value.pointer("/a").and_then(Value::as_u64).or(a);
                b = value.pointer("/u/b").and_then(Value::as_u64).or(b);
            }
            kind.clear();
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => data = Some(data.map_or(String::new(), |data| data + "\n") + value),
            "event" => kind = value.to_owned(),
            _ => {}
        }
    }
    (a, b, is_final)
}

proptest! {
    #[test]
    fn streams_are_read_as_the_standard_says(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "data:", "data: ", "data", "event: ", "event:message_stop", "id: 1", ":", "\n", "\n\n", "\r", "\r\n", "\r\n\r\n",
                "{\"a\":1}", "{\"a\":", "2}", "{\"u\":{\"b\":3}}", "[DONE]", " ", "\u{feff}", "x", "{\"a\":null}",
            ]),
            0..30,
        ),
        piece in 1..40_usize,
    ) {
        let stream = parts.concat();
        prop_assert_eq!(read(stream.as_bytes(), piece), by_the_standard(&stream), "{:?}", stream);
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1..20_usize) {
        read(&bytes, piece);
    }
}
