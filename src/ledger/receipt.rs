//! Receipts: that an event is in the ledger, in one text file that anyone with the ledger's public key can check offline.
//!
//! A receipt is a C2SP `tlog-proof` whose extra line opens the leaf:
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra <base64 of the opening>
//! index <number of the leaf>
//! <hashes of the inclusion proof, one a line, from the leaf up>
//!
//! <the checkpoint, a signed note>
//! ```
//!
//! The opening is one of
//!
//! | first byte | then | |
//! |---|---|---|
//! | 1 | salt, 32 bytes; the event's encoding | for its owner: shows what was recorded |
//! | 0 | the leaf, 33 bytes | sealed: shows that something was, not what |
//!
//! The format does not protect the extra line; here the leaf does, as it commits to salt and event. What an event means is
//! not known here: to this module it is bytes.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;

use super::checkpoint::{Checkpoint, CheckpointError, CheckpointTextError, SignedCheckpoint};
use super::commitment::{Leaf, Salt};
use super::hash::Hash;
use super::key::VerifierKey;
use super::text::{decode_base64, parse_decimal};
use super::verify::{InclusionError, verify_inclusion};

/// The longest encoding of an event that a receipt may carry, in bytes.
pub const EVENT_BYTES_MAX: usize = 64 * 1024;
/// The most hashes an inclusion proof may have: enough for 2^63 leaves.
pub const PROOF_HASHES_MAX: usize = 63;

const HEADER: &str = "c2sp.org/tlog-proof@v1";
const OPEN: u8 = 1;
const SEALED: u8 = 0;

/// What a receipt shows of its leaf.
#[derive(Clone, PartialEq, Eq)]
pub enum Opening {
    /// The event itself and the salt that binds it to the leaf.
    Open { salt: Salt, event: Vec<u8> },
    /// The leaf only.
    Sealed(Leaf),
}

impl Opening {
    /// The leaf it opens, or is.
    pub fn leaf(&self) -> Leaf {
        match self {
            Self::Open { salt, event } => Leaf::commit(salt, event),
            Self::Sealed(leaf) => *leaf,
        }
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Open { salt, event } => [&[OPEN][..], &salt.to_bytes(), event].concat(),
            Self::Sealed(leaf) => [&[SEALED][..], &leaf.to_bytes()].concat(),
        }
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&OPEN, rest) => {
                let (salt, event) = rest.split_first_chunk()?;
                Some(Self::Open { salt: Salt::from_bytes(*salt), event: event.to_vec() })
            }
            (&SEALED, rest) => Leaf::from_bytes(rest).ok().map(Self::Sealed),
            _ => None,
        }
    }
}

// An event holds hashes of content: `{:?}` in a log line must not show one.
impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { event, .. } => write!(f, "Open({} bytes)", event.len()),
            Self::Sealed(leaf) => write!(f, "Sealed({leaf:?})"),
        }
    }
}

/// A receipt, not yet checked. `Display` is its file, which `FromStr` reads back byte for byte.
///
/// Kept in files that end in `.tlog-proof`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    opening: Opening,
    index: u64,
    /// At most [`PROOF_HASHES_MAX`].
    proof: Vec<Hash>,
    checkpoint: SignedCheckpoint,
}

/// Why something is too large for a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptLimitError {
    /// The event's encoding.
    #[error("the event has {0} bytes, and a receipt takes at most {EVENT_BYTES_MAX}")]
    Event(usize),
    /// The inclusion proof.
    #[error("the proof has {0} hashes, and a receipt takes at most {PROOF_HASHES_MAX}")]
    Proof(usize),
}

