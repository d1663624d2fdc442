//! Making Merkle proofs from stored nodes.
//!
//! RFC 6962 defines its proofs by recursion over lists of leaves (PATH and SUBPROOF, sections 2.1.1 and 2.1.2). Here the
//! same recursion runs down the tree as a loop over ranges of leaves, and each subtree it splits off is put together from
//! the complete nodes that a store holds: a proof costs at most a few dozen reads, whatever the size.

use super::hash::Hash;
use super::tree::{NodeId, complete_subtrees, join};

/// Why no proof was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError<E> {
    /// The leaf is not in a tree of that size.
    #[error("there is no leaf {index} in a tree of {size} leaves")]
    IndexOutOfRange { index: u64, size: u64 },
    /// A tree does not grow backwards.
    #[error("a tree of {from} leaves cannot be the beginning of a tree of {to}")]
    SizesOutOfOrder { from: u64, to: u64 },
    /// A node could not be read.
    #[error("a node of the tree could not be read")]
    Fetch(#[source] E),
}

/// The proof that leaf `index` is in the tree of `size` leaves: RFC 6962's `PATH(index, D[size])`, the sibling of the leaf
/// first, the child of the root last.
///
/// `fetch` is asked for complete nodes of that tree only, which a tree that has grown since still has: proofs can be made
/// for any past size.
///
/// # Errors
/// [`ProofError::IndexOutOfRange`] unless `index < size`; [`ProofError::Fetch`] with the first error of `fetch`.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    mut fetch: impl FnMut(NodeId) -> Result<Hash, E>,
) -> Result<Vec<Hash>, ProofError<E>> {
    if index >= size {
        return Err(ProofError::IndexOutOfRange { index, size });
    }
    let mut siblings = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = split(start, end);
        if index < middle {
            siblings.push(subtree(middle, end, &mut fetch)?);
            end = middle;
        } else {
            siblings.push(subtree(start, middle, &mut fetch)?);
            start = middle;
        }
    }
    siblings.reverse();
    Ok(siblings)
}

/// The proof that the first `from` leaves of the tree of `to` leaves are the tree of `from` leaves: RFC 6962's
/// `PROOF(from, D[to])`.
///
/// Empty where there is nothing to show: the empty tree begins every tree, and every tree begins itself. RFC 6962 leaves
/// `from = 0` undefined; [`verify_consistency`](super::verify_consistency) knows this reading of it.
///
/// # Errors
/// [`ProofError::SizesOutOfOrder`] unless `from <= to`; [`ProofError::Fetch`] with the first error of `fetch`.
pub fn consistency_proof<E>(
    from: u64,
    to: u64,
    mut fetch: impl FnMut(NodeId) -> Result<Hash, E>,
) -> Result<Vec<Hash>, ProofError<E>> {
    if from > to {
        return Err(ProofError::SizesOutOfOrder { from, to });
    }
    if from == 0 {
        return Ok(Vec::new());
    }
    let mut nodes = Vec::new();
    let (mut start, mut end) = (0, to);
    // Down to the subtree that ends where the old tree did.
    while end != from {
        let middle = split(start, end);
        if from <= middle {
            nodes.push(subtree(middle, end, &mut fetch)?);
            end = middle;
        } else {
            nodes.push(subtree(start, middle, &mut fetch)?);
            start = middle;
        }
    }
    // If that subtree is the whole old tree, its hash is the old root, which the verifier has.
    if start > 0 {
        nodes.push(subtree(start, end, &mut fetch)?);
    }
    nodes.reverse();
    Ok(nodes)
}

/// Where RFC 6962 splits the leaves `start..end`, of which there are at least two: after the largest power of two smaller
/// than their number.
fn split(start: u64, end: u64) -> u64 {
    start + (1 << (end - start - 1).ilog2())
}

