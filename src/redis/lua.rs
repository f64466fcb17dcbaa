//! The text of a Lua script without its comments and indentation, made at compile time.
//!
//! They are two fifths of the files in `lua/`. Without them the Worker is smaller, and so is an `EVAL`. Each line keeps
//! its number, because errors of Redis name it.

/// Embeds a file of `lua/` without its comments and indentation.
macro_rules! lua {
    ($file:literal) => {{
        const FILE: &[u8] = include_bytes!(concat!("../../lua/", $file));
        const CODE: [u8; $crate::redis::lua::length(FILE)] = $crate::redis::lua::code(FILE);
        match std::str::from_utf8(&CODE) {
            Ok(code) => code,
            Err(_) => panic!("the file is not UTF-8"),
        }
    }};
}

pub(super) use lua;

/// Returns the length of [`code`].
pub(super) const fn length(file: &[u8]) -> usize {
    let (mut length, mut line) = (0, 0);
    while line < file.len() {
        let (start, end) = (end_of_indentation(file, line), end_of_line(file, line));
        length += if is_comment(file, start) { 1 } else { end - start };
        line = end;
    }
    length
}

/// Returns the file without indentation, and with an empty line for each line that is only a comment.
#[expect(clippy::indexing_slicing, reason = "the compiler checks it")]
pub(super) const fn code<const LENGTH: usize>(file: &[u8]) -> [u8; LENGTH] {
    let mut code = [b'\n'; LENGTH];
    let (mut to, mut line) = (0, 0);
    while line < file.len() {
        let (mut from, end) = (end_of_indentation(file, line), end_of_line(file, line));
        if is_comment(file, from) {
            to += 1;
        } else {
            while from < end {
                code[to] = file[from];
                to += 1;
                from += 1;
            }
        }
        line = end;
    }
    code
}

/// Returns where the next line begins.
#[expect(clippy::indexing_slicing, reason = "the compiler checks it")]
const fn end_of_line(file: &[u8], mut at: usize) -> usize {
    while at < file.len() && file[at] != b'\n' {
        at += 1;
    }
    if at < file.len() { at + 1 } else { at }
}

#[expect(clippy::indexing_slicing, reason = "the compiler checks it")]
const fn end_of_indentation(file: &[u8], mut at: usize) -> usize {
    while at < file.len() && file[at] == b' ' {
        at += 1;
    }
    at
}

#[expect(clippy::indexing_slicing, reason = "the compiler checks it")]
const fn is_comment(file: &[u8], at: usize) -> bool {
    at + 1 < file.len() && file[at] == b'-' && file[at + 1] == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_become_empty_lines_and_indentation_is_removed() {
        const FILE: &[u8] = b"-- head\n\nlocal a = 1 -- kept\n  -- gone\n  a = a - -1\n  \n--";
        const CODE: [u8; length(FILE)] = code(FILE);
        assert_eq!(str::from_utf8(&CODE).unwrap(), "\n\nlocal a = 1 -- kept\n\na = a - -1\n\n\n");
    }
}
