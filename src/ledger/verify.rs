//! Checking Merkle proofs, without the tree: the algorithms of RFC 9162, sections 2.1.3.2 and 2.1.4.2.
//!
//! Both walk from the leaf level up with two numbers: the place of the node they have (`place`) and the place of the last
//! node of that level (`last`). Where the two meet, the node has no right sibling at that level and moves up unchanged.
//! A proof must have exactly the length that index and sizes call for: what is left over or missing fails it.
//!
//! What these checks do not know: whether the sizes and roots given to them are true. A proof for one size can also hold
//! for another in which the path has the same turns, so sizes and roots must come out of a signed checkpoint.

use super::hash::Hash;

/// Why a leaf is not shown to be in a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InclusionError {
    /// The leaf would be outside the tree.
    #[error("there is no leaf {index} in a tree of {size} leaves")]
    IndexOutOfRange { index: u64, size: u64 },
    /// Hashes are missing or left over.
    #[error("the proof has {got} hashes, which is not what leaf {index} in a tree of {size} leaves calls for")]
    Length { index: u64, size: u64, got: usize },
    /// The hashes lead elsewhere: the leaf, its place, the proof or the root is not the true one.
    #[error("the proof does not lead from this leaf to the checkpoint's root")]
    Root,
}

/// Checks that a leaf is number `index` of the tree of `size` leaves with this root.
///
/// # Errors
/// [`InclusionError`] if that does not follow from `proof`.
pub fn verify_inclusion(
    leaf_hash: Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: Hash,
) -> Result<(), InclusionError> {
    if index >= size {
        return Err(InclusionError::IndexOutOfRange { index, size });
    }
    let wrong_length = InclusionError::Length { index, size, got: proof.len() };
    let mut walk = Walk { place: index, last: size - 1 };
    let mut hash = leaf_hash;
    for &sibling in proof {
        hash = match walk.step().ok_or(wrong_length)? {
            Side::Left => Hash::node(sibling, hash),
            Side::Right => Hash::node(hash, sibling),
        };
    }
    if !walk.is_at_root() {
        return Err(wrong_length);
    }
    if hash == root { Ok(()) } else { Err(InclusionError::Root) }
}

/// Why one tree is not shown to be the beginning of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsistencyError {
    /// A tree does not grow backwards.
    #[error("a tree of {from} leaves cannot be the beginning of a tree of {to}")]
    SizesOutOfOrder { from: u64, to: u64 },
    /// Hashes are missing or left over.
    #[error("the proof has {got} hashes, which is not what growth from {from} to {to} leaves calls for")]
    Length { from: u64, to: u64, got: usize },
    /// The proof does not lead to the root of the smaller tree.
    #[error("the proof does not lead to the root of the earlier tree")]
    FromRoot,
    /// The proof does not lead to the root of the larger tree.
    #[error("the proof does not lead to the root of the later tree")]
    ToRoot,
}

/// Checks that the first `from` leaves of the tree of `to` leaves with root `to_root` are those of the tree with root
/// `from_root`: that nothing was changed or removed in between.
///
/// From size 0 every tree grows, whatever its root, and from a size to itself only the same root; both with an empty
/// proof. RFC 9162 starts at `from = 1`; the empty tree's root is checked all the same.
///
/// # Errors
/// [`ConsistencyError`] if that does not follow from `proof`.
pub fn verify_consistency(
    from: u64,
    from_root: Hash,
    to: u64,
    to_root: Hash,
    proof: &[Hash],
) -> Result<(), ConsistencyError> {
    if from > to {
        return Err(ConsistencyError::SizesOutOfOrder { from, to });
    }
    let wrong_length = ConsistencyError::Length { from, to, got: proof.len() };
    if from == 0 || from == to {
        if !proof.is_empty() {
            return Err(wrong_length);
        }
        if from == 0 && from_root != Hash::empty_tree() {
            return Err(ConsistencyError::FromRoot);
        }
        return if from == to && from_root != to_root { Err(ConsistencyError::ToRoot) } else { Ok(()) };
    }

    // Begin at the widest complete subtree that ends where the earlier tree does.
    let level = from.trailing_zeros();
    let mut walk = Walk { place: (from - 1) >> level, last: (to - 1) >> level };
    // If that subtree is the whole earlier tree, the proof leaves its hash out: it is the root we have.
    let (start, rest) = if from.is_power_of_two() {
        (from_root, proof)
    } else {
        let (&first, rest) = proof.split_first().ok_or(wrong_length)?;
        (first, rest)
    };
    let (mut from_hash, mut to_hash) = (start, start);
    for &sibling in rest {
        match walk.step().ok_or(wrong_length)? {
            Side::Left => {
                from_hash = Hash::node(sibling, from_hash);
                to_hash = Hash::node(sibling, to_hash);
            }
            // To the right of the earlier tree's end: only the later tree has it.
            Side::Right => to_hash = Hash::node(to_hash, sibling),
        }
    }
    if !walk.is_at_root() {
        return Err(wrong_length);
    }
    if from_hash != from_root {
        return Err(ConsistencyError::FromRoot);
    }
    if to_hash != to_root { Err(ConsistencyError::ToRoot) } else { Ok(()) }
}

