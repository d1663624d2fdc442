//! What waits for reviewers, and in which order.

use std::time::Duration;

use hashcommons::domain::Clock;
use hashcommons::wire::timestamp;
use hashcommons::wire::v1::{self, Action, Attention, Ruling, Standing};

use crate::feedback::{receipt, report};
use crate::items::{accepted, contribute};
use crate::reviewing::{Party, a_month_passes, add_benign, assessment, contributor, decide, queue, reviewers, words};
use crate::support::{TestHub, contribution, draft, pdq};

async fn scene() -> (TestHub, Party, [Party; 2]) {
    let hub = TestHub::start().await;
    let one = contributor(&hub, "One", "NZ", "").await;
    let reviewers = reviewers(&hub).await;
    a_month_passes(&hub);
    (hub, one, reviewers)
}

fn shape(queue: &v1::ListQueueResponse) -> Vec<(u64, Vec<Attention>)> {
    queue.items.iter().map(|item| (item.entry_id, item.attention().collect())).collect()
}

async fn only(reviewer: &Party, attention: Attention) -> Vec<u64> {
    let request = v1::ListQueueRequest { attention: vec![attention.into()], ..Default::default() };
    let listed = reviewer.client.reviews().list_queue(request).await.unwrap().into_inner();
    listed.items.iter().map(|item| item.entry_id).collect()
}

#[tokio::test]
async fn what_waits_longest_comes_first_page_by_page_whatever_came_in_which_order() {
    let (hub, one, [first, second]) = scene().await;
    let mut entries = Vec::new();
    for n in 0..9 {
        entries.push(contribute(&one.client, &format!("request-{n}"), vec![pdq(n)]).await);
    }
    // The last are near something benign first.
    for n in (0..9).rev() {
        hub.clock.advance(Duration::from_secs(60));
        add_benign(&first.client, vec![pdq(n)]).await;
    }
    let expected: Vec<u64> = entries.iter().rev().copied().collect();
    let (mut listed, mut after, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let request = v1::ListQueueRequest { page_size: 4, after, ..Default::default() };
        let page = second.client.reviews().list_queue(request).await.unwrap().into_inner();
        assert_eq!((page.total, page.is_complete), (9, true));
        listed.extend(page.items);
        (after, pages) = (page.next, pages + 1);
        if after.is_empty() {
            break;
        }
    }
    assert_eq!((listed.iter().map(|item| item.entry_id).collect::<Vec<_>>(), pages), (expected, 3));
    assert!(listed.is_sorted_by_key(|item| item.since.unwrap().seconds));
    for item in &listed {
        let told = item.assessment.as_ref().unwrap();
        assert_eq!((told.standing(), told.action()), (Standing::Quarantined, Action::LogOnly));
        assert!(words(told, "benign").is_some());
    }
    // What is settled in between neither repeats nor skips anything.
    decide(&first.client, listed[0].entry_id, Ruling::Uphold).await.unwrap();
    decide(&first.client, listed[4].entry_id, Ruling::Revoke).await.unwrap();
    let left: Vec<_> = queue(&first.client).await.items.iter().map(|item| item.entry_id).collect();
    let expected = listed.iter().enumerate().filter(|(at, _)| ![0, 4].contains(at)).map(|(_, item)| item.entry_id);
    assert_eq!(left, expected.collect::<Vec<_>>());
    hub.stop().await;
}

#[tokio::test]
async fn contributions_of_a_key_in_other_hands_wait_from_that_time_on_and_no_others() {
    let (hub, one, [first, _]) = scene().await;
    let before = contribute(&one.client, "before", vec![pdq(1)]).await;
    hub.clock.advance(Duration::from_secs(3_600));
    let since = Some(timestamp(hub.clock.now()));
    let after = contribute(&one.client, "after", vec![pdq(2)]).await;
    let looked_at = contribute(&one.client, "looked-at", vec![pdq(3)]).await;
    let gone = contribute(&one.client, "gone", vec![pdq(4)]).await;
    one.client.contributions().withdraw(v1::WithdrawRequest { entry_id: gone, reason: 0 }).await.unwrap();
    decide(&first.client, looked_at, Ruling::Uphold).await.unwrap();
    hub.clock.advance(Duration::from_secs(3_600));
    assert!(queue(&first.client).await.items.is_empty());
    let request = v1::MarkKeyCompromisedRequest { key_id: one.key.id().to_string(), since };
    hub.admin().admin().mark_key_compromised(request).await.unwrap();
    assert_eq!(shape(&queue(&first.client).await), [(after, vec![Attention::CompromisedKey])]);
    assert_eq!(assessment(&first.client, after).await.standing(), Standing::Quarantined);
    assert_eq!(assessment(&first.client, before).await.standing(), Standing::Provisional);
    let waiting = queue(&first.client).await;
    assert_eq!(waiting.items[0].since, Some(timestamp(hub.clock.now())), "since it was noted");
    decide(&first.client, after, Ruling::Uphold).await.unwrap();
    assert!(queue(&first.client).await.items.is_empty());
    hub.check().await;
    crate::statistics::recounted(&hub).await;
    hub.stop().await;
}

