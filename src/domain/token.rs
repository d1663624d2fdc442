//! Short strings that members choose and others read: codes, references, names. Each has an alphabet and a length, so that
//! none can carry markup, control characters or a whole address.

use std::fmt;
use std::str::FromStr;

use super::{Entropy, EntropyError, base32_lower};

/// Text outside the alphabet or length of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {max} characters of {alphabet}")]
pub struct TokenError {
    max: usize,
    alphabet: &'static str,
}

/// Declares a string newtype with an alphabet and a longest length.
macro_rules! token {
    ($(#[$meta:meta])* $name:ident, $max:literal, $alphabet:literal, $allowed:expr) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The longest, in characters.
            pub const CHARS_MAX: usize = $max;

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = TokenError;

            fn from_str(text: &str) -> Result<Self, TokenError> {
                let allowed: fn(char) -> bool = $allowed;
                let length = text.chars().take($max + 1).count();
                if (1..=$max).contains(&length) && text.chars().all(allowed) && text.trim() == text {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(TokenError { max: $max, alphabet: $alphabet })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

fn is_code(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

fn is_visible(c: char) -> bool {
    c.is_ascii_graphic()
}

fn is_reference(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '/' | '-')
}

token! {
    /// Code of a label, content type, authority or incident.
    Code, 48, "a-z, 0-9 and `-`", is_code
}

token! {
    /// A member's own name for one request, so that sending it twice does it once.
    RequestId, 64, "A-Z, a-z, 0-9 and `. _ : / -`", is_reference
}

token! {
    /// What one request over the network is told by, in its answer, in the log and in the ledger: the caller's own name for it, or
    /// one that the hub made.
    CallId, 64, "visible ASCII", is_visible
}

token! {
    /// A list's permanent reference of an entity, as in `QDe.115`.
    Reference, 64, "A-Z, a-z, 0-9 and `. _ : / -`", is_reference
}

token! {
    /// Name of a member organisation, or a key's label. Shown to operators and auditors only.
    Name, 80, "letters, digits, spaces and `. , ' & ( ) / _ -`",
    |c| c.is_alphanumeric() || matches!(c, ' ' | '.' | ',' | '\'' | '&' | '(' | ')' | '/' | '_' | '-')
}

/// Why text is not a note.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is empty, too long, or has control characters.
    #[error("must be 1 to {} characters without line breaks", Note::CHARS_MAX)]
    Form,
    /// It points to somebody or somewhere.
    #[error("must not hold an address or a link: `@`, `://` and `www.` are refused")]
    Address,
}

/// A few words from one moderator to another. Never about a person: what looks like an address or a link is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note(String);

impl Note {
    /// The longest, in characters.
    pub const CHARS_MAX: usize = 280;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let length = text.chars().take(Self::CHARS_MAX + 1).count();
        if !(1..=Self::CHARS_MAX).contains(&length) || text.chars().any(char::is_control) || text.trim() != text {
            return Err(NoteError::Form);
        }
        let lower = text.to_ascii_lowercase();
        if ["@", "://", "www."].iter().any(|mark| lower.contains(mark)) {
            return Err(NoteError::Address);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl CallId {
    /// One that the hub makes of 128 random bits.
    pub fn random(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self(base32_lower(&entropy.bytes::<16>()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_takes_its_alphabet_up_to_its_length_and_nothing_else() {
        assert!("a-1".parse::<Code>().is_ok());
        assert!("x".repeat(48).parse::<Code>().is_ok());
        for bad in ["", "A", "a b", "a_b", "ä", &"x".repeat(49)] {
            assert!(bad.parse::<Code>().is_err(), "{bad:?}");
        }
        assert_eq!("a b".parse::<Code>().unwrap_err().to_string(), "must be 1 to 48 characters of a-z, 0-9 and `-`");
    }

    #[test]
    fn a_note_is_a_line_of_words_without_addresses() {
        for good in ["only the logo matches", "Bild ist älter als der Anschlag", &"x".repeat(280)] {
            assert!(good.parse::<Note>().is_ok(), "{good}");
        }
        for bad in ["", " a", "a\nb", "a\u{1b}", &"x".repeat(281)] {
            assert_eq!(bad.parse::<Note>(), Err(NoteError::Form), "{bad:?}");
        }
        for bad in ["ask a@b.example", "see https://a.example", "WWW.a.example"] {
            assert_eq!(bad.parse::<Note>(), Err(NoteError::Address), "{bad:?}");
        }
    }

    #[test]
    fn a_call_has_a_visible_name_and_one_that_the_hub_makes_is_such_a_name() {
        for good in ["a", "0123-4567", "<x>\\\"~!", &"x".repeat(64)] {
            assert!(good.parse::<CallId>().is_ok(), "{good}");
        }
        for bad in ["", "a b", " a", "a\n", "\u{7f}", "é", &"x".repeat(65)] {
            assert!(bad.parse::<CallId>().is_err(), "{bad:?}");
        }
        let made = CallId::random(&super::super::SeededEntropy::new(1)).unwrap();
        assert_eq!((made.as_str().len(), made.to_string().parse()), (26, Ok(made)));
    }

    #[test]
    fn a_name_may_be_in_any_script_but_carries_no_markup_and_no_control_characters() {
        for good in ["Big Platform", "Société d'Été", "日本の会社", "A & B (Holding)"] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        for bad in [" lead", "trail ", "<b>", "a\nb", "a\u{1b}[1m", "https://x?y", "a@b"] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }
}