/// The hash of the subtree over the leaves `start..end`, complete or not.
fn subtree<E>(start: u64, end: u64, mut fetch: impl FnMut(NodeId) -> Result<Hash, E>) -> Result<Hash, ProofError<E>> {
    let hashes = complete_subtrees(start, end).map(&mut fetch).collect::<Result<Vec<_>, E>>();
    Ok(join(hashes.map_err(ProofError::Fetch)?.into_iter()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Log, ct_log, hashes, path, proof};
    use super::*;

    #[test]
    fn inclusion_proofs_are_those_of_the_certificate_transparency_test_data() {
        let log = ct_log(8);
        for (index, size, expected) in [
            (0, 1, ""),
            (
                0,
                8,
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7
                 5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e
                 6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ),
            (
                5,
                8,
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b
                 ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0
                 d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ),
            (2, 3, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (
                1,
                5,
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
                 5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e
                 bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ),
        ] {
            let made = inclusion_proof(index, size, |node| log.fetch(node));
            assert_eq!(made, Ok(hashes(expected)), "leaf {index} of {size}");
        }
    }

    #[test]
    fn consistency_proofs_are_those_of_the_certificate_transparency_test_data() {
        let log = ct_log(8);
        for (from, to, expected) in [
            (1, 1, ""),
            (
                1,
                8,
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7
                 5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e
                 6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ),
            (
                6,
                8,
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a
                 ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0
                 d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ),
            (
                2,
                5,
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e
                 bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ),
        ] {
            let made = consistency_proof(from, to, |node| log.fetch(node));
            assert_eq!(made, Ok(hashes(expected)), "{from} to {to}");
        }
    }

    #[test]
    fn all_proofs_in_trees_of_up_to_130_leaves_are_those_of_the_definition() {
        // One log: the proofs for a past size are made from the nodes of the grown tree.
        let log = Log::of_size(130);
        for size in 1..=130 {
            let leaves = &log.leaves[..size as usize];
            for at in 0..size {
                let inclusion = inclusion_proof(at, size, |node| log.fetch_at(size, node));
                assert_eq!(inclusion, Ok(path(at as usize, leaves)), "leaf {at} of {size}");
                let consistency = consistency_proof(at + 1, size, |node| log.fetch_at(size, node));
                assert_eq!(consistency, Ok(proof(at as usize + 1, leaves)), "{} to {size}", at + 1);
            }
        }
    }

    #[test]
    fn a_proof_about_what_is_not_in_the_tree_is_refused_before_any_read() {
        let no_reads = |_| -> Result<Hash, ()> { panic!("nothing to read") };
        assert_eq!(inclusion_proof(0, 0, no_reads), Err(ProofError::IndexOutOfRange { index: 0, size: 0 }));
        assert_eq!(inclusion_proof(7, 7, no_reads), Err(ProofError::IndexOutOfRange { index: 7, size: 7 }));
        assert_eq!(consistency_proof(8, 7, no_reads), Err(ProofError::SizesOutOfOrder { from: 8, to: 7 }));
        assert_eq!(consistency_proof(0, 7, no_reads), Ok(vec![]));
        assert_eq!(consistency_proof(7, 7, no_reads), Ok(vec![]));
    }

    #[test]
    fn a_node_that_cannot_be_read_fails_the_proof() {
        let broken = |node: NodeId| -> Result<Hash, NodeId> { Err(node) };
        let first = NodeId { level: 1, index: 1 };
        assert_eq!(inclusion_proof(0, 4, broken), Err(ProofError::Fetch(first)));
        assert_eq!(consistency_proof(2, 4, broken), Err(ProofError::Fetch(first)));
    }

    #[test]
    fn proofs_reach_to_the_largest_sizes_without_overflow() {
        let fetch = |node: NodeId| -> Result<Hash, ()> { Ok(Hash::leaf(&node.index.to_be_bytes())) };
        for size in [u64::MAX, u64::MAX - 1, (1 << 63) + 1, 1 << 63, (1 << 63) - 1] {
            for at in [0, 1, size / 2, size - 2, size - 1] {
                assert!(inclusion_proof(at, size, fetch).is_ok_and(|proof| proof.len() <= 64));
                assert!(consistency_proof(at, size, fetch).is_ok_and(|proof| proof.len() <= 65));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn proofs_in_larger_trees_are_those_of_the_definition(size in 131_u64..3000, at in any::<proptest::sample::Index>()) {
            let log = Log::of_size(size);
            let at = at.index(size as usize);
            let inclusion = inclusion_proof(at as u64, size, |node| log.fetch(node));
            prop_assert_eq!(inclusion, Ok(path(at, &log.leaves)));
            let consistency = consistency_proof(at as u64 + 1, size, |node| log.fetch(node));
            prop_assert_eq!(consistency, Ok(proof(at + 1, &log.leaves)));
        }
    }
}
