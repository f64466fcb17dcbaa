//! Large bodies in both directions, in bounded memory.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, Request, State as Shared},
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::json;

use super::state::{OpenStream, State};

/// Returns the bytes of `/bytes/N`, and of an upload that counts as intact: byte `offset` is `offset % 251`.
///
/// 251 is prime, so that a lost, repeated or swapped piece is detected wherever pieces are cut.
#[must_use]
pub fn pattern(offset: u64, length: usize) -> Vec<u8> {
    (offset..).take(length).map(byte_at).collect()
}

/// Sends `count` bytes of the pattern.
pub(super) async fn bytes(Shared(state): Shared<Arc<State>>, Path(count): Path<u64>) -> Response {
    let piece = Bytes::from(pattern(0, PIECE));
    let open = OpenStream::new(state);
    let body = stream::unfold((count, piece, open), |(left, piece, open)| async move {
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        if take == 0 {
            return None;
        }
        let next = piece.slice(..take);
        open.sent(take);
        Some((Ok::<_, Infallible>(next), (left - take as u64, piece, open)))
    });
    let headers = [
        (CONTENT_LENGTH, HeaderValue::from(count)),
        (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
    ];
    (headers, Body::from_stream(body)).into_response()
}

/// Counts the body while it arrives: `{"bytes": count, "pattern": whether they are the pattern}`.
pub(super) async fn upload(request: Request) -> Response {
    let reference = pattern(0, PIECE + PERIOD);
    let mut body = request.into_body().into_data_stream();
    let (mut length, mut intact) = (0_u64, true);
    while let Some(piece) = body.next().await {
        match piece {
            Ok(piece) => {
                intact &= follows(&piece, length, &reference);
                length += piece.len() as u64;
            }
            Err(error) => {
                let message = format!("request body ended after {length} bytes: {error}\n");
                return (StatusCode::BAD_REQUEST, message).into_response();
            }
        }
    }
    let counted = json!({ "bytes": length, "pattern": intact });
    ([(CONTENT_TYPE, "application/json")], counted.to_string()).into_response()
}

/// Returns whether `piece` is the pattern from `offset` on; `reference` is [`PIECE`] + [`PERIOD`] bytes of the pattern.
///
/// Compares whole slices, because comparing a hundred megabytes byte by byte takes seconds in a debug build.
fn follows(piece: &[u8], offset: u64, reference: &[u8]) -> bool {
    let from = usize::from(byte_at(offset));
    piece.chunks(PIECE).all(|part| reference.get(from..from + part.len()) == Some(part))
}

#[expect(clippy::cast_possible_truncation, reason = "a remainder below 251 is a byte")]
const fn byte_at(offset: u64) -> u8 {
    (offset % PERIOD as u64) as u8
}

const PERIOD: usize = 251;

/// The length of a piece in bytes: a whole number of periods, so that all pieces are equal.
const PIECE: usize = PERIOD * 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_or_shifted_piece_is_detected() {
        let reference = pattern(0, PIECE + PERIOD);
        for offset in [0, 1, 250, 251, 70_000] {
            let whole = pattern(offset, 3 * PIECE + 7);
            assert!(follows(&whole, offset, &reference));
            assert!(!follows(&whole, offset + 1, &reference));
            let mut changed = whole;
            changed[2 * PIECE] ^= 1;
            assert!(!follows(&changed, offset, &reference));
        }
    }
}
