//! Checkpoints: what a log commits to at one size, as a signed note. To the letter of C2SP `tlog-checkpoint`, and stricter
//! in two things that a reader may decide: the origin must be the name of the signing key, and extension lines, which no
//! auditor could check, are refused.

use std::fmt;
use std::str::FromStr;

use super::hash::Hash;
use super::key::{SigningKey, VerifierKey};
use super::note::{Note, NoteError, SignatureError};
use super::text::parse_decimal;

/// What a log says of itself: its name, how many leaves it has, and the root over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// One line, not empty.
    origin: String,
    size: u64,
    root: Hash,
}

impl Checkpoint {
    /// Which log it is: a name like `example.org/ledger`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The Merkle tree hash over them.
    pub fn root(&self) -> Hash {
        self.root
    }
}

/// The text of the note: origin, size and root, a line each.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, self.root)
    }
}

/// Why a text is not a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointTextError {
    /// It is not even a note.
    #[error("the checkpoint is not a signed note")]
    Note(#[from] NoteError),
    /// More or fewer lines, or one that is empty.
    #[error("a checkpoint must have three lines: origin, size and root")]
    Lines,
    /// The second line.
    #[error("the size of a checkpoint must be a decimal number without leading zeros")]
    Size,
    /// The third line.
    #[error("the root of a checkpoint must be a hash in base64")]
    Root,
}

impl FromStr for Checkpoint {
    type Err = CheckpointTextError;

    fn from_str(text: &str) -> Result<Self, CheckpointTextError> {
        let lines: Vec<&str> = text.splitn(5, '\n').collect();
        // Three lines that end with a newline leave nothing after it.
        let [origin, size, root, ""] = lines[..] else { return Err(CheckpointTextError::Lines) };
        if origin.is_empty() {
            return Err(CheckpointTextError::Lines);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size: parse_decimal(size).ok_or(CheckpointTextError::Size)?,
            root: root.parse().map_err(|_| CheckpointTextError::Root)?,
        })
    }
}

/// Why a checkpoint does not count as one of a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The log did not sign it.
    #[error("the checkpoint is not signed by this log")]
    Signature(#[from] SignatureError),
    /// The log's key signed for another log.
    #[error("the checkpoint is of the log {got}, not of {expected}")]
    Origin { expected: String, got: String },
}

/// A checkpoint and the note it came in. `Display` is that note, byte for byte; `FromStr` checks its form, not its
/// signature: that is [`verify`](Self::verify).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What the note's text says.
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Signs with a log's key, whose name is the origin. Whether the log may sign this is for
    /// [`Signer`](super::Signer) to say.
    pub(super) fn sign(key: &SigningKey, size: u64, root: Hash) -> Result<Self, NoteError> {
        let checkpoint = Checkpoint { origin: key.verifier().name().to_owned(), size, root };
        let note = Note::sign(&checkpoint.to_string(), key)?;
        Ok(Self { checkpoint, note })
    }

    /// The checkpoint, once it is known to be signed by the log that has `key`.
    ///
    /// # Errors
    /// [`CheckpointError`] if it is not, or is a checkpoint of a log with another name.
    pub fn verify(&self, key: &VerifierKey) -> Result<&Checkpoint, CheckpointError> {
        self.note.verify(key)?;
        if self.checkpoint.origin != key.name() {
            let got = self.checkpoint.origin.clone();
            return Err(CheckpointError::Origin { expected: key.name().to_owned(), got });
        }
        Ok(&self.checkpoint)
    }

    /// What it claims, signed or not: for those who signed it themselves or verified it before.
    pub fn claimed(&self) -> &Checkpoint {
        &self.checkpoint
    }
}

impl FromStr for SignedCheckpoint {
    type Err = CheckpointTextError;

