//! Bytes to build files of.

use std::io::Write as _;
use std::sync::LazyLock;

use flate2::write::ZlibEncoder;
use flate2::{Compress, Compression, FlushCompress};

/// Random numbers that are the same in every run: SplitMix64 (Steele, Lea & Flood 2014).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `n - 1`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Big,
    Little,
}

impl Order {
    /// The lowest `width` bytes of `value`.
    pub fn bytes(self, value: u64, width: usize) -> Vec<u8> {
        match self {
            Self::Big => value.to_be_bytes()[8 - width..].to_vec(),
            Self::Little => value.to_le_bytes()[..width].to_vec(),
        }
    }

    /// The number in `bytes`, at most eight of them.
    pub fn number(self, bytes: &[u8]) -> u64 {
        let add = |number, byte: &u8| number << 8 | u64::from(*byte);
        match self {
            Self::Big => bytes.iter().fold(0, add),
            Self::Little => bytes.iter().rev().fold(0, add),
        }
    }
}

/// `bytes` with `piece` written over what is at `at`.
pub fn with(bytes: &[u8], at: usize, piece: &[u8]) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    changed[at..][..piece.len()].copy_from_slice(piece);
    changed
}

/// So many zeros, compressed about a thousandfold, as a zlib stream.
///
/// A flushed piece of a deflate stream depends on nothing before it, so a large one is a small one many times over.
pub fn zeros_compressed(length: u64) -> Vec<u8> {
    const PIECE: usize = 1 << 20;
    static FLUSHED: LazyLock<Vec<u8>> = LazyLock::new(|| deflated_zeros(PIECE, FlushCompress::Full));
    let header = [0x78, 0xDA];
    let pieces = FLUSHED.repeat((length / PIECE as u64) as usize);
    let rest = deflated_zeros((length % PIECE as u64) as usize, FlushCompress::Finish);
    // Adler-32 of zeros: the first sum stays at one, the second counts them.
    let checksum = (((length % 65_521) as u32) << 16 | 1).to_be_bytes();
    [&header, &pieces[..], &rest, &checksum].concat()
}

fn deflated_zeros(length: usize, flush: FlushCompress) -> Vec<u8> {
    let mut compress = Compress::new(Compression::best(), false);
    let mut out = Vec::with_capacity(length / 100 + 1_000);
    compress.compress_vec(&vec![0; length], &mut out, flush).unwrap();
    assert_eq!(compress.total_in(), length as u64);
    out
}

pub fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Bits, packed as they come.
pub struct Bits {
    bytes: Vec<u8>,
    used: usize,
    order: Order,
}

impl Bits {
    /// `Order::Big` fills each byte from its highest bit.
    pub fn new(order: Order) -> Self {
        Self { bytes: Vec::new(), used: 0, order }
    }

    /// Adds the lowest `width` bits of `value`: highest first if bytes are filled so, lowest first otherwise.
    pub fn put(&mut self, value: u64, width: usize) -> &mut Self {
        for n in 0..width {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let (from, to) = match self.order {
                Order::Big => (width - 1 - n, 7 - self.used % 8),
                Order::Little => (n, self.used % 8),
            };
            *self.bytes.last_mut().unwrap() |= ((value >> from & 1) as u8) << to;
            self.used += 1;
        }
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.bytes.clone()
    }
}
