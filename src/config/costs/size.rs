//! Sizes like `256KiB`.

/// Parses a size of 1 byte to 1 MiB: a whole number and `B`, `KiB` or `MiB`.
///
/// # Errors
/// Returns the problem.
pub fn parse_size(text: &str) -> Result<usize, String> {
    let problem = || format!("expected 1B to 1MiB, like \"256KiB\" (units: B, KiB, MiB), found {text:?}");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(problem)?;
    let factor = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return Err(problem()),
    };
    let bytes = number.parse::<usize>().ok().and_then(|number| number.checked_mul(factor));
    bytes.filter(|bytes| (1..=MAX_SIZE).contains(bytes)).ok_or_else(problem)
}

/// Each request that is read takes this much memory of its isolate.
const MAX_SIZE: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit_and_bounds() {
        for (text, bytes) in [("1B", 1), ("256KiB", 262_144), ("1MiB", MAX_SIZE), ("1048576B", MAX_SIZE)] {
            assert_eq!(parse_size(text), Ok(bytes));
        }
        for text in ["", "B", "0B", "256", "256kb", "256 KiB", "2MiB", "1048577B", "-1B", "99999999999999999999MiB"] {
            let problem = parse_size(text).unwrap_err();
            assert!(problem.starts_with("expected 1B to 1MiB") && problem.ends_with(&format!("{text:?}")), "{problem}");
        }
    }
}