#[tokio::test]
async fn what_rests_on_an_entitys_listing_waits_when_it_is_delisted_and_goes_nowhere_by_itself() {
    let (hub, one, [first, _]) = scene().await;
    let of = |entity: &str, n: u64| {
        let mut draft = draft(vec![pdq(n)]);
        let (entity, list_date) = (entity.to_owned(), "2026-11-01".to_owned());
        let basis = v1::basis::Basis::UnConsolidatedList(v1::basis::UnConsolidatedList { entity, list_date });
        draft.provenance.as_mut().unwrap().basis = Some(v1::Basis { basis: Some(basis) });
        contribution(&format!("{n}"), draft)
    };
    let entry = accepted(&one.client, of("QDe.1", 1)).await.entry_id;
    let gone = accepted(&one.client, of("QDe.1", 2)).await.entry_id;
    accepted(&one.client, of("QDe.11", 3)).await;
    one.client.contributions().withdraw(v1::WithdrawRequest { entry_id: gone, reason: 0 }).await.unwrap();
    let request = v1::DelistEntityRequest { entity: "QDe.1".to_owned() };
    let delisted = first.client.reviews().delist_entity(request.clone()).await.unwrap().into_inner();
    assert_eq!(delisted.entries, 1);
    assert_eq!(shape(&queue(&first.client).await), [(entry, vec![Attention::Delisted])]);
    let told = assessment(&first.client, entry).await;
    assert_eq!((told.standing(), told.action()), (Standing::Disputed, Action::Review));
    assert!(words(&told, "delisted").unwrap().starts_with("QDe.1 was taken off the list on "));
    decide(&first.client, entry, Ruling::Uphold).await.unwrap();
    assert!(queue(&first.client).await.items.is_empty());
    // What is contributed afterwards, on a list of another day, is not what was meant.
    accepted(&one.client, of("QDe.1", 4)).await;
    assert!(queue(&first.client).await.items.is_empty());
    // Said again, it is to be looked at again.
    hub.admin().reviews().delist_entity(request).await.unwrap();
    assert_eq!(only(&first, Attention::Delisted).await.len(), 2);
    let hub = hub.restart().await;
    let client = hub.client(&first.key);
    assert_eq!(queue(&client).await.total, 2);
    hub.check().await;
    crate::statistics::recounted(&hub).await;
    hub.stop().await;
}

#[tokio::test]
async fn what_goes_beyond_the_days_measure_waits_and_can_be_asked_for_by_its_reason() {
    let (hub, one, [first, _]) = scene().await;
    let policy = "[contributions]\nquarantine_above_per_day = 2".to_owned();
    hub.admin().policy().set_policy(v1::SetPolicyRequest { policy, replaces: None }).await.unwrap();
    let mut entries = Vec::new();
    for n in 0..4 {
        entries.push(contribute(&one.client, &format!("request-{n}"), vec![pdq(n)]).await);
    }
    add_benign(&first.client, vec![pdq(0)]).await;
    add_benign(&first.client, vec![pdq(3)]).await;
    assert_eq!(only(&first, Attention::Excess).await, entries[2..]);
    assert_eq!(only(&first, Attention::BenignNear).await, [entries[0], entries[3]]);
    assert!(only(&first, Attention::Disputed).await.is_empty());
    let all = queue(&first.client).await;
    let of = |entry| shape(&all).into_iter().find(|(id, _)| *id == entry).unwrap().1;
    assert_eq!(of(entries[3]), [Attention::BenignNear, Attention::Excess]);
    for entry in entries {
        decide(&first.client, entry, Ruling::Uphold).await.unwrap();
    }
    assert!(queue(&first.client).await.items.is_empty());
    hub.check().await;
    crate::statistics::recounted(&hub).await;
    hub.stop().await;
}

#[tokio::test]
async fn what_reached_more_members_comes_first_and_objections_and_appeals_are_told_apart() {
    let (hub, one, [first, _]) = scene().await;
    let mut entries = Vec::new();
    for n in 0..3 {
        entries.push(contribute(&one.client, &format!("request-{n}"), vec![pdq(n)]).await);
    }
    let mut platforms = Vec::new();
    for n in 0..3 {
        platforms.push(contributor(&hub, &format!("Platform {n}"), "FR", "").await.client);
    }
    // The first was met by one platform, the second by three, the third by two; the first waits longest.
    let met = [&platforms[..1], &platforms[..3], &platforms[1..3]];
    for (n, platforms) in met.into_iter().enumerate() {
        hub.clock.advance(Duration::from_secs(60));
        let mut receipts = Vec::new();
        for platform in platforms {
            receipts.push(receipt(platform, n as u64).await);
        }
        if n == 1 {
            let request = v1::OpenAppealRequest {
                receipt: receipts[0].clone(),
                ground: "lawful-context".to_owned(),
                note: String::new(),
            };
            platforms[0].feedback().open_appeal(request).await.unwrap();
        } else {
            platforms[0].feedback().report_outcome(report(&receipts[0], "false-positive")).await.unwrap();
        }
    }
    let listed = queue(&first.client).await;
    let expected = [
        (entries[1], vec![Attention::Appeal]),
        (entries[2], vec![Attention::Disputed]),
        (entries[0], vec![Attention::Disputed]),
    ];
    assert_eq!(shape(&listed), expected);
    assert_eq!(listed.items.iter().map(|item| item.reach).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(only(&first, Attention::Appeal).await, [entries[1]]);
    // Page by page it is the same.
    let mut paged = Vec::new();
    let mut after = String::new();
    for _ in 0..3 {
        let request = v1::ListQueueRequest { page_size: 1, after, ..Default::default() };
        let page = first.client.reviews().list_queue(request).await.unwrap().into_inner();
        paged.extend(page.items.iter().map(|item| item.entry_id));
        after = page.next;
    }
    assert_eq!((paged, after.as_str()), (vec![entries[1], entries[2], entries[0]], ""));
    decide(&first.client, entries[1], Ruling::Revoke).await.unwrap();
    decide(&first.client, entries[2], Ruling::Uphold).await.unwrap();
    assert_eq!(shape(&queue(&first.client).await), expected[2..]);
    hub.check().await;
    crate::statistics::recounted(&hub).await;
    hub.stop().await;
}
