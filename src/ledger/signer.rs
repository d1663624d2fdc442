//! The one who signs a log's checkpoints, and never two that contradict each other.
//!
//! A log that signs two inconsistent checkpoints has shown two histories, and no later honesty repairs that. So the
//! signer remembers the last one it signed and asks for a consistency proof from there to the next: a bug in storage, a
//! restored backup or a second writer ends in an error here, not in a fork that everybody can prove.

use super::checkpoint::{CheckpointError, SignedCheckpoint};
use super::hash::Hash;
use super::key::{SigningKey, VerifierKey};
use super::note::NoteError;
use super::verify::{ConsistencyError, verify_consistency};

/// A log's key together with the last checkpoint it signed.
#[derive(Debug)]
pub struct Signer {
    key: SigningKey,
    /// Signed by `key`, for the log of its name.
    last: Option<SignedCheckpoint>,
}

/// Why a checkpoint is not signed. The signer is as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Fewer leaves than already signed for.
    #[error("the tree has {to} leaves, but one of {from} has been signed")]
    Shrunk { from: u64, to: u64 },
    /// As many leaves as already signed for, but not the same.
    #[error("another tree of {size} leaves has been signed")]
    Forked { size: u64 },
    /// The tree is not shown to have grown from what was signed.
    #[error("the tree is not shown to contain the one signed last")]
    Inconsistent(#[source] ConsistencyError),
    /// The checkpoint would not be a note: out of reach, as a key's name always fits in one.
    #[error("the checkpoint cannot be written as a note")]
    Note(#[from] NoteError),
}

impl Signer {
    /// A signer that goes on after `last`: the checkpoint it signed last, as its store kept it, or `None` for a new log.
    ///
    /// Only a log that truly has signed nothing may begin with `None`: a signer without memory signs anything.
    ///
    /// # Errors
    /// [`CheckpointError`] if `last` is not a checkpoint that this key signed for the log of its name.
    pub fn resume(key: SigningKey, last: Option<&SignedCheckpoint>) -> Result<Self, CheckpointError> {
        if let Some(last) = last {
            last.verify(key.verifier())?;
        }
        Ok(Self { key, last: last.cloned() })
    }

    /// The key that verifies what it signs.
    pub fn verifier(&self) -> &VerifierKey {
        self.key.verifier()
    }

    /// The last checkpoint signed.
    pub fn last(&self) -> Option<&SignedCheckpoint> {
        self.last.as_ref()
    }

    /// Signs the tree of `size` leaves with this root, if `consistency_proof` shows that it grew from the last one signed.
    ///
    /// Before the first checkpoint that is the empty tree, from which every tree grows with an empty proof. The same tree
    /// may be signed again and gives the same bytes.
    ///
    /// The caller must make the result durable before anyone sees it: a signature published and then forgotten is what
    /// this type cannot guard against. One that is signed and never published does no harm.
    ///
    /// # Errors
    /// [`SignError`]; the last checkpoint then stays what it was.
    pub fn sign(&mut self, size: u64, root: Hash, consistency_proof: &[Hash]) -> Result<SignedCheckpoint, SignError> {
        let (from, from_root) = match &self.last {
            Some(last) => (last.claimed().size(), last.claimed().root()),
            None => (0, Hash::empty_tree()),
        };
        if size < from {
            return Err(SignError::Shrunk { from, to: size });
        }
        if size == from && root != from_root {
            return Err(SignError::Forked { size });
        }
        verify_consistency(from, from_root, size, root, consistency_proof).map_err(SignError::Inconsistent)?;
        let signed = SignedCheckpoint::sign(&self.key, size, root)?;
        self.last = Some(signed.clone());
        Ok(signed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{CT_ROOTS, Log, ct_log, mth, proof, signing_key};
    use super::*;
    use crate::ledger::note::{Note, SignatureError};

    const ORIGIN: &str = "example.org/ledger";

    /// A signer that has signed the tree of the first `size` test leaves.
    fn signer_at(size: u64) -> Signer {
        let last = SignedCheckpoint::sign(&signing_key(ORIGIN), size, CT_ROOTS[size as usize]).unwrap();
        Signer::resume(signing_key(ORIGIN), Some(&last)).unwrap()
    }

    #[test]
    fn a_log_signs_its_growth_step_by_step_and_across_restarts() {
        let mut signer = Signer::resume(signing_key(ORIGIN), None).unwrap();
        let mut signed = signer.sign(0, CT_ROOTS[0], &[]).unwrap();
        for size in [1_usize, 2, 3, 7, 8] {
            let from = signed.claimed().size() as usize;
            let grown = if from == 0 { vec![] } else { proof(from, &ct_log(size).leaves) };
            signer = Signer::resume(signing_key(ORIGIN), Some(&signed)).unwrap();
            signed = signer.sign(size as u64, CT_ROOTS[size], &grown).unwrap();
            assert_eq!(signer.last(), Some(&signed));
            let checkpoint = signed.verify(signer.verifier()).unwrap();
            assert_eq!((checkpoint.origin(), checkpoint.size()), (ORIGIN, size as u64));
            assert_eq!(checkpoint.root(), CT_ROOTS[size]);
        }
    }

    #[test]
    fn nothing_inconsistent_with_the_last_checkpoint_is_signed() {
        let grown = proof(6, &ct_log(8).leaves);
        let mut signer = signer_at(6);
        let before = signer.last().cloned();
        assert_eq!(signer.sign(5, CT_ROOTS[5], &[]), Err(SignError::Shrunk { from: 6, to: 5 }));
        assert_eq!(signer.sign(0, CT_ROOTS[0], &[]), Err(SignError::Shrunk { from: 6, to: 0 }));
        assert_eq!(signer.sign(6, CT_ROOTS[7], &[]), Err(SignError::Forked { size: 6 }));
        let length = ConsistencyError::Length { from: 6, to: 8, got: 0 };
        assert_eq!(signer.sign(8, CT_ROOTS[8], &[]), Err(SignError::Inconsistent(length)));
        let to_root = SignError::Inconsistent(ConsistencyError::ToRoot);
        assert_eq!(signer.sign(8, CT_ROOTS[7], &grown), Err(to_root));
        assert_eq!(signer.last().cloned(), before, "a refusal changes nothing");
        assert!(signer.sign(8, CT_ROOTS[8], &grown).is_ok());
    }

    #[test]
    fn a_history_rewritten_before_the_last_checkpoint_is_not_signed() {
        let mut rewritten = Log::default();
        for leaf in ["", "other", "", "", "", "", "", ""] {
            rewritten.push(leaf.as_bytes());
        }
        let grown = proof(6, &rewritten.leaves);
        let refused = SignError::Inconsistent(ConsistencyError::FromRoot);
        assert_eq!(signer_at(6).sign(8, mth(&rewritten.leaves), &grown), Err(refused));
    }

    #[test]
    fn signing_the_same_tree_again_gives_the_same_bytes() {
        let mut signer = signer_at(8);
        let before = signer.last().map(ToString::to_string);
        assert_eq!(signer.sign(8, CT_ROOTS[8], &[]).ok().map(|signed| signed.to_string()), before);
    }

    #[test]
    fn the_first_tree_signed_needs_no_proof_and_takes_none() {
        let mut signer = Signer::resume(signing_key(ORIGIN), None).unwrap();
        let length = ConsistencyError::Length { from: 0, to: 8, got: 1 };
        assert_eq!(signer.sign(8, CT_ROOTS[8], &[CT_ROOTS[1]]), Err(SignError::Inconsistent(length)));
        assert_eq!(signer.sign(0, CT_ROOTS[8], &[]), Err(SignError::Forked { size: 0 }));
        assert!(signer.sign(8, CT_ROOTS[8], &[]).is_ok());
    }

    #[test]
    fn a_signer_does_not_resume_from_a_checkpoint_that_is_not_its_own() {
        let other = SigningKey::from_secret(ORIGIN, &[99; 32]).unwrap();
        let last = SignedCheckpoint::sign(&other, 8, CT_ROOTS[8]).unwrap();
        let missing = CheckpointError::Signature(SignatureError::Missing(ORIGIN.to_owned()));
        assert_eq!(Signer::resume(signing_key(ORIGIN), Some(&last)).err(), Some(missing));

        let altered = signer_at(6).last().unwrap().to_string().replace("\n6\n", "\n5\n").parse().unwrap();
        let wrong = CheckpointError::Signature(SignatureError::Wrong(ORIGIN.to_owned()));
        assert_eq!(Signer::resume(signing_key(ORIGIN), Some(&altered)).err(), Some(wrong));

        let text = format!("example.org/other\n8\n{}\n", CT_ROOTS[8]);
        let foreign = Note::sign(&text, &signing_key(ORIGIN)).unwrap().to_string().parse().unwrap();
        let resumed = Signer::resume(signing_key(ORIGIN), Some(&foreign));
        assert!(matches!(resumed, Err(CheckpointError::Origin { .. })));
    }

    #[test]
    fn the_longest_name_and_the_largest_tree_fit_in_a_checkpoint() {
        let name = "n".repeat(crate::ledger::KEY_NAME_BYTES_MAX);
        let mut signer = Signer::resume(signing_key(&name), None).unwrap();
        let signed = signer.sign(u64::MAX, CT_ROOTS[8], &[]).unwrap();
        assert_eq!(signed.to_string().parse(), Ok(signed));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn whatever_is_asked_the_checkpoints_signed_are_all_of_one_history(asks in prop::collection::vec((0..40_usize, any::<bool>()), 1..20)) {
            let logs = [Log::of_size(40), { let mut log = Log::of_size(3); for _ in 3..40 { log.push(b"fork") } log }];
            let mut signer = Signer::resume(signing_key(ORIGIN), None).unwrap();
            let mut history: Vec<(u64, Hash)> = vec![(0, Hash::empty_tree())];
            for (size, fork) in asks {
                let leaves = &logs[usize::from(fork)].leaves[..size];
                let from = signer.last().map_or(0, |last| last.claimed().size()) as usize;
                let grown = if from == 0 || from > size { vec![] } else { proof(from, leaves) };
                let honest = from <= size && (from == 0 || Some(mth(&leaves[..from])) == history.last().map(|&(_, root)| root));
                prop_assert_eq!(signer.sign(size as u64, mth(leaves), &grown).is_ok(), honest);
                if honest { history.push((size as u64, mth(leaves))) }
            }
            let of = |log: &Log| history.iter().all(|&(size, root)| mth(&log.leaves[..size as usize]) == root);
            prop_assert!(logs.iter().any(of));
        }
    }
}
