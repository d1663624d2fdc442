//! Multi-index hashing (Norouzi, Punjani & Fleet 2014): an exact index for one writer and many readers.
//!
//! A hash is cut into bands; rows that agree with the query on a band to within a bit or two, and nearly on the 16 bits after it,
//! are candidates, and only candidates are compared in full. `bands` has the proof that no neighbour escapes.
//!
//! ```text
//!            Writer ──────────┐                       ┌── Merger (a thread)
//!      insert, remove         │                       │  merges small segments into large ones
//!                             ▼                       ▼
//!                    ┌──────────────── Shelf (behind a lock readers never take) ───┐
//!                    │  recent rows, scanned      segments, probed by band         │
//!                    │  [ append-only   ]         [small] [ larger ] [  large  ]   │
//!                    └──────────────┬──────────────────────────────────────────────┘
//!                                   │ publishes a Snapshot
//!                                   ▼
//!            Reader, Reader, Reader: each search holds one snapshot from begin to end
//! ```
//!
//! | file | what |
//! |---|---|
//! | `ask` | one search, as every part is asked it |
//! | `bands` | where to look for a given radius, and why that is enough |
//! | `segment` | many rows, immutable but for removals, found by band |
//! | `directory` | where a segment's rows of each band value are listed |
//! | `recent` | the newest rows, appended while readers scan them |
//! | `tombstones` | which rows of either are removed |
//! | `shelf` | all parts together, and each change to them |
//! | `sizes` | how large segments are, and which to merge |
//! | `merge` | several segments made into one |
//! | `merger` | the thread that does so |
//! | `writer`, `reader` | the two handles |
//!
//! Invariants: a row is in exactly one part of a snapshot; a part never changes but by appending to `recent` and by
//! removals; a removal is marked in the newest snapshot before `remove` returns, and a merge that began before it cannot
//! bring the row back.

mod ask;
mod bands;
mod directory;
mod merge;
mod merger;
mod reader;
mod recent;
mod segment;
mod shelf;
mod sizes;
mod tombstones;
mod writer;

#[cfg(test)]
mod tests;

pub use reader::Reader;
pub use writer::Writer;
