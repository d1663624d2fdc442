//! The ledger: from an event to a proof that it was recorded.
//!
//! What the hub records is a sequence of events. Each becomes a [`Leaf`] that commits to it and reveals nothing; the leaves
//! are hashed into the append-only Merkle tree of RFC 6962; the hub signs the tree's root as a C2SP checkpoint; and a
//! [`Receipt`] carries a leaf's place, its path to a signed root and, for those who may see it, the event.
//!
//! | from | through | to |
//! |---|---|---|
//! | event and [`Salt`] | [`Leaf::commit`] | public leaf |
//! | leaf hash | [`Frontier::append`] | nodes to store, new root |
//! | stored nodes | [`inclusion_proof`], [`consistency_proof`] | proofs |
//! | root and proof of growth | [`Signer::sign`] | [`SignedCheckpoint`] |
//! | all of these | [`Receipt`] | a text file that verifies offline |
//!
//! Invariants: a leaf never changes and never moves; a signer signs no two checkpoints that contradict each other; text
//! that parses prints back byte for byte; whatever is altered in a receipt, it no longer verifies.
//!
//! Deliberately unknown here: what an event says (bytes), where nodes are kept (a function that fetches them), what time it
//! is, where randomness comes from (salts and keys are handed in), and who may see what.
//!
//! Sources: [RFC 6962](https://www.rfc-editor.org/rfc/rfc6962.html) and
//! [RFC 9162](https://www.rfc-editor.org/rfc/rfc9162.html), section 2.1; [signed-note](https://c2sp.org/signed-note),
//! [tlog-checkpoint](https://c2sp.org/tlog-checkpoint), [tlog-proof](https://c2sp.org/tlog-proof).

mod checkpoint;
mod commitment;
mod hash;
mod key;
mod note;
mod proof;
mod receipt;
pub mod record;
mod signer;
#[cfg(test)]
mod testing;
mod text;
mod tree;
mod verify;

pub use checkpoint::{Checkpoint, CheckpointError, CheckpointTextError, SignedCheckpoint};
pub use commitment::{Leaf, LeafError, Salt};
pub use hash::{Hash, HashTextError};
pub use key::{KEY_NAME_BYTES_MAX, KeyError, SigningKey, VerifierKey};
pub use note::{NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, Note, NoteError, SignatureError};
pub use proof::{ProofError, consistency_proof, inclusion_proof};
pub use receipt::{
    EVENT_BYTES_MAX, Opening, PROOF_HASHES_MAX, Receipt, ReceiptError, ReceiptLimitError, ReceiptTextError, Verified,
};
pub use signer::{SignError, Signer};
pub use tree::{Frontier, NodeId};
pub use verify::{ConsistencyError, InclusionError, verify_consistency, verify_inclusion};
