//! Every platform that met an entry learns when it was wrong, and of its own matches only.

use std::time::Duration;

use hashcommons::client::Client;
use hashcommons::domain::{EntryId, Reach};
use hashcommons::wire::v1::{self, Ruling};

use crate::items::contribute;
use crate::reviewing::{contributor, decide, decision, queue, reviewers};
use crate::support::{TestHub, check_of, pdq};

const HOUR: Duration = Duration::from_hours(1);

async fn meet(client: &Client, n: u64, times: usize) {
    for _ in 0..times {
        assert_eq!(client.checks().check(check_of([pdq(n)])).await.unwrap().into_inner().matches.len(), 1);
    }
}

/// Read in pages of one, as one.
async fn reversals(client: &Client, since: u64) -> (Vec<v1::Reversal>, u64) {
    let mut request = v1::ListReversalsRequest { since, page_size: 1 };
    let mut reversals = Vec::new();
    loop {
        let page = client.feedback().list_reversals(request).await.unwrap().into_inner();
        reversals.extend(page.reversals);
        request.since = page.next;
        if !page.more {
            return (reversals, page.next);
        }
    }
}

/// What each says: entry, ruling, reason, matches.
fn said(reversals: &[v1::Reversal]) -> Vec<(u64, &str, &str, u64)> {
    reversals.iter().map(|one| (one.entry_id, &*one.ruling, &*one.reason, one.matches)).collect()
}

fn reach(hub: &TestHub, entry: u64) -> (u64, u64) {
    let Reach { members, matches } = hub.running().use_cases().unwrap().matches.reach(EntryId(entry)).unwrap();
    (members, matches)
}

#[tokio::test]
async fn a_reversal_reaches_everybody_who_met_the_entry_with_its_own_matches_alone() {
    let hub = TestHub::start().await;
    let source = contributor(&hub, "Source", "NZ", "").await;
    let [one, two, three] = [
        contributor(&hub, "One", "FR", "").await,
        contributor(&hub, "Two", "DE", "").await,
        contributor(&hub, "Three", "AU", "").await,
    ];
    let [reviewer, _] = reviewers(&hub).await;
    let mut entries = Vec::new();
    for n in 0..4 {
        entries.push(contribute(&source.client, &format!("item-{n}"), vec![pdq(n)]).await);
    }
    meet(&one.client, 0, 2).await;
    meet(&two.client, 0, 1).await;
    meet(&one.client, 1, 1).await;
    hub.clock.advance(2 * HOUR);
    meet(&one.client, 0, 3).await;
    meet(&two.client, 2, 4).await;
    assert_eq!((reach(&hub, entries[0]), reach(&hub, entries[2]), reach(&hub, entries[3])), ((2, 6), (1, 4), (0, 0)));
    assert_eq!(reversals(&one.client, 0).await.0, []);

    decide(&reviewer.client, entries[0], Ruling::Uphold).await.unwrap();
    let revoked = decide(&reviewer.client, entries[0], Ruling::Revoke).await.unwrap().event;
    let labels = vec!["recruitment-instruction".to_owned()];
    let relabel = v1::DecideRequest {
        labels: labels.clone(),
        reason: v1::RulingReason::WrongLabel.into(),
        ..decision(entries[1], Ruling::Relabel)
    };
    reviewer.client.reviews().decide(relabel).await.unwrap();
    let withdraw = v1::WithdrawRequest { entry_id: entries[2], reason: v1::WithdrawReason::Mistake.into() };
    source.client.contributions().withdraw(withdraw).await.unwrap();
    decide(&reviewer.client, entries[3], Ruling::Revoke).await.unwrap();

    let (ones, next) = reversals(&one.client, 0).await;
    let expected_of_one = [(entries[0], "revoke", "evidence-sound", 5), (entries[1], "relabel", "wrong-label", 1)];
    assert_eq!(said(&ones), expected_of_one);
    assert_eq!((ones[0].event, &ones[0].labels, &ones[1].labels), (revoked, &vec![], &labels));
    let seconds = |time: &Option<prost_types::Timestamp>| time.as_ref().unwrap().seconds;
    assert_eq!(seconds(&ones[0].last) - seconds(&ones[0].first), 2 * 3_600);
    assert_eq!(seconds(&ones[0].first) % 3_600, 0);
    let (twos, _) = reversals(&two.client, 0).await;
    assert_eq!(said(&twos), [(entries[0], "revoke", "evidence-sound", 1), (entries[2], "withdraw", "mistake", 4)]);
    assert_eq!(reversals(&three.client, 0).await.0, []);
    assert_eq!(reversals(&one.client, next).await, (vec![], next));
    assert_eq!(said(&reversals(&one.client, revoked + 1).await.0), expected_of_one[1..]);
    hub.check().await;
    crate::statistics::recounted(&hub).await;

    // What was not on disk yet is there when the hub stops.
    let keys = [one.key.clone(), two.key.clone()];
    drop((source, one, two, three, reviewer));
    let hub = hub.restart().await;
    let [one, two] = keys.map(|key| hub.client(&key));
    assert_eq!((reversals(&one, 0).await.0, reversals(&two, 0).await.0), (ones.clone(), twos));
    assert_eq!(reach(&hub, entries[0]), (2, 6));
    // As long as matches are kept.
    hub.clock.advance(90 * 24 * HOUR - HOUR);
    assert_eq!(reversals(&one, 0).await.0[0].matches, 3, "those of the first hour are gone");
    hub.clock.advance(3 * HOUR);
    assert_eq!(reversals(&one, 0).await.0, []);
    assert_eq!(reach(&hub, entries[0]), (0, 0));
    hub.check().await;
    crate::statistics::recounted(&hub).await;
}

#[tokio::test]
async fn what_an_entry_matches_after_a_decision_is_not_counted_to_it_and_the_queue_begins_with_what_reaches_most() {
    let hub = TestHub::start().await;
    let source = contributor(&hub, "Source", "NZ", "").await;
    let [one, two] = [contributor(&hub, "One", "FR", "").await, contributor(&hub, "Two", "DE", "").await];
    let [reviewer, _] = reviewers(&hub).await;
    let [first, second] = [
        contribute(&source.client, "first", vec![pdq(1)]).await,
        contribute(&source.client, "second", vec![pdq(2)]).await,
    ];
    meet(&one.client, 1, 9).await;
    meet(&one.client, 2, 1).await;
    meet(&two.client, 2, 1).await;
    for n in [1, 2] {
        let receipt = crate::feedback::receipt(&one.client, n).await;
        let report = crate::feedback::report(&receipt, "false-positive");
        one.client.feedback().report_outcome(report).await.unwrap();
    }
    let waiting: Vec<_> = queue(&reviewer.client).await.items.iter().map(|item| item.reach).collect();
    assert_eq!(waiting, [2, 1], "members, not matches");
    decide(&reviewer.client, first, Ruling::Lower).await.unwrap();
    decide(&reviewer.client, second, Ruling::Lower).await.unwrap();
    hub.clock.advance(HOUR);
    meet(&one.client, 1, 5).await;
    let (ones, _) = reversals(&one.client, 0).await;
    assert_eq!(ones.iter().map(|one| one.matches).collect::<Vec<_>>(), [10, 2]);
    decide(&reviewer.client, first, Ruling::Revoke).await.unwrap();
    let (ones, _) = reversals(&one.client, 0).await;
    assert_eq!(ones.iter().map(|one| one.matches).collect::<Vec<_>>(), [10, 2, 15]);
    hub.check().await;
    crate::statistics::recounted(&hub).await;
}
