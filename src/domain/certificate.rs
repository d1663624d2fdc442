//! A client certificate as the hub knows it: by its public key, so that a renewed certificate of the same key is the same.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::signal::{HexError, bytes_from_hex};

/// SHA-256 of a certificate's `SubjectPublicKeyInfo` in DER: 32 bytes, written as 64 hex digits in lower case.
///
/// What this prints: `openssl x509 -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpkiFingerprint([u8; 32]);

impl SpkiFingerprint {
    /// Of a `SubjectPublicKeyInfo` in DER.
    pub fn of(spki: &[u8]) -> Self {
        Self(Sha256::digest(spki).into())
    }

    /// From the 32 bytes of the digest.
    pub const fn from_bytes(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The 32 bytes of the digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for SpkiFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&HEXLOWER.encode(&self.0))
    }
}

impl FromStr for SpkiFingerprint {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        bytes_from_hex(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_digest_in_lower_case_and_is_read_back() {
        // FIPS 180-4's example: "abc".
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let fingerprint = SpkiFingerprint::of(b"abc");
        assert_eq!(fingerprint.to_string(), hex);
        assert_eq!(hex.parse(), Ok(fingerprint));
        assert_eq!(hex.to_uppercase().parse(), Ok(fingerprint));
        assert_eq!(SpkiFingerprint::from_bytes(*fingerprint.as_bytes()), fingerprint);
        for bad in ["", &hex[1..], &format!("{hex}0"), &hex.replace('b', "+")] {
            assert!(bad.parse::<SpkiFingerprint>().is_err(), "{bad}");
        }
    }
}
