//! Somebody tries to make the hub act on what is lawful, or to act alone.

use std::collections::BTreeSet;

use hashcommons::domain::Clock;
use hashcommons::policy::trust;
use hashcommons::store::RegisterRow;
use hashcommons::wire::v1::{self, Action, Ruling, Standing};

use crate::items::{contribute, near};
use crate::reviewing::{
    a_month_passes, add_all_benign, add_benign, assessment, contributor, decide, matches, reviewers, words,
};
use crate::support::{TestHub, contribution, draft, pdq};

const PICTURES: u64 = 1_000;

/// How far the hub believes a member, in percent.
fn trust_of(hub: &TestHub, member: &str) -> u8 {
    let rows = hub.running().use_cases().unwrap().store.register().unwrap();
    let mut all = rows.into_iter().filter_map(|row| match row {
        RegisterRow::Trust(other, trust) if other.to_string() == member => Some(trust),
        _ => None,
    });
    trust::percent(&all.next().unwrap(), hub.clock.now())
}

#[tokio::test]
async fn a_rogue_member_that_contributes_benign_pictures_gets_none_beyond_review_and_is_believed_no_more() {
    let hub = TestHub::start().await;
    let [reviewer, _] = reviewers(&hub).await;
    let rogue = contributor(&hub, "Rogue", "NZ", "").await;
    let (_, checker) = hub.trusted("Checker").await;
    let checker = hub.client(&checker);
    a_month_passes(&hub);
    let numbers: Vec<u64> = (0..PICTURES).collect();
    for some in numbers.chunks(250) {
        let item = |n: &u64| v1::BenignItem { signals: vec![pdq(*n)], class: 1, reference: format!("agency:{n}") };
        add_all_benign(&reviewer.client, some.iter().map(item).collect()).await;
    }

    // The pictures themselves, and variants of them as far as the benign radius goes.
    let variant = |n: u64| near(&pdq(n), (n % 32) as usize);
    let requests = numbers.iter().map(|n| contribution(&format!("r-{n}"), draft(vec![variant(*n)])));
    let requests = tokio_stream::iter(requests.collect::<Vec<_>>());
    let mut answers = rogue.client.contributions().contribute_stream(requests).await.unwrap().into_inner();
    let mut entries = BTreeSet::new();
    while let Some(answer) = answers.message().await.unwrap() {
        let Some(v1::contribute_stream_response::Outcome::Accepted(accepted)) = answer.outcome else { panic!() };
        entries.insert(accepted.entry_id);
        let told = accepted.assessment.unwrap();
        assert_eq!((accepted.standing, told.standing()), (told.standing, Standing::Quarantined));
        assert_eq!(told.action(), Action::LogOnly);
        let held = "it is near a picture that is known to be benign, and is held back until a reviewer has looked";
        assert_eq!(words(&told, "benign"), Some(held));
    }
    assert_eq!(entries.len() as u64, PICTURES);

    let mut met = BTreeSet::new();
    for some in numbers.chunks(16) {
        for signals in [some.iter().map(|n| variant(*n)).collect::<Vec<_>>(), some.iter().map(|n| pdq(*n)).collect()] {
            for found in matches(&checker, signals).await {
                let told = found.assessment.unwrap();
                assert!(told.action() <= Action::Review, "{told:?}");
                met.insert(found.entry.unwrap().entry_id);
            }
        }
    }
    assert_eq!(met, entries, "every one of them was met");

    assert!(trust_of(&hub, &rogue.id) < 50, "{}", trust_of(&hub, &rogue.id));
    let honest = contribute(&rogue.client, "honest", vec![pdq(50_000)]).await;
    let told = assessment(&reviewer.client, honest).await;
    assert_eq!((told.standing(), told.action()), (Standing::Provisional, Action::Review));
    let says = words(&told, "trust").unwrap();
    assert!(says.starts_with("of its contributor's entries too many were wrong: trust "), "{says}");

    // Nor does what one reviewer lets stand go beyond review.
    let first = *entries.first().unwrap();
    let upheld = decide(&reviewer.client, first, Ruling::Uphold).await.unwrap().assessment.unwrap();
    assert_eq!((upheld.standing() == Standing::Quarantined, upheld.action()), (false, Action::Review));
    hub.check().await;
    crate::statistics::recounted(&hub).await;
    hub.stop().await;
}

#[tokio::test]
async fn whoever_is_believed_no_more_corroborates_nothing() {
    let hub = TestHub::start().await;
    let [reviewer, _] = reviewers(&hub).await;
    let rogue = contributor(&hub, "Rogue", "FR", "").await;
    let honest = contributor(&hub, "Honest", "NZ", "").await;
    a_month_passes(&hub);
    let entry = contribute(&honest.client, "a", vec![pdq(1)]).await;
    contribute(&rogue.client, "b", vec![pdq(1)]).await;
    assert_eq!(assessment(&reviewer.client, entry).await.action(), Action::Block);
    for n in 0..20 {
        add_benign(&reviewer.client, vec![pdq(100 + n)]).await;
        contribute(&rogue.client, &format!("n-{n}"), vec![pdq(100 + n)]).await;
    }
    let told = assessment(&reviewer.client, entry).await;
    assert_eq!((told.standing(), told.action()), (Standing::Provisional, Action::BlockPendingReview));
    hub.stop().await;
}

