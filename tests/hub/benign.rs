//! The benign list.

use hashcommons::wire::v1::add_benign_response::answer::Outcome;
use hashcommons::wire::v1::{self, Action, BenignClass, SignalKind, Standing};
use tonic::Code;

use crate::items::{contribute, near, signal, some};
use crate::reviewing::{
    a_month_passes, add_all_benign, add_benign, assessment, contributor, matches, queue, remove_benign, reviewers,
};
use crate::support::{TestHub, pdq};

fn item(signals: Vec<v1::Signal>, reference: &str) -> v1::BenignItem {
    v1::BenignItem { signals, class: BenignClass::Logo.into(), reference: reference.to_owned() }
}

#[tokio::test]
async fn what_is_added_later_lowers_entries_that_are_there_and_what_is_removed_restores_them() {
    let hub = TestHub::start().await;
    let one = contributor(&hub, "One", "NZ", "").await;
    let other = contributor(&hub, "Other", "FR", "").await;
    let [reviewer, _] = reviewers(&hub).await;
    a_month_passes(&hub);
    let md5 = some(SignalKind::Md5, 9);
    for (n, entry_of, benign) in [
        (1, vec![pdq(1)], vec![near(&pdq(1), 31)]),
        // By any of its signals, and any of the item's.
        (2, vec![pdq(2), pdq(1_002)], vec![pdq(5_000), near(&pdq(1_002), 7)]),
        (3, vec![pdq(3), md5.clone()], vec![md5]),
    ] {
        let entry = contribute(&one.client, &format!("a-{n}"), entry_of.clone()).await;
        contribute(&other.client, &format!("b-{n}"), entry_of).await;
        let before = assessment(&reviewer.client, entry).await;
        assert_eq!((before.standing(), before.action()), (Standing::Active, Action::Block), "{n}");
        let id = add_benign(&reviewer.client, benign).await;
        let held = assessment(&reviewer.client, entry).await;
        assert_eq!((held.standing(), held.action()), (Standing::Quarantined, Action::LogOnly), "{n}");
        let reason = held.reasons.iter().find(|reason| reason.rule == "benign").unwrap();
        assert_eq!(reason.events, [id]);
        assert_eq!(matches(&one.client, [pdq(n)]).await[0].assessment.as_ref().unwrap().action(), Action::LogOnly);
        assert_eq!(queue(&reviewer.client).await.total, 2, "both entries wait");
        remove_benign(&reviewer.client, id).await;
        assert_eq!(assessment(&reviewer.client, entry).await, before, "{n}");
        assert_eq!(queue(&reviewer.client).await.total, 0);
    }
    hub.check().await;
    crate::statistics::recounted(&hub).await;
    hub.stop().await;
}

#[tokio::test]
async fn beyond_the_radius_nothing_is_lowered() {
    let hub = TestHub::start().await;
    let one = contributor(&hub, "One", "NZ", "").await;
    let [reviewer, _] = reviewers(&hub).await;
    a_month_passes(&hub);
    let entry = contribute(&one.client, "a", vec![pdq(1)]).await;
    add_benign(&reviewer.client, vec![near(&pdq(1), 32)]).await;
    assert_eq!(assessment(&reviewer.client, entry).await.standing(), Standing::Provisional);
    assert_eq!(queue(&reviewer.client).await.total, 0);
    hub.stop().await;
}

#[tokio::test]
async fn each_item_has_its_own_answer_and_one_that_is_there_already_is_recognized() {
    let hub = TestHub::start().await;
    let [reviewer, _] = reviewers(&hub).await;
    let [a, b] = [pdq(1), some(SignalKind::Sha256, 2)];
    let items = vec![
        item(vec![a.clone(), b.clone()], "agency:1"),
        item(vec![signal(SignalKind::Pdq, "12")], ""),
        item(vec![some(SignalKind::Phash, 3)], ""),
        item(vec![b.clone(), a.clone()], "agency:other"),
        item(vec![], ""),
        v1::BenignItem { class: 0, ..item(vec![a.clone()], "") },
        item(vec![a.clone()], "with spaces"),
        item(vec![a.clone()], ""),
    ];
    let answers = add_all_benign(&reviewer.client, items.clone()).await;
    let Outcome::Added(first) = answers[0] else { panic!("{answers:?}") };
    assert!(!first.repeated);
    for (at, beginning) in [
        (1, "items[1].signals[0].value: must be 64 hex digits"),
        (2, "items[2].signals[0].kind: must be pdq, md5 or sha256"),
        (4, "items[4].signals: must be 1 to 16, got 0"),
        (5, "items[5].class: must be one of news, "),
        (6, "items[6].reference: must be 1 to 64"),
    ] {
        let Outcome::Rejected(rejected) = &answers[at] else { panic!("{at}: {answers:?}") };
        assert_eq!(Code::from(rejected.code), Code::InvalidArgument);
        assert!(rejected.message.starts_with(beginning), "{}", rejected.message);
    }
    let same = v1::add_benign_response::Added { benign_id: first.benign_id, repeated: true };
    assert_eq!(answers[3], Outcome::Added(same), "in another order it is the same item");
    assert!(matches!(&answers[7], Outcome::Added(added) if !added.repeated), "a part of it is another");
    let again = add_all_benign(&reviewer.client, items).await;
    assert_eq!(again[0], Outcome::Added(same));
    let added =
        |answers: &[Outcome]| answers.iter().filter(|one| matches!(one, Outcome::Added(a) if !a.repeated)).count();
    assert_eq!((added(&answers), added(&again)), (2, 0));

    remove_benign(&reviewer.client, first.benign_id).await;
    let request = v1::RemoveBenignRequest { benign_id: first.benign_id };
    assert_eq!(reviewer.client.reviews().remove_benign(request).await.unwrap_err().code(), Code::NotFound);
    let anew = add_benign(&reviewer.client, vec![a, b]).await;
    assert!(anew > first.benign_id, "what was removed may come back, as another");
    hub.check().await;
    crate::statistics::recounted(&hub).await;
    hub.stop().await;
}

#[tokio::test]
async fn the_list_is_paged_oldest_first_and_outlives_a_restart() {
    let hub = TestHub::start().await;
    let [reviewer, _] = reviewers(&hub).await;
    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(add_benign(&reviewer.client, vec![pdq(n), some(SignalKind::Md5, n)]).await);
    }
    remove_benign(&reviewer.client, ids.remove(3)).await;
    let hub = hub.restart().await;
    let client = hub.client(&reviewer.key);
    let (mut listed, mut from, mut pages) = (Vec::new(), Some(0), 0);
    while let Some(next) = from {
        let request = v1::ListBenignRequest { from: next, page_size: 2 };
        let page = client.reviews().list_benign(request).await.unwrap().into_inner();
        assert!(page.items.len() <= 2);
        listed.extend(page.items);
        (from, pages) = (page.next, pages + 1);
    }
    assert_eq!((listed.iter().map(|one| one.benign_id).collect::<Vec<_>>(), pages), (ids, 3));
    let first = listed[0].item.as_ref().unwrap();
    assert_eq!((first.class(), first.signals.len(), &listed[0].by), (BenignClass::News, 2, &reviewer.id));
    hub.check().await;
    crate::statistics::recounted(&hub).await;
    hub.stop().await;
}