/// On which side of the walk's node its sibling is.
enum Side {
    Left,
    Right,
}

/// The way from a node up to the root.
struct Walk {
    /// Place of the node in its level.
    place: u64,
    /// Place of the last node of that level.
    last: u64,
}

impl Walk {
    /// Moves up to the next node that has two children and says where the sibling was; `None` if already at the root.
    fn step(&mut self) -> Option<Side> {
        if self.is_at_root() {
            return None;
        }
        if self.place == self.last && self.place.is_multiple_of(2) {
            // No sibling here: up to the level where the node is a right child. `place` is not 0, so there is one.
            let levels = self.place.trailing_zeros();
            self.place >>= levels;
            self.last >>= levels;
        }
        let side = if self.place.is_multiple_of(2) { Side::Right } else { Side::Left };
        self.place /= 2;
        self.last /= 2;
        Some(side)
    }

    /// Whether the level has one node only.
    fn is_at_root(&self) -> bool {
        self.last == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{CT_ROOTS, Log, ct_log, mth, path, proof};
    use super::*;

    /// The turns from the root down to leaf `m` of `n`, as PATH takes them: all that a verifier learns from two numbers.
    fn turns(m: u64, n: u64) -> Option<Vec<bool>> {
        if m >= n {
            return None;
        }
        let (mut start, mut end, mut turns) = (0, n, vec![]);
        while end - start > 1 {
            let middle = start + ((end - start) as u128).div_ceil(2).next_power_of_two() as u64;
            turns.push(m < middle);
            if m < middle { end = middle } else { start = middle }
        }
        Some(turns)
    }

    /// The same for SUBPROOF, and whether the earlier tree is a whole subtree.
    fn growth(from: u64, to: u64) -> Option<(bool, Vec<bool>)> {
        if from == 0 || from > to {
            return None;
        }
        let (mut start, mut end, mut turns) = (0, to, vec![]);
        while end != from {
            let middle = start + ((end - start) as u128).div_ceil(2).next_power_of_two() as u64;
            turns.push(from <= middle);
            if from <= middle { end = middle } else { start = middle }
        }
        Some((start == 0, turns))
    }

    fn flip(hash: Hash, bit: usize) -> Hash {
        let mut bytes = hash.to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        Hash::from_bytes(bytes)
    }

    /// Every way to change one bit of one of `hashes`, to drop one, to repeat one, and to add one.
    fn tampered(hashes: &[Hash]) -> Vec<Vec<Hash>> {
        let mut all = vec![[hashes, &[Hash::leaf(b"more")]].concat(), [hashes, &[Hash::empty_tree()]].concat()];
        for at in 0..hashes.len() {
            for bit in 0..256 {
                let mut changed = hashes.to_vec();
                changed[at] = flip(changed[at], bit);
                all.push(changed);
            }
            let mut changed = hashes.to_vec();
            changed.insert(at, changed[at]);
            all.push(changed.clone());
            changed.drain(at..at + 2);
            all.push(changed);
        }
        all
    }

    #[test]
    fn all_proofs_in_trees_of_up_to_130_leaves_hold() {
        let log = Log::of_size(130);
        let roots: Vec<Hash> = (0..=130).map(|size| mth(&log.leaves[..size])).collect();
        for size in 1..=130 {
            let leaves = &log.leaves[..size];
            for at in 0..size {
                let proven = verify_inclusion(leaves[at], at as u64, size as u64, &path(at, leaves), roots[size]);
                assert_eq!(proven, Ok(()), "leaf {at} of {size}");
                let from = at + 1;
                let proven =
                    verify_consistency(from as u64, roots[from], size as u64, roots[size], &proof(from, leaves));
                assert_eq!(proven, Ok(()), "{from} to {size}");
            }
        }
    }

    #[test]
    fn changing_one_bit_of_an_inclusion_proof_or_of_what_it_is_about_fails_it() {
        for size in 1..=9 {
            let log = Log::of_size(size);
            let root = mth(&log.leaves);
            for at in 0..size {
                let (leaf, proof) = (log.leaves[at as usize], path(at as usize, &log.leaves));
                assert_eq!(verify_inclusion(leaf, at, size, &proof, root), Ok(()));
                for proof in tampered(&proof) {
                    assert!(verify_inclusion(leaf, at, size, &proof, root).is_err(), "{at} of {size}: {proof:?}");
                }
                for bit in 0..256 {
                    assert!(verify_inclusion(flip(leaf, bit), at, size, &proof, root).is_err());
                    assert!(verify_inclusion(leaf, at, size, &proof, flip(root, bit)).is_err());
                }
                for bit in 0..64 {
                    // Another index of the same size is always another path; another size need not be.
                    assert!(verify_inclusion(leaf, at ^ (1 << bit), size, &proof, root).is_err());
                    let other = size ^ (1 << bit);
                    let same = turns(at, other) == turns(at, size);
                    assert_eq!(verify_inclusion(leaf, at, other, &proof, root).is_ok(), same, "{at} of {other}");
                }
            }
        }
    }

    #[test]
    fn changing_one_bit_of_a_consistency_proof_or_of_what_it_is_about_fails_it() {
        for to in 1..=9_u64 {
            let log = Log::of_size(to);
            let to_root = mth(&log.leaves);
            for from in 1..=to {
                let from_root = mth(&log.leaves[..from as usize]);
                let proof = proof(from as usize, &log.leaves);
                assert_eq!(verify_consistency(from, from_root, to, to_root, &proof), Ok(()));
                for proof in tampered(&proof) {
                    assert!(verify_consistency(from, from_root, to, to_root, &proof).is_err(), "{from} to {to}");
                }
                for bit in 0..256 {
                    assert!(verify_consistency(from, flip(from_root, bit), to, to_root, &proof).is_err());
                    assert!(verify_consistency(from, from_root, to, flip(to_root, bit), &proof).is_err());
                }
                for bit in 0..64 {
                    for (from2, to2) in [(from ^ (1 << bit), to), (from, to ^ (1 << bit))] {
                        let same = growth(from2, to2) == growth(from, to);
                        let holds = verify_consistency(from2, from_root, to2, to_root, &proof).is_ok();
                        assert_eq!(holds, same, "proof of {from} to {to} taken for {from2} to {to2}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_tree_grows_from_the_empty_one_and_only_from_its_root() {
        let (empty, root) = (Hash::empty_tree(), CT_ROOTS[8]);
        assert_eq!(verify_consistency(0, empty, 0, empty, &[]), Ok(()));
        assert_eq!(verify_consistency(0, empty, 8, root, &[]), Ok(()));
        assert_eq!(verify_consistency(0, root, 8, root, &[]), Err(ConsistencyError::FromRoot));
        assert_eq!(verify_consistency(0, empty, 0, root, &[]), Err(ConsistencyError::ToRoot));
        let got = verify_consistency(0, empty, 8, root, &[root]);
        assert_eq!(got, Err(ConsistencyError::Length { from: 0, to: 8, got: 1 }));
    }

    #[test]
    fn each_failure_is_told_apart() {
        let log = ct_log(8);
        let proof = path(3, &log.leaves);
        let check = |at, size, proof: &[Hash]| verify_inclusion(log.leaves[3], at, size, proof, CT_ROOTS[8]);
        assert_eq!(check(8, 8, &proof), Err(InclusionError::IndexOutOfRange { index: 8, size: 8 }));
        assert_eq!(check(0, 0, &[]), Err(InclusionError::IndexOutOfRange { index: 0, size: 0 }));
        assert_eq!(check(3, 8, &proof[1..]), Err(InclusionError::Length { index: 3, size: 8, got: 2 }));
        assert_eq!(check(2, 8, &proof), Err(InclusionError::Root));

        let grown = super::super::testing::proof(3, &log.leaves);
        let check = |from, root, proof: &[Hash]| verify_consistency(from, root, 8, CT_ROOTS[8], proof);
        assert_eq!(check(9, CT_ROOTS[3], &grown), Err(ConsistencyError::SizesOutOfOrder { from: 9, to: 8 }));
        assert_eq!(check(3, CT_ROOTS[3], &[]), Err(ConsistencyError::Length { from: 3, to: 8, got: 0 }));
        assert_eq!(check(3, CT_ROOTS[4], &grown), Err(ConsistencyError::FromRoot));
        assert_eq!(check(8, CT_ROOTS[7], &[]), Err(ConsistencyError::ToRoot));
    }

    proptest! {
        #[test]
        fn no_input_makes_verification_panic(a: u64, b: u64, near in 0_u64..3, seeds in prop::collection::vec(any::<[u8; 32]>(), 0..70)) {
            let proof: Vec<Hash> = seeds.into_iter().map(Hash::from_bytes).collect();
            for (x, y) in [(a, b), (a.saturating_sub(near), a), (near, b), (u64::MAX - near, u64::MAX)] {
                prop_assert!(verify_inclusion(Hash::leaf(b""), x, y, &proof, Hash::empty_tree()).is_err());
                prop_assert!(verify_consistency(x, Hash::leaf(b""), y, Hash::leaf(b"x"), &proof).is_err());
            }
        }
    }
}
