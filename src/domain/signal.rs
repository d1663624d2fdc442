//! Signals: what is shared about an item instead of the item. A kind and a fixed number of bits.

use std::fmt;
use std::str::FromStr;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

use super::codes::codes;

codes! {
    /// What a signal's bits mean, and so how two of them are compared.
    SignalKind, "signal kind" {
        /// PDQ (Meta, 2019): 256 bits of a picture's low frequencies; compared by Hamming distance.
        Pdq = "pdq",
        /// Mean hash, 8x8, after a DCT: 64 bits; compared by Hamming distance. See `media::perceptual` for the settings.
        Phash = "phash",
        /// Horizontal gradient hash, 8x8: 64 bits; compared by Hamming distance. See `media::perceptual` for the settings.
        Dhash = "dhash",
        /// MD5 of the file's bytes: equal or not.
        Md5 = "md5",
        /// SHA-256 of the file's bytes: equal or not.
        Sha256 = "sha256",
    }
}

impl SignalKind {
    /// Length of a value in bytes.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Pdq | Self::Sha256 => 32,
            Self::Md5 => 16,
            Self::Phash | Self::Dhash => 8,
        }
    }

    /// The widest radius a check may ask for: 0 for kinds that only match when equal.
    pub const fn radius_max(self) -> Distance {
        match self {
            Self::Pdq => Distance::new(31),
            Self::Phash | Self::Dhash => Distance::new(8),
            Self::Md5 | Self::Sha256 => Distance::new(0),
        }
    }

    /// The radius of a check that names none: PDQ's published threshold, a narrow one for `dhash`, and none for `phash`,
    /// whose values for unrelated photographs are often only a few bits apart (see `media::perceptual`).
    pub const fn radius_default(self) -> Distance {
        match self {
            Self::Pdq => Distance::new(31),
            Self::Dhash => Distance::new(4),
            Self::Phash | Self::Md5 | Self::Sha256 => Distance::new(0),
        }
    }

    /// Whether a near value of this kind alone is good evidence: not for 64-bit hashes, which meet by accident.
    pub const fn is_strong_evidence(self) -> bool {
        !matches!(self, Self::Phash | Self::Dhash)
    }
}

/// Number of differing bits between two hashes of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Distance(u16);

impl Distance {
    /// A distance of `bits` bits.
    pub const fn new(bits: u16) -> Self {
        Self(bits)
    }

    /// The number of bits.
    pub const fn bits(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Text that is not the hexadecimal form of a value of the expected length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HexError {
    /// The text is too short or too long.
    #[error("must be {expected} hex digits, got {got}")]
    Length { expected: usize, got: usize },
    /// A character is not 0-9, a-f or A-F.
    #[error("must be {expected} hex digits, but character {position} is not one")]
    Digit { expected: usize, position: usize },
}

/// Exactly `N` bytes from `2 * N` hex digits of either case, and nothing else.
pub(super) fn bytes_from_hex<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let expected = 2 * N;
    let mut bytes = [0; N];
    // Nearly every text is one: what is wrong with the others is looked for only then.
    if text.len() == expected && HEXLOWER_PERMISSIVE.decode_mut(text.as_bytes(), &mut bytes).is_ok() {
        return Ok(bytes);
    }
    let got = text.chars().count();
    if got != expected {
        return Err(HexError::Length { expected, got });
    }
    let at = text.chars().position(|c| !c.is_ascii_hexdigit()).unwrap_or_default();
    Err(HexError::Digit { expected, position: at + 1 })
}

/// A 256-bit PDQ hash, most significant bit first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pdq([u64; 4]);

impl Pdq {
    /// From four words, the first holding the most significant bits.
    pub const fn from_words(words: [u64; 4]) -> Self {
        Self(words)
    }

    /// The four words, the first holding the most significant bits.
    pub const fn words(self) -> [u64; 4] {
        self.0
    }

    /// From 32 bytes, as the hexadecimal form spells them.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let mut words = [0; 4];
        for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_be_bytes(*chunk);
        }
        Self(words)
    }

    /// The 32 bytes that the hexadecimal form spells.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.0) {
            *chunk = word.to_be_bytes();
        }
        bytes
    }

    /// Hamming distance to `other`.
    pub fn distance(self, other: Self) -> Distance {
        let bits: u32 = self.0.iter().zip(other.0).map(|(a, b)| (a ^ b).count_ones()).sum();
        Distance(bits as u16)
    }
}

impl FromStr for Pdq {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        bytes_from_hex(text).map(Self::from_bytes)
    }
}

impl fmt::Display for Pdq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.to_bytes()))
    }
}

// Hashes can be inverted to a blurred thumbnail: `{:?}` in a log line must not show one.
impl fmt::Debug for Pdq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pdq(..)")
    }
}