    fn from_str(text: &str) -> Result<Self, CheckpointTextError> {
        let note: Note = text.parse()?;
        let checkpoint = note.unverified_text().parse()?;
        Ok(Self { checkpoint, note })
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{CT_ROOTS, signing_key};
    use super::*;

    #[test]
    fn a_checkpoint_reads_as_the_specification_shows_it() {
        let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let checkpoint: Checkpoint = text.parse().unwrap();
        assert_eq!((checkpoint.origin(), checkpoint.size()), ("example.com/behind-the-sofa", 20852163));
        assert_eq!(checkpoint.root().to_string(), "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=");
        assert_eq!(checkpoint.to_string(), text);
    }

    #[test]
    fn each_failure_is_told_apart() {
        use CheckpointTextError::{Lines, Root, Size};
        let root = Hash::empty_tree();
        for (text, error) in [
            (String::new(), Lines),
            (format!("log\n0\n{root}"), Lines),
            (format!("\n0\n{root}\n"), Lines),
            (format!("log\n0\n{root}\n\n"), Lines),
            (format!("log\n0\n{root}\nextension\n"), Lines),
            (format!("log\n0\n{root}\n{root}\n"), Lines),
            (format!("log\nlog\n0\n{root}\n"), Lines),
            (format!("log\n00\n{root}\n"), Size),
            (format!("log\n07\n{root}\n"), Size),
            (format!("log\n+7\n{root}\n"), Size),
            (format!("log\n\n{root}\n"), Size),
            (format!("log\n18446744073709551616\n{root}\n"), Size),
            (format!("log\n7\r\n{root}\n"), Size),
            ("log\n7\n\n".to_owned(), Root),
            (format!("log\n7\n{root} \n"), Root),
        ] {
            assert_eq!(text.parse::<Checkpoint>(), Err(error), "{text:?}");
        }
        assert_eq!("".parse::<SignedCheckpoint>(), Err(CheckpointTextError::Note(NoteError::Unsigned)));
    }

    #[test]
    fn a_signed_checkpoint_reads_back_and_verifies() {
        let key = signing_key("example.org/ledger");
        let signed = SignedCheckpoint::sign(&key, 8, CT_ROOTS[8]).unwrap();
        let read: SignedCheckpoint = signed.to_string().parse().unwrap();
        assert_eq!(read, signed);
        let checkpoint = read.verify(key.verifier()).unwrap();
        assert_eq!((checkpoint.size(), checkpoint.root()), (8, CT_ROOTS[8]));
    }

    #[test]
    fn a_checkpoint_by_another_key_does_not_count_even_under_the_same_name() {
        let key = signing_key("example.org/ledger");
        let other = SigningKey::from_secret("example.org/ledger", &[99; 32]).unwrap();
        let signed = SignedCheckpoint::sign(&other, 8, CT_ROOTS[8]).unwrap();
        let missing = SignatureError::Missing("example.org/ledger".to_owned());
        assert_eq!(signed.verify(key.verifier()), Err(CheckpointError::Signature(missing)));
    }

    #[test]
    fn a_checkpoint_of_another_log_does_not_count_even_if_the_key_signed_it() {
        let key = signing_key("example.org/ledger");
        let text = format!("example.org/other\n8\n{}\n", CT_ROOTS[8]);
        let signed: SignedCheckpoint = Note::sign(&text, &key).unwrap().to_string().parse().unwrap();
        let error = signed.verify(key.verifier()).unwrap_err();
        assert_eq!(error.to_string(), "the checkpoint is of the log example.org/other, not of example.org/ledger");
    }

    proptest! {
        #[test]
        fn the_text_of_a_checkpoint_reads_back(origin in "[^\\p{C}]{1,20}", size: u64, root: [u8; 32]) {
            let checkpoint = Checkpoint { origin, size, root: Hash::from_bytes(root) };
            prop_assert_eq!(checkpoint.to_string().parse(), Ok(checkpoint));
        }

        #[test]
        fn any_text_is_read_or_refused_and_what_is_read_prints_the_same(
            text in "(log\n){0,2}0?[0-9]{0,3}\n[A-Za-z0-9+/]{42}A=\n{0,2}|(?s).*",
        ) {
            if let Ok(checkpoint) = text.parse::<Checkpoint>() {
                prop_assert_eq!(checkpoint.to_string(), text);
            }
        }
    }
}
