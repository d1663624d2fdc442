//! Bytes to hash: decodes a picture and computes the signals that stand for it.
//!
//! Invariant: the same bytes give the same signals on every machine and in every release. Each perceptual hash is pinned
//! by fixtures, PDQ by other people's answers too.
//!
//! Bytes come from strangers: a limit is checked against the header before memory is taken for what it announces, and
//! every refusal is an error with a name. There is no hash that means "could not be hashed".
//!
//! Deliberately unknown here: where bytes come from, what a signal is compared with, what a match means.

mod decode;
mod digest;
mod fingerprint;
pub mod pdq;
mod perceptual;
mod picture;
mod shrink;

pub use decode::{Damage, DecodeError, DecodeLimits, Reason, decode};
pub use digest::{md5, sha256};
pub use fingerprint::{Fingerprint, FingerprintError, Looks, OrientedSignal, Reading, Turns, fingerprint, looks};
pub use perceptual::Words;
pub use picture::{Format, Picture, WrongPixelCount};
