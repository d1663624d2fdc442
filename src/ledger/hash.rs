//! SHA-256 as RFC 6962 uses it: leaves and nodes are hashed under different first bytes, so that no node can be passed
//! off as a leaf (a second preimage for the whole tree).

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};

use super::text::decode_base64;

/// First byte of what is hashed for a leaf (RFC 6962, section 2.1).
const LEAF_PREFIX: &[u8] = &[0x00];
/// First byte of what is hashed for an inner node (RFC 6962, section 2.1).
const NODE_PREFIX: &[u8] = &[0x01];

/// The hash of a leaf or of an inner node of the ledger's tree.
///
/// Public by design: it commits to events and reveals nothing of them (see [`Leaf`](super::Leaf)), so unlike the hashes
/// of content it may be printed. `Display` and `FromStr` are base64 with padding, as C2SP's formats spell it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// From the 32 bytes of a hash made elsewhere: a stored node, a line of a proof.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// The hash of a leaf: `SHA-256(0x00 || data)`.
    pub fn leaf(data: &[u8]) -> Self {
        sha256(&[LEAF_PREFIX, data])
    }

    /// The hash of an inner node: `SHA-256(0x01 || left || right)`.
    pub fn node(left: Self, right: Self) -> Self {
        sha256(&[NODE_PREFIX, &left.0, &right.0])
    }

    /// The root of the tree without leaves: `SHA-256("")`.
    pub fn empty_tree() -> Self {
        sha256(&[])
    }
}

/// SHA-256 of the concatenation of `parts`.
pub(super) fn sha256(parts: &[&[u8]]) -> Hash {
    let mut state = Sha256::new();
    for part in parts {
        state.update(part);
    }
    Hash(state.finalize().into())
}

/// Text that is not the base64 form of 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a hash: 32 bytes in base64, 44 characters with padding")]
pub struct HashTextError;

impl FromStr for Hash {
    type Err = HashTextError;

    /// Reads the one canonical spelling: padded, no unused bits set, nothing before or after.
    fn from_str(text: &str) -> Result<Self, HashTextError> {
        // The length first: what is too long is not worth decoding.
        if text.len() != BASE64.encode_len(32) {
            return Err(HashTextError);
        }
        let bytes = decode_base64(text).ok_or(HashTextError)?;
        bytes.try_into().map(Self).map_err(|_| HashTextError)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({})", HEXLOWER.encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hex(hash: Hash) -> String {
        HEXLOWER.encode(&hash.to_bytes())
    }

    #[test]
    fn the_hashes_of_nothing_are_those_of_the_certificate_transparency_test_data() {
        assert_eq!(hex(Hash::empty_tree()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(hex(Hash::leaf(b"")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    }

    #[test]
    fn a_node_is_not_the_leaf_that_spells_its_children() {
        let (left, right) = (Hash::leaf(b"l"), Hash::leaf(b"r"));
        assert_ne!(Hash::node(left, right), Hash::leaf(&[left.to_bytes(), right.to_bytes()].concat()));
        assert_ne!(Hash::node(left, right), Hash::node(right, left));
    }

    #[test]
    fn only_the_canonical_spelling_is_read() {
        let text = Hash::leaf(b"").to_string();
        assert_eq!(text, "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=");
        // "1=" has the same 32 bytes as "0=" but an unused bit set.
        for wrong in [
            "",
            &text[..43],
            &format!("{text}\n"),
            &format!(" {text}"),
            &text.replace('+', "-"),
            &text.replace("0=", "1="),
            &text.replace("0=", "0A"),
            // The right length, with the padding in the middle.
            "0a+A/aa00+g=+AAAa+00Aa0+00aAaa+aAAa0/A0aa0A+",
        ] {
            assert_eq!(wrong.parse::<Hash>(), Err(HashTextError), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn the_text_of_a_hash_reads_back(bytes: [u8; 32]) {
            let hash = Hash::from_bytes(bytes);
            prop_assert_eq!(hash.to_string().parse(), Ok(hash));
        }

        #[test]
        fn any_text_is_read_or_refused_and_what_is_read_prints_the_same(text in "[A-Za-z0-9+/=]{42,46}|\\PC{0,50}") {
            if let Ok(hash) = text.parse::<Hash>() {
                prop_assert_eq!(hash.to_string(), text);
            }
        }
    }
}
