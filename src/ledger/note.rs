//! Signed notes: text that people can read, and lines that say who signed it. To the letter of C2SP `signed-note`.
//!
//! A note's text means nothing until a signature on it has been checked: the only way to it is [`Note::verify`].

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;

use super::key::{KeyId, SigningKey, VerifierKey, is_key_name};
use super::text::decode_base64;

/// The longest note, in bytes: room for the sixteen post-quantum signatures that a reader must accept, twice over.
pub const NOTE_BYTES_MAX: usize = 256 * 1024;
/// The most signatures a note may carry.
pub const NOTE_SIGNATURES_MAX: usize = 100;

/// What a signature line begins with: an em dash and a space.
const SIGNATURE_PREFIX: &str = "\u{2014} ";

/// A text and the signatures it came with, none of them checked. Its `Display` is the note, byte for byte as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Ends with a newline.
    text: String,
    signatures: Vec<SignatureLine>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct SignatureLine {
    name: String,
    id: KeyId,
    signature: Vec<u8>,
}

/// Why something is not a signed note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`NOTE_BYTES_MAX`].
    #[error("the note is longer than {NOTE_BYTES_MAX} bytes")]
    TooLong,
    /// A control character; carriage returns and tabs count.
    #[error("a note must not contain control characters other than newlines")]
    ControlCharacter,
    /// The text does not end with a newline.
    #[error("the text of a note must end with a newline")]
    Unterminated,
    /// No empty line with signatures after it, or the last of them is cut off.
    #[error("a note must end with an empty line and one or more signature lines")]
    Unsigned,
    /// A line among the signatures that is none. Counted from 1.
    #[error("signature line {0} must be an em dash, a key's name and the base64 of key id and signature")]
    SignatureLine(usize),
    /// More than [`NOTE_SIGNATURES_MAX`].
    #[error("the note has more than {NOTE_SIGNATURES_MAX} signatures")]
    TooManySignatures,
}

/// Why a note does not count as signed by a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// None of the signatures is by this key.
    #[error("there is no signature by the key {0}")]
    Missing(String),
    /// A signature claims to be by this key and is not one over this text.
    #[error("the signature by the key {0} does not fit the text: one of the two was altered")]
    Wrong(String),
    /// One key, two signatures.
    #[error("there is more than one signature by the key {0}")]
    Repeated(String),
}

impl Note {
    /// Signs `text`, which must end with a newline.
    ///
    /// Deterministic, as Ed25519 is: the same text and key make the same note.
    ///
    /// # Errors
    /// [`NoteError`] if `text` cannot be the text of a note.
    pub fn sign(text: &str, key: &SigningKey) -> Result<Self, NoteError> {
        if !text.ends_with('\n') {
            return Err(NoteError::Unterminated);
        }
        let signature = SignatureLine {
            name: key.verifier().name().to_owned(),
            id: key.verifier().id(),
            signature: key.sign(text).to_vec(),
        };
        let note = Self { text: text.to_owned(), signatures: vec![signature] };
        check_characters(&note.to_string())?;
        Ok(note)
    }

    /// The text, once it is known to be signed by `key`.
    ///
    /// Signatures by other keys are ignored, even ones that share its name or its key id. One under both is this key's: it
    /// must be good, and the only one.
    ///
    /// # Errors
    /// [`SignatureError`] unless `key` signed the text, once.
    pub fn verify(&self, key: &VerifierKey) -> Result<&str, SignatureError> {
        let name = || key.name().to_owned();
        let mut known = self.signatures.iter().filter(|line| line.name == key.name() && line.id == key.id());
        let line = known.next().ok_or_else(|| SignatureError::Missing(name()))?;
        if known.next().is_some() {
            return Err(SignatureError::Repeated(name()));
        }
        if key.verifies(&self.text, &line.signature) { Ok(&self.text) } else { Err(SignatureError::Wrong(name())) }
    }

    /// The text, signed or not: for those who parse first and verify afterwards.
    pub(super) fn unverified_text(&self) -> &str {
        &self.text
    }
}

