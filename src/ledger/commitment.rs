//! The public leaf of an event: 33 bytes that commit to it and reveal nothing of it.
//!
//! Events hold hashes of content and who shared them, and must one day be erasable; the tree over them must be public and
//! never change. A commitment under the tree's leaf reconciles the two. It is
//!
//! - *hiding*: without the salt, 256 random bits, nobody can tell which event a leaf is of, not even by hashing every
//!   event they think likely. A bare hash of the event would tell whoever holds a picture whether it was shared;
//! - *binding*: to open one leaf as two events takes a collision of SHA-256. The salt has a fixed length, so salt and
//!   event cannot trade bytes, and the tag in front keeps these hashes apart from any other use of SHA-256;
//! - *erasable*: when event and salt are deleted, the leaf stays, every root and proof over it stays valid, and what it
//!   was can no longer be found out or guessed.
//!
//! A salt must never be used twice: two leaves of one event under one salt are seen to be the same.

use std::fmt;

use super::hash::{Hash, sha256};

/// What is hashed before salt and event.
const TAG: &[u8] = b"hashcommons/v1/leaf\n";
/// First byte of a leaf: which way of committing the others follow.
const VERSION: u8 = 1;

/// 32 random bytes that belong to one event: whoever knows them can try out what the event is.
///
/// Must come from a cryptographic random source, a new one for every event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// A salt of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the store and for receipts.
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(..)")
    }
}

/// What the tree has as the content of a leaf: `0x01 || SHA-256("hashcommons/v1/leaf\n" || salt || event)`.
///
/// Public: it commits to the event and reveals nothing of it, not even to whoever guesses it, as long as the salt is
/// secret; and it outlives the erasure of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Leaf(Hash);

/// Bytes that are not a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// Not [`Leaf::BYTES`] of them.
    #[error("a leaf must be {expected} bytes, got {0}", expected = Leaf::BYTES)]
    Length(usize),
    /// Made by a later version, or not a leaf at all.
    #[error("a leaf of version {0} is unknown here")]
    Version(u8),
}

impl Leaf {
    /// Length of a leaf in bytes.
    pub const BYTES: usize = 33;

    /// The leaf of an event: `event` is its encoding, every byte of which counts.
    pub fn commit(salt: &Salt, event: &[u8]) -> Self {
        Self(sha256(&[TAG, &salt.0, event]))
    }

    /// Whether this is the leaf of that event under that salt.
    pub fn opens(&self, salt: &Salt, event: &[u8]) -> bool {
        // Nothing secret is compared, so time tells nothing.
        *self == Self::commit(salt, event)
    }

    /// The hash that stands for it in the tree: RFC 6962's leaf hash of [`to_bytes`](Self::to_bytes).
    pub fn hash(&self) -> Hash {
        Hash::leaf(&self.to_bytes())
    }

    /// Version and commitment.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [VERSION; Self::BYTES];
        bytes[1..].copy_from_slice(&self.0.to_bytes());
        bytes
    }

    /// Reads [`to_bytes`](Self::to_bytes) back.
    ///
    /// # Errors
    /// [`LeafError`] if `bytes` are not those of a leaf of version 1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LeafError> {
        let bytes: &[u8; Self::BYTES] = bytes.try_into().map_err(|_| LeafError::Length(bytes.len()))?;
        let [version, commitment @ ..] = bytes;
        if *version != VERSION {
            return Err(LeafError::Version(*version));
        }
        Ok(Self(Hash::from_bytes(*commitment)))
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_leaf_has_the_documented_bytes() {
        // printf 'hashcommons/v1/leaf\n%s%s' <32 times "s"> event | sha256sum
        let leaf = Leaf::commit(&Salt([b's'; 32]), b"event");
        assert_eq!(
            HEXLOWER.encode(&leaf.to_bytes()),
            "0102f09e98a701e93524694c1199e8a5930f53103e24f5b73e111afc3af930d145"
        );
        assert_eq!(leaf.hash(), Hash::leaf(&leaf.to_bytes()));
    }

    #[test]
    fn changing_any_one_bit_of_salt_or_event_no_longer_opens_the_leaf() {
        let (salt, event) = ([5; 32], *b"an event");
        let leaf = Leaf::commit(&Salt(salt), &event);
        assert!(leaf.opens(&Salt(salt), &event));
        for bit in 0..8 * salt.len() {
            let mut salt = salt;
            salt[bit / 8] ^= 1 << (bit % 8);
            assert!(!leaf.opens(&Salt(salt), &event));
        }
        for bit in 0..8 * event.len() {
            let mut event = event;
            event[bit / 8] ^= 1 << (bit % 8);
            assert!(!leaf.opens(&Salt(salt), &event));
        }
        assert!(!leaf.opens(&Salt(salt), b"an even"));
        assert!(!leaf.opens(&Salt(salt), b"an event\0"));
    }

    #[test]
    fn a_leaf_is_neither_the_bare_hash_of_its_event_nor_the_same_under_another_salt() {
        let leaf = Leaf::commit(&Salt([0; 32]), b"event");
        assert_ne!(leaf.0, sha256(&[b"event"]));
        assert_ne!(leaf, Leaf::commit(&Salt([1; 32]), b"event"));
    }

    #[test]
    fn bytes_that_are_not_a_leaf_are_refused() {
        let bytes = Leaf::commit(&Salt([0; 32]), b"event").to_bytes();
        assert_eq!(Leaf::from_bytes(&[]), Err(LeafError::Length(0)));
        assert_eq!(Leaf::from_bytes(&bytes[..32]), Err(LeafError::Length(32)));
        assert_eq!(Leaf::from_bytes(&[&bytes[..], &[0]].concat()), Err(LeafError::Length(34)));
        assert_eq!(Leaf::from_bytes(&[&[2], &bytes[1..]].concat()), Err(LeafError::Version(2)));
        assert_eq!(LeafError::Length(32).to_string(), "a leaf must be 33 bytes, got 32");
    }

    #[test]
    fn a_salt_is_not_shown_by_debug() {
        assert_eq!(format!("{:?}", Salt([0xab; 32])), "Salt(..)");
    }

    proptest! {
        #[test]
        fn the_bytes_of_a_leaf_read_back(salt: [u8; 32], event: Vec<u8>) {
            let leaf = Leaf::commit(&Salt(salt), &event);
            prop_assert_eq!(Leaf::from_bytes(&leaf.to_bytes()), Ok(leaf));
        }
    }
}
