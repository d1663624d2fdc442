//! Exact signals: equal for equal bytes, and nothing else. Computed of the file as it came, before any decoding.

use md5::{Digest as _, Md5};
use sha2::Sha256;

use crate::domain::{Digest, Signal};

/// The MD5 of `bytes`, as [`Signal::Md5`].
///
/// For lists that hold nothing better: two different files of one MD5 can be made at will, so a match on it alone is
/// weak evidence.
pub fn md5(bytes: &[u8]) -> Signal {
    Signal::Md5(Digest(Md5::digest(bytes).into()))
}

/// The SHA-256 of `bytes`, as [`Signal::Sha256`].
pub fn sha256(bytes: &[u8]) -> Signal {
    Signal::Sha256(Digest(Sha256::digest(bytes).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_rfcs() {
        // RFC 1321 A.5; FIPS 180-4's example of one block.
        assert_eq!(md5(b"abc").hex(), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(sha256(b"abc").hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(md5(b"").hex(), "d41d8cd98f00b204e9800998ecf8427e");
    }
}
