//! Appeals by platforms for those who share through them, and what becomes of them.

use std::time::Duration;

use hashcommons::client::Client;
use hashcommons::wire::v1::{self, Ruling};
use tonic::{Code, Status};

use crate::feedback::receipt;
use crate::items::contribute;
use crate::reviewing::{assessment, contributor, decide, reviewers, words};
use crate::support::{TestHub, pdq};

async fn appeal(client: &Client, receipt: &str, ground: &str) -> Result<v1::OpenAppealResponse, Status> {
    let request = v1::OpenAppealRequest {
        receipt: receipt.to_owned(),
        ground: ground.to_owned(),
        note: "of a museum".to_owned(),
    };
    client.feedback().open_appeal(request).await.map(tonic::Response::into_inner)
}

async fn list(client: &Client, open_only: bool) -> Vec<v1::Appeal> {
    let mut request = v1::ListAppealsRequest { open_only, from: None, page_size: 2 };
    let mut appeals = Vec::new();
    loop {
        let page = client.feedback().list_appeals(request).await.unwrap().into_inner();
        assert!(page.appeals.len() <= 2);
        appeals.extend(page.appeals);
        let Some(next) = page.next else { return appeals };
        request.from = Some(next);
    }
}

fn states(appeals: &[v1::Appeal]) -> Vec<&str> {
    appeals.iter().map(|appeal| appeal.state.as_str()).collect()
}

#[tokio::test]
async fn an_appeal_is_open_once_has_a_deadline_and_is_ended_by_a_decision() {
    let hub = TestHub::start().await;
    let source = contributor(&hub, "Source", "NZ", "").await;
    let [one, two] = [contributor(&hub, "One", "FR", "").await, contributor(&hub, "Two", "DE", "").await];
    let [reviewer, _] = reviewers(&hub).await;
    let entry = contribute(&source.client, "item", vec![pdq(1)]).await;
    let [mine, theirs] = [receipt(&one.client, 1).await, receipt(&two.client, 1).await];
    let opened = appeal(&one.client, &mine, "lawful-context").await.unwrap();
    let first = opened.appeal.unwrap();
    assert_eq!((first.entry_id, first.member_id.as_str(), first.state.as_str()), (entry, &*one.id, "open"));
    assert_eq!((first.note.as_str(), first.is_overdue, opened.repeated), ("of a museum", false, false));
    assert_eq!(first.deadline.unwrap().seconds - first.opened.unwrap().seconds, 14 * 86_400);

    let events = hub.check().await.events;
    let again = appeal(&one.client, &mine, "outdated").await.unwrap();
    assert_eq!((again.appeal, again.repeated), (Some(first.clone()), true), "the open one stands as it was");
    assert_eq!(hub.check().await.events, events);

    let second = appeal(&two.client, &theirs, "other").await.unwrap().appeal.unwrap();
    assert_eq!(list(&one.client, false).await, std::slice::from_ref(&first));
    assert_eq!(list(&two.client, false).await, std::slice::from_ref(&second));
    assert_eq!(list(&source.client, false).await, []);
    assert_eq!(list(&reviewer.client, false).await, [first.clone(), second.clone()]);
    assert_eq!(list(&hub.admin(), true).await.len(), 2);
    assert!(words(&assessment(&reviewer.client, entry).await, "appeal").unwrap().contains("two open appeals"));

    hub.clock.advance(Duration::from_hours(14 * 24));
    assert!(list(&one.client, true).await[0].is_overdue);
    let event = decide(&reviewer.client, entry, Ruling::Lower).await.unwrap().event;
    let ended = list(&one.client, false).await;
    assert_eq!((states(&ended), ended[0].ended_by, ended[0].is_overdue), (vec!["changed"], Some(event), false));
    assert_eq!((list(&two.client, true).await, list(&reviewer.client, true).await), (vec![], vec![]));

    let third = appeal(&one.client, &mine, "lawful-context").await.unwrap();
    assert!(!third.repeated, "after a decision one may appeal again");
    decide(&reviewer.client, entry, Ruling::Revoke).await.unwrap();
    assert_eq!(states(&list(&one.client, false).await), ["changed", "reversed"]);
    let nothing = appeal(&one.client, &mine, "lawful-context").await.unwrap_err();
    assert_eq!(
        (nothing.code(), nothing.message()),
        (Code::FailedPrecondition, &*format!("entry {entry}: no longer matches anything"))
    );
    hub.check().await;
    crate::statistics::recounted(&hub).await;
    let key = one.key.clone();
    drop((source, one, two, reviewer));
    let hub = hub.restart().await;
    assert_eq!(states(&list(&hub.client(&key), false).await), ["changed", "reversed"]);
}

#[tokio::test]
async fn a_decision_that_the_entry_stands_upholds_and_a_withdrawal_gives_the_appeal_what_it_asked_for() {
    let hub = TestHub::start().await;
    let source = contributor(&hub, "Source", "NZ", "").await;
    let one = contributor(&hub, "One", "FR", "").await;
    let [reviewer, _] = reviewers(&hub).await;
    let mut entries = Vec::new();
    for n in 0..2 {
        entries.push(contribute(&source.client, &format!("item-{n}"), vec![pdq(n)]).await);
        appeal(&one.client, &receipt(&one.client, n).await, "not-the-content").await.unwrap();
    }
    decide(&reviewer.client, entries[0], Ruling::Uphold).await.unwrap();
    let withdraw = v1::WithdrawRequest { entry_id: entries[1], reason: v1::WithdrawReason::Mistake.into() };
    source.client.contributions().withdraw(withdraw).await.unwrap();
    let appeals = list(&one.client, false).await;
    assert_eq!(states(&appeals), ["upheld", "reversed"]);
    assert!(appeals[1].ended_by > appeals[0].ended_by);
    let own = appeal(&source.client, &receipt(&source.client, 0).await, "other").await.unwrap_err();
    assert_eq!(own.message(), "receipt: is of an entry of yours: withdraw it instead");
    hub.check().await;
    crate::statistics::recounted(&hub).await;
}