/// A 64-bit perceptual hash (`phash` or `dhash`), most significant bit first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash64(u64);

impl Hash64 {
    /// From one word.
    pub const fn from_word(word: u64) -> Self {
        Self(word)
    }

    /// The word.
    pub const fn word(self) -> u64 {
        self.0
    }

    /// Hamming distance to `other`.
    pub fn distance(self, other: Self) -> Distance {
        Distance((self.0 ^ other.0).count_ones() as u16)
    }
}

impl FromStr for Hash64 {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        bytes_from_hex(text).map(|bytes| Self(u64::from_be_bytes(bytes)))
    }
}

impl fmt::Display for Hash64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Hash64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash64(..)")
    }
}

/// PDQ's own measure of how much there is in a picture to hash, 0 (flat) to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quality(u8);

/// A quality outside 0..=100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 0 to 100, got {0}")]
pub struct QualityOutOfRange(pub u32);

/// A quality that a signal cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QualityError {
    /// It is not a percentage.
    #[error(transparent)]
    OutOfRange(#[from] QualityOutOfRange),
    /// The kind has no quality.
    #[error("only pdq has one, not {0}")]
    NoQuality(SignalKind),
}

impl Quality {
    /// Below this a hash says too little to be shared or matched (PDQ's published rule).
    pub const MATCHABLE_MIN: Self = Self(50);

    /// A quality of `percent`.
    ///
    /// # Errors
    /// [`QualityOutOfRange`] above 100.
    pub const fn new(percent: u32) -> Result<Self, QualityOutOfRange> {
        if percent > 100 { Err(QualityOutOfRange(percent)) } else { Ok(Self(percent as u8)) }
    }

    /// 0 to 100.
    pub const fn percent(self) -> u8 {
        self.0
    }

    /// Whether a hash of this quality may be shared and matched.
    pub fn is_matchable(self) -> bool {
        self >= Self::MATCHABLE_MIN
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One hash of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// With its quality, where whoever hashed the picture knows it.
    Pdq {
        hash: Pdq,
        quality: Option<Quality>,
    },
    Phash(Hash64),
    Dhash(Hash64),
    Md5(Digest<16>),
    Sha256(Digest<32>),
}

/// A cryptographic digest of a file's bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest<const N: usize>(pub [u8; N]);

impl<const N: usize> fmt::Debug for Digest<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

impl Signal {
    /// Reads the hexadecimal form of a value of `kind`.
    ///
    /// # Errors
    /// [`HexError`] if `text` is not exactly the digits of one.
    pub fn from_hex(kind: SignalKind, text: &str) -> Result<Self, HexError> {
        Ok(match kind {
            SignalKind::Pdq => Self::Pdq { hash: text.parse()?, quality: None },
            SignalKind::Phash => Self::Phash(text.parse()?),
            SignalKind::Dhash => Self::Dhash(text.parse()?),
            SignalKind::Md5 => Self::Md5(Digest(bytes_from_hex(text)?)),
            SignalKind::Sha256 => Self::Sha256(Digest(bytes_from_hex(text)?)),
        })
    }

    /// Reads the bytes of a value of `kind`; `None` if their number is wrong.
    pub fn from_bytes(kind: SignalKind, bytes: &[u8]) -> Option<Self> {
        Some(match kind {
            SignalKind::Pdq => Self::Pdq { hash: Pdq::from_bytes(bytes.try_into().ok()?), quality: None },
            SignalKind::Phash => Self::Phash(Hash64(u64::from_be_bytes(bytes.try_into().ok()?))),
            SignalKind::Dhash => Self::Dhash(Hash64(u64::from_be_bytes(bytes.try_into().ok()?))),
            SignalKind::Md5 => Self::Md5(Digest(bytes.try_into().ok()?)),
            SignalKind::Sha256 => Self::Sha256(Digest(bytes.try_into().ok()?)),
        })
    }

    /// The same signal with the quality, in percent, that somebody says it has.
    ///
    /// # Errors
    /// [`QualityError`] if it is out of range, or the signal is of a kind that has none.
    pub const fn rated(self, percent: Option<u32>) -> Result<Self, QualityError> {
        match (self, percent) {
            (_, None) => Ok(self.unrated()),
            (Self::Pdq { hash, .. }, Some(percent)) => match Quality::new(percent) {
                Ok(quality) => Ok(Self::Pdq { hash, quality: Some(quality) }),
                Err(error) => Err(QualityError::OutOfRange(error)),
            },
            (other, Some(_)) => Err(QualityError::NoQuality(other.kind())),
        }
    }

