//! Checkpoints, proofs and receipts, verified as a member would: without asking the hub.

use hashcommons::client::Client;
use hashcommons::domain::{Fact, Role};
use hashcommons::ledger::record::decode_event;
use hashcommons::ledger::{
    Checkpoint, Frontier, Hash, Leaf, Receipt, SignedCheckpoint, VerifierKey, verify_consistency, verify_inclusion,
};
use hashcommons::wire::v1;

use crate::follow::events;
use crate::items::{accepted, contribute};
use crate::support::{TestHub, contribution, draft, pdq};

fn hashes(wire: &[Vec<u8>]) -> Vec<Hash> {
    wire.iter().map(|hash| Hash::from_bytes(hash.as_slice().try_into().unwrap())).collect()
}

async fn checkpoint(client: &Client) -> (Checkpoint, VerifierKey) {
    let answer = client.ledger().get_checkpoint(v1::GetCheckpointRequest {}).await.unwrap().into_inner();
    let key = answer.verifier_key.parse().unwrap();
    (answer.checkpoint.parse::<SignedCheckpoint>().unwrap().verify(&key).unwrap().clone(), key)
}

/// The leaves, and the root of the tree of each size.
async fn tree(client: &Client) -> (Vec<Leaf>, Vec<Hash>) {
    let (events, _) = events(client, 0).await;
    let leaves: Vec<_> = events.iter().map(|event| Leaf::from_bytes(&event.leaf).unwrap()).collect();
    let mut frontier = Frontier::empty();
    let mut roots = vec![Hash::empty_tree()];
    for leaf in &leaves {
        frontier.append(leaf.hash(), |_, _| {});
        roots.push(frontier.root());
    }
    (leaves, roots)
}

#[tokio::test]
async fn every_leaf_is_proven_to_be_in_the_tree_of_every_size_and_every_tree_to_begin_with_every_smaller_one() {
    let hub = TestHub::start().await;
    let member = hub.member("Contributor", &[Role::Contributor]).await;
    for n in 0..14 {
        contribute(&member, &format!("item-{n}"), vec![pdq(n)]).await;
    }
    let (leaves, roots) = tree(&member).await;
    let newest = leaves.len() as u64;
    for to in 0..=newest {
        let to_root = roots[to as usize];
        for index in 0..to {
            let request = v1::GetInclusionProofRequest { index, tree_size: Some(to) };
            let proof = member.ledger().get_inclusion_proof(request).await.unwrap().into_inner();
            assert_eq!((proof.index, proof.tree_size), (index, to));
            let leaf = Leaf::from_bytes(&proof.leaf).unwrap();
            assert_eq!(leaf, leaves[index as usize]);
            verify_inclusion(leaf.hash(), index, to, &hashes(&proof.hashes), to_root).unwrap();
            assert_eq!(proof.checkpoint.is_empty(), to != newest, "a checkpoint with the newest size only");
        }
        for from in 0..=to {
            let request = v1::GetConsistencyProofRequest { from_size: from, to_size: Some(to) };
            let proof = member.ledger().get_consistency_proof(request).await.unwrap().into_inner();
            assert_eq!((proof.from_size, proof.to_size), (from, to));
            verify_consistency(from, roots[from as usize], to, to_root, &hashes(&proof.hashes)).unwrap();
            assert_eq!(proof.checkpoint.is_empty(), to != newest, "a checkpoint with the newest size only");
        }
    }
    hub.stop().await;
}

#[tokio::test]
async fn a_proof_that_names_no_size_is_against_the_checkpoint_that_comes_with_it() {
    let hub = TestHub::start().await;
    let checker = hub.member("Checker", &[Role::Checker]).await;
    let (head, key) = checkpoint(&checker).await;
    let request = v1::GetInclusionProofRequest { index: 1, tree_size: None };
    let proof = checker.ledger().get_inclusion_proof(request).await.unwrap().into_inner();
    let signed: SignedCheckpoint = proof.checkpoint.parse().unwrap();
    assert_eq!(signed.verify(&key).unwrap(), &head);
    let leaf = Leaf::from_bytes(&proof.leaf).unwrap();
    verify_inclusion(leaf.hash(), 1, head.size(), &hashes(&proof.hashes), head.root()).unwrap();
    let wrong = verify_inclusion(leaf.hash(), 0, head.size(), &hashes(&proof.hashes), head.root());
    assert!(wrong.is_err(), "another place is not proven");
    hub.stop().await;
}

