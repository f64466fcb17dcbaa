//! The borders inside an HTTP/1.1 message.

/// Finds the end of a head in pieces of a message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HeadScanner {
    /// How many bytes of the blank line were the last ones.
    matched: usize,
}

impl HeadScanner {
    /// Returns how many bytes of `piece` belong to the head, and the scanner after them.
    pub(super) fn head_in(mut self, piece: &[u8]) -> (usize, Self) {
        for (index, &byte) in piece.iter().enumerate() {
            if self.matched == BLANK_LINE.len() {
                return (index, self);
            }
            self.matched = match BLANK_LINE.get(self.matched) {
                Some(expected) if *expected == byte => self.matched + 1,
                _ => usize::from(byte == b'\r'),
            };
        }
        (piece.len(), self)
    }
}

/// Returns whether `request` has the whole head and as many bytes of body as its `Content-Length` says.
pub(super) fn is_complete(request: &[u8]) -> bool {
    let (length, scanner) = HeadScanner::default().head_in(request);
    if scanner.matched < BLANK_LINE.len() {
        return false;
    }
    let head = String::from_utf8_lossy(request.get(..length).unwrap_or_default()).to_lowercase();
    let body = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    request.len() >= length + body.unwrap_or(0)
}

const BLANK_LINE: &[u8] = b"\r\n\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_found_however_it_is_split() {
        let message = b"HTTP/1.1 200 OK\r\nA: \r\r\n\r\nbody\r\n\r\n";
        let head = message.len() - b"body\r\n\r\n".len();
        for border in 0..=message.len() {
            let (first, second) = message.split_at(border);
            let (in_first, scanner) = HeadScanner::default().head_in(first);
            let (in_second, _) = scanner.head_in(second);
            assert_eq!((in_first, in_second), (border.min(head), head.saturating_sub(border)), "{border}");
        }
    }

    #[test]
    fn a_request_is_complete_with_its_body() {
        assert!(!is_complete(b"GET / HTTP/1.1\r\n"));
        assert!(is_complete(b"GET / HTTP/1.1\r\n\r\n"));
        let post = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]";
        assert!(is_complete(post));
        assert!(!is_complete(post.strip_suffix(b"]").unwrap()));
    }
}
