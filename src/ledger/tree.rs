//! The shape of the tree and how it grows.
//!
//! An RFC 6962 tree over `n` leaves is a row of complete subtrees, widest first: one for every bit set in `n`. Complete
//! subtrees never change again, so they are what a store keeps, each once, under its [`NodeId`]; the nodes that join them
//! at the right edge change with every leaf and are computed when asked for.

use super::hash::Hash;

/// The place of a complete subtree: `2^level` leaves, of which the first is leaf `index * 2^level`.
///
/// Level 0 is the leaves themselves; levels 0, 8, 16, ... are the rows that C2SP `tlog-tiles` publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    /// Height above the leaves, 0 to 63.
    pub level: u8,
    /// Number of complete subtrees of this level to its left.
    pub index: u64,
}

impl NodeId {
    /// The place of leaf number `index`.
    pub const fn leaf(index: u64) -> Self {
        Self { level: 0, index }
    }

    /// The place of the subtree that has this one as its left or right half.
    const fn parent(self) -> Self {
        Self { level: self.level + 1, index: self.index / 2 }
    }
}

/// The complete subtrees whose leaves are `start..end`, widest first.
///
/// `start` must be 0 or a multiple of a power of two that is at least `end - start`: so it is for every subtree that RFC
/// 6962 splits off, and only then are the pieces complete subtrees.
pub(super) fn complete_subtrees(start: u64, end: u64) -> impl Iterator<Item = NodeId> {
    let mut next = start;
    std::iter::from_fn(move || {
        // The widest power of two that fits; none when nothing is left.
        let level = (end - next).checked_ilog2()?;
        let node = NodeId { level: level as u8, index: next >> level };
        next += 1 << level;
        Some(node)
    })
}

/// The Merkle tree hash of a row of complete subtrees, widest first: RFC 6962's MTH. Empty for no subtrees.
pub(super) fn join(subtrees: impl DoubleEndedIterator<Item = Hash>) -> Hash {
    subtrees.rev().reduce(|right, left| Hash::node(left, right)).unwrap_or_else(Hash::empty_tree)
}

/// The growing end of a tree: its size and the roots of its complete subtrees, at most 64 of them.
///
/// All that the writer has to keep in memory to append a leaf and to know the new root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// One for each bit set in `size`, widest first.
    peaks: Vec<(NodeId, Hash)>,
}

impl Frontier {
    /// The frontier of the tree without leaves.
    pub const fn empty() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// The frontier of the tree of `size` leaves whose complete nodes `fetch` reads.
    ///
    /// # Errors
    /// The first that `fetch` returns.
    pub fn load<E>(size: u64, mut fetch: impl FnMut(NodeId) -> Result<Hash, E>) -> Result<Self, E> {
        let peaks = complete_subtrees(0, size).map(|node| Ok((node, fetch(node)?))).collect::<Result<_, E>>()?;
        Ok(Self { size, peaks })
    }

    /// Number of leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf and emits every node that it completes: the leaf itself first, then upwards.
    ///
    /// Over a tree's life each complete node is emitted exactly once, so `n` leaves cost fewer than `2n` stored nodes.
    pub fn append(&mut self, leaf_hash: Hash, mut emit: impl FnMut(NodeId, Hash)) {
        let (mut node, mut hash) = (NodeId::leaf(self.size), leaf_hash);
        emit(node, hash);
        // Two neighbours of one level make one of the next: a binary counter's carry.
        while let Some((_, left)) = self.peaks.pop_if(|(peak, _)| peak.level == node.level) {
            (node, hash) = (node.parent(), Hash::node(left, hash));
            emit(node, hash);
        }
        self.peaks.push((node, hash));
        // A tree of 2^64 leaves is out of reach: at a thousand million leaves a second it takes five centuries.
        self.size += 1;
    }

    /// The Merkle tree hash over all leaves.
    pub fn root(&self) -> Hash {
        join(self.peaks.iter().map(|&(_, hash)| hash))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::super::testing::{CT_ROOTS, Log, ct_log, mth};
    use super::*;

    #[test]
    fn the_roots_are_those_of_the_certificate_transparency_test_data() {
        for (size, root) in CT_ROOTS.iter().enumerate() {
            assert_eq!(ct_log(size).frontier.root(), *root, "{size} leaves");
        }
    }

    #[test]
    fn every_size_up_to_130_has_the_root_of_the_definition() {
        let mut log = Log::default();
        for size in 0..=130 {
            assert_eq!(log.frontier.root(), mth(&log.leaves), "{size} leaves");
            assert_eq!(log.frontier.size(), size);
            log.push(&size.to_be_bytes());
        }
    }

    #[test]
    fn every_complete_node_is_emitted_once_and_is_the_hash_of_its_leaves() {
        let log = Log::of_size(130);
        let mut complete = 0;
        for level in 0..8_u8 {
            let width = 1 << level;
            for (index, leaves) in log.leaves.chunks_exact(width).enumerate() {
                let node = NodeId { level, index: index as u64 };
                assert_eq!(log.nodes[&node], mth(leaves), "{node:?}");
                complete += 1;
            }
        }
        // `Log::push` refuses a node that is emitted twice.
        assert_eq!(log.nodes.len(), complete);
    }

    #[test]
    fn a_frontier_rebuilt_from_stored_nodes_is_the_one_that_grew() {
        let mut log = Log::default();
        for _ in 0..=130 {
            let stored: Result<Frontier, NodeId> = Frontier::load(log.frontier.size(), |node| log.fetch(node));
            assert_eq!(stored.as_ref(), Ok(&log.frontier));
            log.push(b"next");
        }
    }

    #[test]
    fn a_frontier_is_not_rebuilt_around_a_missing_node() {
        let log = Log::of_size(6);
        let missing = NodeId { level: 1, index: 2 };
        let fetch = |node| if node == missing { Err(node) } else { log.fetch(node) };
        assert_eq!(Frontier::load(6, fetch), Err(missing));
    }

    #[test]
    fn the_largest_tree_that_has_a_size_still_has_a_frontier() {
        let frontier: Result<Frontier, ()> = Frontier::load(u64::MAX, |_| Ok(Hash::leaf(b"")));
        assert_eq!(frontier.map(|frontier| frontier.peaks.len()), Ok(64));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_tree_grown_in_two_sittings_is_the_tree_grown_in_one(size in 0_u64..3000, cut in 0_u64..3000) {
            let whole = Log::of_size(size);
            let mut resumed = Frontier::load(cut.min(size), |node| whole.fetch(node)).unwrap();
            let mut emitted = HashMap::new();
            for leaf in &whole.leaves[resumed.size() as usize..] {
                resumed.append(*leaf, |node, hash| assert_eq!(emitted.insert(node, hash), None));
            }
            prop_assert_eq!(resumed.root(), mth(&whole.leaves));
            prop_assert_eq!(resumed, whole.frontier);
            prop_assert!(emitted.iter().all(|(node, hash)| whole.nodes[node] == *hash));
        }
    }
}
