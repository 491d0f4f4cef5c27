//! What can be a name or a symbol.

use crate::printable::NOT_PRINTABLE;

const NAME_BYTES_MAX: usize = 64;
const SYMBOL_BYTES_MAX: usize = 8;

/// 1 to 64 bytes of UTF-8, printable, no blank at either end. A blank other than a space is not printable.
pub fn is_valid_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len())
        && text.chars().all(is_printable)
        && !text.starts_with(' ')
        && !text.ends_with(' ')
}

/// 1 to 8 characters of A to Z, 0 to 9, full stop and hyphen.
pub fn is_valid_symbol(text: &[u8]) -> bool {
    (1..=SYMBOL_BYTES_MAX).contains(&text.len())
        && text.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-'))
}

/// Whether a character is printable by the fixed table.
pub fn is_printable(character: char) -> bool {
    let code = u32::from(character);
    let place = NOT_PRINTABLE.partition_point(|range| range.1 < code);
    NOT_PRINTABLE.get(place).is_none_or(|range| code < range.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_printable_and_have_no_blank_at_either_end() {
        for good in ["a", "Zoë & Co. 株式会社", "a b", &"x".repeat(64)] {
            assert!(is_valid_name(good), "{good:?}");
        }
        for bad in ["", " a", "a ", "a\nb", "a\u{a0}b", "\u{200b}", "\u{e000}", &"x".repeat(65)] {
            assert!(!is_valid_name(bad), "{bad:?}");
        }
    }
}