#[tokio::test]
async fn a_match_by_a_query_near_a_benign_hash_never_exceeds_review_whatever_its_entry_is_worth() {
    let hub = TestHub::start().await;
    let [reviewer, _] = reviewers(&hub).await;
    let one = contributor(&hub, "One", "NZ", "").await;
    let other = contributor(&hub, "Other", "FR", "").await;
    a_month_passes(&hub);
    let benign = pdq(1);
    let id = add_benign(&reviewer.client, vec![benign.clone()]).await;
    let listed = near(&benign, 40);
    let entry = contribute(&one.client, "a", vec![listed.clone()]).await;
    contribute(&other.client, "b", vec![listed.clone()]).await;
    assert_eq!(assessment(&reviewer.client, entry).await.action(), Action::Block, "it is too far from what is benign");
    for (bits, action) in [(40, Action::Block), (32, Action::Block), (31, Action::Review), (20, Action::Review)] {
        let found = matches(&one.client, [near(&benign, bits)]).await;
        assert_eq!(found.len(), 2, "{bits}");
        for one in found {
            let told = one.assessment.unwrap();
            assert_eq!(told.action(), action, "{bits}: {told:?}");
            let reason = told.reasons.iter().find(|reason| reason.rule == "near-benign");
            assert_eq!(reason.map(|reason| reason.events.clone()), (bits < 32).then(|| vec![id]));
        }
    }
    hub.stop().await;
}

/// What the first entry of these organisations counts for, when all of them contribute the same hash.
async fn together(hub: &TestHub, n: u64, parties: &[(&str, &str)]) -> v1::Assessment {
    let mut clients = Vec::new();
    for (at, (country, owner)) in parties.iter().enumerate() {
        clients.push(contributor(hub, &format!("Party {n} {at}"), country, owner).await.client);
    }
    a_month_passes(hub);
    let mut entries = Vec::new();
    for (at, client) in clients.iter().enumerate() {
        // Not the same hash: what is within the radius counts as much.
        entries.push(contribute(client, "same", vec![near(&pdq(n), [0, 16, 8, 4][at])]).await);
    }
    let (_, key) = hub.enrol(&format!("Reader {n}"), "SE", &[hashcommons::domain::Role::Reviewer]).await;
    assessment(&hub.client(&key), entries[0]).await
}

#[tokio::test]
async fn members_of_one_owner_count_once_those_of_one_state_never_block_and_two_of_two_states_do() {
    let hub = TestHub::start().await;
    for (n, parties, standing, action, says) in [
        (
            1,
            &[("NZ", "holding"), ("FR", "holding")][..],
            Standing::Provisional,
            Action::BlockPendingReview,
            "one organisation in one jurisdiction stands for it on graphic-violence; more than block-pending-review takes two \
             organisations in two jurisdictions",
        ),
        (
            2,
            &[("NZ", ""), ("NZ", ""), ("NZ", "")],
            Standing::Provisional,
            Action::BlockPendingReview,
            "three organisations in one jurisdiction agree on graphic-violence; more than block-pending-review takes two \
             organisations in two jurisdictions",
        ),
        (
            3,
            &[("NZ", ""), ("FR", "")],
            Standing::Active,
            Action::Block,
            "two organisations in two jurisdictions agree on graphic-violence",
        ),
        (
            4,
            &[("NZ", "other-holding"), ("FR", "other-holding"), ("DE", "")],
            Standing::Active,
            Action::Block,
            "two organisations in two jurisdictions agree on graphic-violence",
        ),
    ] {
        let told = together(&hub, n, parties).await;
        assert_eq!((told.standing(), told.action()), (standing, action), "{n}: {told:?}");
        let rule = if standing == Standing::Active { "corroborated" } else { "uncorroborated" };
        assert_eq!(words(&told, rule), Some(says), "{n}");
    }
    hub.check().await;
    crate::statistics::recounted(&hub).await;
    hub.stop().await;
}

#[tokio::test]
async fn an_entry_just_beyond_the_radius_corroborates_nothing() {
    let hub = TestHub::start().await;
    let one = contributor(&hub, "One", "NZ", "").await;
    let other = contributor(&hub, "Other", "FR", "").await;
    let [reviewer, _] = reviewers(&hub).await;
    a_month_passes(&hub);
    for (n, bits, action) in [(1, 16, Action::Block), (2, 17, Action::BlockPendingReview)] {
        let entry = contribute(&one.client, &format!("a-{n}"), vec![pdq(n)]).await;
        contribute(&other.client, &format!("b-{n}"), vec![near(&pdq(n), bits)]).await;
        assert_eq!(assessment(&reviewer.client, entry).await.action(), action, "{bits}");
    }
    hub.stop().await;
}
