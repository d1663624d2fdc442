//! Hash to neighbours: which entries have a hash within so many bits of this one. Exact, in memory.
//!
//! A row is a hash of `W` words (4 for PDQ, 1 for the 64-bit kinds) and the id of the entry it belongs to. An id may have
//! many rows and a hash many ids. There is one index a kind of signal.
//!
//! **Invariant: an answer is never approximate.** What [`HammingIndex::search`] returns equals what a scan of all live
//! rows would, at every moment: while rows are added, removed and moved in the background. A neighbour overlooked is a
//! match missed.
//!
//! | file | what |
//! |---|---|
//! | `neighbours` | the answer, and how raw hits become one |
//! | `flat` | [`Flat`]: the scan. The oracle that everything else must equal |
//! | `simd` | [`Simd`]: the processor's wide registers, and the same without them |
//! | `table` | large arrays in large pages of memory |
//! | `mih` | [`Writer`] and [`Reader`]: multi-index hashing for one writer and many readers |
//!
//! Deliberately unknown here: what an entry is and whether it still counts, which kind of signal the bits come from, and
//! the disk. The index is rebuilt from the store at start, and what an id means is the caller's business.

mod flat;
mod mih;
mod neighbours;
mod simd;
mod table;

#[cfg(test)]
mod corpus;

pub use flat::Flat;
pub use mih::{Reader, Writer};
pub use neighbours::{HammingIndex, Neighbour, Neighbours, SearchError};
pub use simd::{Simd, UnknownSimd};

/// One hash of one entry: the hash, most significant word first, and the entry's id.
pub type Row<const W: usize> = ([u64; W], u64);