    /// The same signal without its quality.
    pub const fn unrated(self) -> Self {
        match self {
            Self::Pdq { hash, .. } => Self::Pdq { hash, quality: None },
            other => other,
        }
    }

    /// What kind it is.
    pub const fn kind(&self) -> SignalKind {
        match self {
            Self::Pdq { .. } => SignalKind::Pdq,
            Self::Phash(_) => SignalKind::Phash,
            Self::Dhash(_) => SignalKind::Dhash,
            Self::Md5(_) => SignalKind::Md5,
            Self::Sha256(_) => SignalKind::Sha256,
        }
    }

    /// PDQ's quality, where known.
    pub const fn quality(&self) -> Option<Quality> {
        match self {
            Self::Pdq { quality, .. } => *quality,
            _ => None,
        }
    }

    /// The value's bytes, `kind().bytes()` of them.
    pub fn value(&self) -> Vec<u8> {
        match self {
            Self::Pdq { hash, .. } => hash.to_bytes().to_vec(),
            Self::Phash(hash) | Self::Dhash(hash) => hash.word().to_be_bytes().to_vec(),
            Self::Md5(digest) => digest.0.to_vec(),
            Self::Sha256(digest) => digest.0.to_vec(),
        }
    }

    /// The value in lower-case hexadecimal.
    pub fn hex(&self) -> String {
        HEXLOWER.encode(&self.value())
    }

    /// Differing bits from `other`, if both are of one kind; of exact kinds only if they are equal.
    pub fn distance(&self, other: &Self) -> Option<Distance> {
        match (self, other) {
            (Self::Pdq { hash, .. }, Self::Pdq { hash: other, .. }) => Some(hash.distance(*other)),
            (Self::Phash(hash), Self::Phash(other)) | (Self::Dhash(hash), Self::Dhash(other)) => {
                Some(hash.distance(*other))
            }
            (Self::Md5(digest), Self::Md5(other)) => (digest == other).then_some(Distance(0)),
            (Self::Sha256(digest), Self::Sha256(other)) => (digest == other).then_some(Distance(0)),
            _ => None,
        }
    }

    /// Whether the value may be shared and matched: false for a PDQ hash known to be of too low quality.
    pub fn is_matchable(&self) -> bool {
        self.quality().is_none_or(Quality::is_matchable)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::testing::signal;

    proptest! {
        #[test]
        fn a_signal_reads_back_from_its_hex_in_either_case_and_from_its_bytes(signal in signal()) {
            let bare = signal.unrated();
            prop_assert_eq!(Signal::from_hex(signal.kind(), &signal.hex()), Ok(bare));
            prop_assert_eq!(Signal::from_hex(signal.kind(), &signal.hex().to_uppercase()), Ok(bare));
            prop_assert_eq!(Signal::from_bytes(signal.kind(), &signal.value()), Some(bare));
        }

        #[test]
        fn what_is_not_exactly_the_digits_of_a_hash_is_refused(text in ".{0,80}") {
            let digits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            prop_assert_eq!(text.parse::<Pdq>().is_ok(), digits);
        }

        #[test]
        fn no_debug_form_shows_a_value(signal in signal()) {
            let shown = format!("{signal:?}").to_lowercase();
            prop_assert!(!shown.contains(&signal.hex()[..8]), "{shown}");
        }
    }

    #[test]
    fn a_bad_hash_is_told_its_length_or_the_place_of_the_bad_character() {
        let text = "f".repeat(63);
        assert_eq!(text.parse::<Pdq>().unwrap_err().to_string(), "must be 64 hex digits, got 63");
        // `u64::from_str_radix` would take the sign.
        let error = "+123456789abcdef".parse::<Hash64>().unwrap_err();
        assert_eq!(error.to_string(), "must be 16 hex digits, but character 1 is not one");
        let error = format!("{}é", "0".repeat(15)).parse::<Hash64>().unwrap_err();
        assert_eq!(error.to_string(), "must be 16 hex digits, but character 16 is not one");
    }

    #[test]
    fn distance_counts_differing_bits_and_only_within_a_kind() {
        let zero = Signal::Pdq { hash: Pdq::from_words([0; 4]), quality: None };
        let three = Signal::Pdq { hash: Pdq::from_words([1, 0, 0, 3 << 62]), quality: None };
        assert_eq!(zero.distance(&three), Some(Distance::new(3)));
        assert_eq!(zero.distance(&Signal::Phash(Hash64::from_word(0))), None);
        assert_eq!(Signal::Phash(Hash64::from_word(0)).distance(&Signal::Dhash(Hash64::from_word(0))), None);
        assert_eq!(Signal::Md5(Digest([0; 16])).distance(&Signal::Md5(Digest([1; 16]))), None);
    }
}