#[tokio::test]
async fn a_receipt_verifies_offline_and_shows_the_event_it_is_for() {
    let hub = TestHub::start().await;
    let member = hub.member("Contributor", &[Role::Contributor]).await;
    let given = accepted(&member, contribution("one", draft(vec![pdq(1)]))).await;
    for n in 2..9 {
        contribute(&member, &format!("item-{n}"), vec![pdq(n)]).await;
    }
    let withdraw = v1::WithdrawRequest { entry_id: given.entry_id, reason: v1::WithdrawReason::Mistake.into() };
    let withdrawn = member.contributions().withdraw(withdraw).await.unwrap().into_inner();
    let again = member.contributions().withdraw(withdraw).await.unwrap().into_inner();
    let trace = v1::TraceRequest { entry_id: given.entry_id, against: vec![] };
    let traced = member.reviews().trace(trace).await.unwrap().into_inner();
    let repeated = accepted(&member, contribution("one", draft(vec![pdq(1)]))).await;
    let (_, key) = checkpoint(&member).await;
    hub.stop().await;

    let event = |receipt: Option<v1::Receipt>| {
        let wire = receipt.unwrap();
        let receipt: Receipt = wire.tlog_proof.parse().unwrap();
        let verified = receipt.verify(&key).unwrap();
        assert_eq!(verified.index(), wire.index);
        (wire.index, decode_event(verified.event().unwrap()).unwrap().fact)
    };
    let first = event(given.receipt);
    let (index, fact) = &first;
    assert_eq!(*index, given.entry_id);
    assert!(matches!(fact, Fact::Contributed { draft, .. } if draft.signals()[0].hex() == pdq(1).value));
    assert_eq!(event(traced.receipt), first, "against a later checkpoint, but the same event");
    assert_eq!(event(repeated.receipt), first);
    let taken_back = event(withdrawn.receipt);
    assert!(matches!(taken_back.1, Fact::Withdrawn { entry, .. } if entry.0 == given.entry_id));
    assert_eq!(event(again.receipt), taken_back);
}

#[tokio::test]
async fn a_receipt_with_any_one_byte_changed_does_not_verify() {
    let hub = TestHub::start().await;
    let member = hub.member("Contributor", &[Role::Contributor]).await;
    let receipt = accepted(&member, contribution("one", draft(vec![pdq(1)]))).await.receipt.unwrap().tlog_proof;
    let (_, key) = checkpoint(&member).await;
    hub.stop().await;

    let verifies = |text: &str| text.parse::<Receipt>().is_ok_and(|receipt| receipt.verify(&key).is_ok());
    assert!(verifies(&receipt));
    for at in 0..receipt.len() {
        let mut bytes = receipt.clone().into_bytes();
        bytes[at] ^= 1;
        assert!(!String::from_utf8(bytes).is_ok_and(|text| verifies(&text)), "byte {at}");
        assert!(!receipt.get(..at).is_some_and(verifies), "cut before byte {at}");
    }
}

#[tokio::test]
async fn checkpoints_from_before_and_after_a_restart_are_of_one_ledger() {
    let hub = TestHub::start().await;
    let (_, key) = hub.enrol("Contributor", "NZ", &[Role::Contributor]).await;
    contribute(&hub.client(&key), "one", vec![pdq(1)]).await;
    let (before, verifier) = checkpoint(&hub.client(&key)).await;

    let hub = hub.restart().await;
    let member = hub.client(&key);
    assert_eq!(checkpoint(&member).await, (before.clone(), verifier.clone()), "a restart changes nothing");
    contribute(&member, "two", vec![pdq(2)]).await;
    let (after, same) = checkpoint(&member).await;
    assert_eq!((same, after.origin()), (verifier, before.origin()));
    let request = v1::GetConsistencyProofRequest { from_size: before.size(), to_size: None };
    let proof = member.ledger().get_consistency_proof(request).await.unwrap().into_inner();
    let proof = hashes(&proof.hashes);
    verify_consistency(before.size(), before.root(), after.size(), after.root(), &proof).unwrap();
    assert!(verify_consistency(before.size(), after.root(), after.size(), after.root(), &proof).is_err());
    hub.stop().await;
}