/// Why a text is not a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptTextError {
    /// A line, counted from 1, is missing or not what it must be.
    #[error("line {line} of the receipt must be {expected}")]
    Line { line: usize, expected: &'static str },
    /// Something in it is too large.
    #[error(transparent)]
    Limit(#[from] ReceiptLimitError),
    /// What follows the empty line is not a checkpoint.
    #[error("the receipt does not end with a checkpoint")]
    Checkpoint(#[from] CheckpointTextError),
}

/// Why a receipt proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The checkpoint is not the ledger's.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The leaf is not in the tree that the checkpoint is of.
    #[error(transparent)]
    Inclusion(#[from] InclusionError),
}

/// What a receipt has been shown to say: the ledger that has the key recorded this leaf at this place.
#[derive(Clone, Copy, Debug)]
pub struct Verified<'a> {
    receipt: &'a Receipt,
    leaf: Leaf,
}

impl Receipt {
    /// A receipt of these parts, which are not checked against one another: [`verify`](Self::verify) does that.
    ///
    /// # Errors
    /// [`ReceiptLimitError`] if event or proof are larger than a receipt may hold.
    pub fn new(
        opening: Opening,
        index: u64,
        proof: Vec<Hash>,
        checkpoint: SignedCheckpoint,
    ) -> Result<Self, ReceiptLimitError> {
        if let Opening::Open { event, .. } = &opening
            && event.len() > EVENT_BYTES_MAX
        {
            return Err(ReceiptLimitError::Event(event.len()));
        }
        if proof.len() > PROOF_HASHES_MAX {
            return Err(ReceiptLimitError::Proof(proof.len()));
        }
        Ok(Self { opening, index, proof, checkpoint })
    }

    /// What it shows of its leaf, checked or not.
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    /// The place it claims for its leaf.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The inclusion proof it brings, the sibling of the leaf first.
    pub fn proof(&self) -> &[Hash] {
        &self.proof
    }

    /// The checkpoint it brings.
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// The same receipt without salt and event: still proves that the leaf is in the ledger, no longer shows of what.
    pub fn seal(self) -> Self {
        Self { opening: Opening::Sealed(self.opening.leaf()), ..self }
    }

    /// Checks everything there is to check: that the log with this key signed the checkpoint under its own name, that the
    /// index is inside its tree, and that the leaf, computed from salt and event where the receipt is open, leads to its
    /// root.
    ///
    /// It does not check that the ledger showed others the same tree: for that, compare checkpoints.
    ///
    /// # Errors
    /// [`ReceiptError`], whose message names the step that failed.
    pub fn verify(&self, key: &VerifierKey) -> Result<Verified<'_>, ReceiptError> {
        let checkpoint = self.checkpoint.verify(key)?;
        let leaf = self.opening.leaf();
        verify_inclusion(leaf.hash(), self.index, checkpoint.size(), &self.proof, checkpoint.root())?;
        Ok(Verified { receipt: self, leaf })
    }
}

impl<'a> Verified<'a> {
    /// The place of the leaf in the ledger.
    pub fn index(&self) -> u64 {
        self.receipt.index
    }

    /// The leaf.
    pub fn leaf(&self) -> Leaf {
        self.leaf
    }

    /// The encoding of the event, if the receipt is open.
    pub fn event(&self) -> Option<&'a [u8]> {
        match &self.receipt.opening {
            Opening::Open { event, .. } => Some(event),
            Opening::Sealed(_) => None,
        }
    }

    /// The checkpoint of the tree that it is in.
    pub fn checkpoint(&self) -> &'a Checkpoint {
        self.receipt.checkpoint.claimed()
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        writeln!(f, "extra {}", BASE64.encode(&self.opening.encode()))?;
        writeln!(f, "index {}", self.index)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for Receipt {
    type Err = ReceiptTextError;

    fn from_str(text: &str) -> Result<Self, ReceiptTextError> {
        let mut lines = Lines { rest: text, line: 0 };
        lines.next("`c2sp.org/tlog-proof@v1`", |line| (line == HEADER).then_some(()))?;
        let opening = lines.next("`extra ` and the opening of the leaf in base64", |line| {
            let extra = line.strip_prefix("extra ")?;
            // Nothing longer than an open receipt's is worth decoding.
            let bytes_max = BASE64.encode_len(1 + 32 + EVENT_BYTES_MAX);
            if extra.len() > bytes_max { None } else { Opening::decode(&decode_base64(extra)?) }
        })?;
        let index = lines.next("`index ` and a decimal number without leading zeros", |line| {
            parse_decimal(line.strip_prefix("index ")?)
        })?;
        // The empty line ends the proof: it reads as no hash.
        let mut hash_or_end = || {
            lines.next("a hash in base64, or empty after the last", |line| {
                if line.is_empty() { Some(None) } else { line.parse().ok().map(Some) }
            })
        };
        let mut proof = Vec::new();
        while let Some(hash) = hash_or_end()? {
            proof.push(hash);
            if proof.len() > PROOF_HASHES_MAX {
                return Err(ReceiptLimitError::Proof(proof.len()).into());
            }
        }
        Ok(Self::new(opening, index, proof, lines.rest.parse()?)?)
    }
}

/// The lines of a text, each read in its own way.
struct Lines<'a> {
    rest: &'a str,
    /// Number of lines read.
    line: usize,
}

impl<'a> Lines<'a> {
    /// Reads the next line, which must be there, end with a newline and be one that `read` takes.
    fn next<T>(
        &mut self,
        expected: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, ReceiptTextError> {
        self.line += 1;
        let wrong = ReceiptTextError::Line { line: self.line, expected };
        let (line, rest) = self.rest.split_once('\n').ok_or(wrong)?;
        self.rest = rest;
        read(line).ok_or(wrong)
    }
}

#[cfg(test)]
mod tests;
