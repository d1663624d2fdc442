//! Numbers and bytes as C2SP's formats spell them: one spelling each, so that no file has a twin that says the same.

use data_encoding::BASE64;

/// Reads an ASCII decimal without sign, spaces or leading zeros (`0` itself apart) that fits in 64 bits.
pub(super) fn parse_decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    // `u64::from_str` alone would take a leading `+`.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if canonical && digits { text.parse().ok() } else { None }
}

/// Reads padded base64 (RFC 4648, section 4) without white space or unused bits.
pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    // `BASE64` alone would take padding in the middle, as when one text is put after another: `TQ==TQ==` for `TU0=`.
    let padded_at_end_only = text.find('=').is_none_or(|at| at + 2 >= text.len());
    if padded_at_end_only { BASE64.decode(text.as_bytes()).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_canonical_decimal_is_read() {
        assert_eq!(parse_decimal("0"), Some(0));
        assert_eq!(parse_decimal("18446744073709551615"), Some(u64::MAX));
        for wrong in ["", "00", "01", "+1", "-1", "1 ", " 1", "1\r", "1_0", "0x1", "١", "18446744073709551616"] {
            assert_eq!(parse_decimal(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn only_the_canonical_base64_is_read() {
        for (text, bytes) in [("", ""), ("TQ==", "M"), ("TU0=", "MM"), ("TU1N", "MMM")] {
            assert_eq!(decode_base64(text).as_deref(), Some(bytes.as_bytes()));
        }
        for wrong in ["TQ", "TQ=", "TR==", "TU1=", "TU1N=", "TU1N====", "====", "=", "T===", "TU0=\n", " TU0=", "TU-_"]
        {
            assert_eq!(decode_base64(wrong), None, "{wrong:?}");
        }
    }

    /// A property test met one such text: 44 characters that were taken for a hash and printed as 44 others.
    #[test]
    fn base64_with_padding_in_the_middle_is_refused() {
        for wrong in ["TQ==TQ==", "TU0=TU0=", "TQ==TU1N", "TU0=TU1N", "0a+A/aa00+g=+AAAa+00Aa0+00aAaa+aAAa0/A0aa0A+"] {
            assert!(BASE64.decode(wrong.as_bytes()).is_ok(), "the codec takes {wrong}");
            assert_eq!(decode_base64(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn a_decimal_that_is_read_prints_the_same(number: u64, text in "[0-9+ ]{0,21}") {
            prop_assert_eq!(parse_decimal(&number.to_string()), Some(number));
            if let Some(number) = parse_decimal(&text) {
                prop_assert_eq!(number.to_string(), text);
            }
        }

        #[test]
        fn base64_that_is_read_prints_the_same(bytes: Vec<u8>, text in "([A-Z]{4}|[A-Z]{2}[A-Za-z0-9+/=]{2}|=){0,4}") {
            prop_assert_eq!(decode_base64(&BASE64.encode(&bytes)), Some(bytes));
            if let Some(bytes) = decode_base64(&text) {
                prop_assert_eq!(BASE64.encode(&bytes), text);
            }
        }
    }
}