/// What holds for every byte of a note.
fn check_characters(note: &str) -> Result<(), NoteError> {
    if note.len() > NOTE_BYTES_MAX {
        return Err(NoteError::TooLong);
    }
    if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
        return Err(NoteError::ControlCharacter);
    }
    Ok(())
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Self, NoteError> {
        check_characters(note)?;
        // The last empty line: there may be others in the text.
        let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteError::Unsigned)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Unsigned)?;
        if lines.split('\n').nth(NOTE_SIGNATURES_MAX).is_some() {
            return Err(NoteError::TooManySignatures);
        }
        let parse = |(at, line)| SignatureLine::parse(line).ok_or(NoteError::SignatureLine(at + 1));
        let signatures = lines.split('\n').enumerate().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { text: format!("{text}\n"), signatures })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl SignatureLine {
    fn parse(line: &str) -> Option<Self> {
        let (name, signature) = line.strip_prefix(SIGNATURE_PREFIX)?.split_once(' ')?;
        let bytes = decode_base64(signature)?;
        let (id, signature) = bytes.split_first_chunk()?;
        if !is_key_name(name) || signature.is_empty() {
            return None;
        }
        Some(Self { name: name.to_owned(), id: *id, signature: signature.to_vec() })
    }
}

impl fmt::Display for SignatureLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.id[..], &self.signature].concat();
        write!(f, "{SIGNATURE_PREFIX}{} {}", self.name, BASE64.encode(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{GO_NOTE, GO_PRIVATE_KEY, GO_TEXT, GO_VERIFIER_KEY, signing_key};
    use super::*;

    fn verifier(text: &str) -> VerifierKey {
        text.parse().unwrap()
    }

    fn open(note: &str, key: &str) -> Option<String> {
        Some(note.parse::<Note>().ok()?.verify(&verifier(key)).ok()?.to_owned())
    }

    #[test]
    fn the_note_of_the_go_documentation_opens_and_signing_makes_the_same_bytes() {
        assert_eq!(open(GO_NOTE, GO_VERIFIER_KEY).as_deref(), Some(GO_TEXT));
        let key: SigningKey = GO_PRIVATE_KEY.parse().unwrap();
        assert_eq!(Note::sign(GO_TEXT, &key).map(|note| note.to_string()).as_deref(), Ok(GO_NOTE));
    }

    #[test]
    fn the_note_of_the_c2sp_specification_opens() {
        let key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
        let note = "This is an example message.\n\n\u{2014} example.com/foo \
            Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
        assert_eq!(open(note, key).as_deref(), Some("This is an example message.\n"));
    }

    #[test]
    fn changing_any_one_bit_of_a_note_closes_it() {
        for at in 0..GO_NOTE.len() {
            for bit in 0..8 {
                let mut bytes = GO_NOTE.as_bytes().to_vec();
                bytes[at] ^= 1 << bit;
                let Ok(note) = String::from_utf8(bytes) else { continue };
                assert_eq!(open(&note, GO_VERIFIER_KEY), None, "{note}");
            }
        }
    }

    #[test]
    fn signatures_by_other_keys_are_ignored_even_under_the_same_name_or_id() {
        let line = GO_NOTE.lines().last().unwrap();
        let same_id = line.replace("PeterNeumann", "Somebody");
        let same_name = line.replace("x08g", "y08g");
        let post_quantum = format!("\u{2014} witness.example {}", BASE64.encode(&[9; 4600]));
        for other in [same_id, same_name, post_quantum] {
            assert_eq!(open(&format!("{GO_NOTE}{other}\n"), GO_VERIFIER_KEY).as_deref(), Some(GO_TEXT), "{other}");
            let alone: Note = format!("{GO_TEXT}\n{other}\n").parse().unwrap();
            let error = SignatureError::Missing("PeterNeumann".to_owned());
            assert_eq!(alone.verify(&verifier(GO_VERIFIER_KEY)), Err(error), "{other}");
        }
    }

    #[test]
    fn a_wrong_or_repeated_signature_by_the_known_key_spoils_a_note_with_a_good_one() {
        let line = GO_NOTE.lines().last().unwrap();
        let key = verifier(GO_VERIFIER_KEY);
        let wrong: Note = format!("{GO_TEXT}\n{}\n", line.replace("ZJkuBS", "ZJkuBT")).parse().unwrap();
        assert_eq!(wrong.verify(&key), Err(SignatureError::Wrong("PeterNeumann".to_owned())));
        for second in [line.to_owned(), line.replace("ZJkuBS", "ZJkuBT")] {
            let note: Note = format!("{GO_NOTE}{second}\n").parse().unwrap();
            assert_eq!(note.verify(&key), Err(SignatureError::Repeated("PeterNeumann".to_owned())));
        }
    }

    #[test]
    fn a_note_may_have_empty_lines_in_its_text_and_is_split_at_the_last() {
        let key = signing_key("example.org/log");
        for text in ["\n", "a\n\n", "a\n\nb\n", "\n\n\n", "a\n\n\u{2014} not a signature\n"] {
            let note = Note::sign(text, &key).unwrap();
            let read: Note = note.to_string().parse().unwrap();
            assert_eq!(read.verify(key.verifier()), Ok(text));
        }
    }

    #[test]
    fn each_failure_is_told_apart() {
        let error = |note: &str| note.parse::<Note>().err();
        let line = GO_NOTE.lines().last().unwrap();
        let with = |last: &str| error(&format!("{GO_TEXT}\n{last}"));
        assert_eq!(error(""), Some(NoteError::Unsigned));
        assert_eq!(error(GO_TEXT), Some(NoteError::Unsigned));
        assert_eq!(with(""), Some(NoteError::Unsigned));
        assert_eq!(with(line), Some(NoteError::Unsigned), "the last newline is missing");
        assert_eq!(error(&format!("{GO_NOTE}\n")), Some(NoteError::Unsigned));
        assert_eq!(error(&GO_NOTE.replace('\n', "\r\n")), Some(NoteError::ControlCharacter));
        assert_eq!(error(&GO_NOTE.replace(' ', "\t")), Some(NoteError::ControlCharacter));
        for broken in [
            line.replace('\u{2014}', "-"),
            line.replace('\u{2014}', "\u{2014} "),
            line.replace("x08go", " x08go"),
            line.replace("PeterNeumann", "Peter+Neumann"),
            line.replace("PeterNeumann", "Peter\u{a0}Neumann"),
            line.replace("AM=", "AN="),
            line.replace("AM=", "AM"),
            line.replace("AM=", "AM=AA=="),
            format!("{line} "),
            "\u{2014} PeterNeumann x08gow==".to_owned(),
            "\u{2014} PeterNeumann".to_owned(),
            "trailing garbage".to_owned(),
        ] {
            assert_eq!(with(&format!("{line}\n{broken}\n")), Some(NoteError::SignatureLine(2)), "{broken}");
        }
        let many = |count| with(&format!("{line}\n").repeat(count));
        assert_eq!(many(NOTE_SIGNATURES_MAX), None);
        assert_eq!(many(NOTE_SIGNATURES_MAX + 1), Some(NoteError::TooManySignatures));
        assert_eq!(error(&"a".repeat(NOTE_BYTES_MAX + 1)), Some(NoteError::TooLong));
    }

    #[test]
    fn what_cannot_be_the_text_of_a_note_is_not_signed() {
        let key = signing_key("example.org/log");
        assert_eq!(Note::sign("", &key), Err(NoteError::Unterminated));
        assert_eq!(Note::sign("text", &key), Err(NoteError::Unterminated));
        assert_eq!(Note::sign("te\rxt\n", &key), Err(NoteError::ControlCharacter));
        assert_eq!(Note::sign(&"a\n".repeat(NOTE_BYTES_MAX / 2), &key), Err(NoteError::TooLong));
    }

    proptest! {
        #[test]
        fn what_is_signed_reads_back_and_opens(text in "([ -~\u{e8}\u{2014}]{0,20}\n){1,5}", secret: [u8; 32]) {
            let key = SigningKey::from_secret("example.org/log", &secret).unwrap();
            let note = Note::sign(&text, &key).unwrap();
            let read: Note = note.to_string().parse().unwrap();
            prop_assert_eq!(&read, &note);
            prop_assert_eq!(read.verify(key.verifier()), Ok(text.as_str()));
        }

        #[test]
        fn any_text_is_read_or_refused_and_what_is_read_prints_the_same(
            text in "([a\n]{0,5}\n\n(\u{2014} [a-c+ ]{1,3} [A-Za-z0-9+/]{8}\n){0,3})|(?s).*",
        ) {
            if let Ok(note) = text.parse::<Note>() {
                prop_assert_eq!(note.to_string(), text);
            }
        }
    }
}
