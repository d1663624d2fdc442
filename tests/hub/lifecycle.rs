//! The main way through a hub: contribute, check, trace, withdraw, restart.

use crate::support::{TestHub, check_of, contribution, draft, pdq};
use hashcommons::domain::Role;
use hashcommons::wire::v1;

/// Contributes one PDQ hash; gives the entry's id.
async fn contribute(client: &hashcommons::client::Client, n: u64) -> u64 {
    let request = contribution(&format!("request-{n}"), draft(vec![pdq(n)]));
    match client.contributions().contribute(request).await.unwrap().into_inner().outcome.unwrap() {
        v1::contribute_response::Outcome::Accepted(accepted) => accepted.entry_id,
        v1::contribute_response::Outcome::Declined(declined) => panic!("declined: {}", declined.message),
    }
}

async fn matches(client: &hashcommons::client::Client, n: u64) -> Vec<u64> {
    let response = client.checks().check(check_of([pdq(n)])).await.unwrap().into_inner();
    response.matches.iter().map(|found| found.entry.as_ref().unwrap().entry_id).collect()
}

#[tokio::test]
async fn a_check_sent_after_a_receipt_sees_the_entry_and_after_a_restart_still_does() {
    let hub = TestHub::start().await;
    let member = hub.member("Contributor", &[Role::Contributor, Role::Checker]).await;
    let entry = contribute(&member, 1).await;
    assert_eq!(matches(&member, 1).await, [entry]);
    assert_eq!(matches(&member, 2).await, [0u64; 0]);
    let before = hub.check().await;
    let (_, key) = hub.enrol("Checker", "FR", &[Role::Checker]).await;

    let hub = hub.restart().await;
    let checker = hub.client(&key);
    assert_eq!(matches(&checker, 1).await, [entry]);
    let after = hub.check().await;
    assert_eq!((after.entries, after.signals), (before.entries, before.signals));
    hub.stop().await;
}

#[tokio::test]
async fn a_withdrawn_entry_no_longer_matches_but_its_leaf_stays_provable() {
    let hub = TestHub::start().await;
    let member = hub.member("Contributor", &[Role::Contributor, Role::Checker]).await;
    let entry = contribute(&member, 1).await;
    let withdraw = v1::WithdrawRequest { entry_id: entry, reason: v1::WithdrawReason::Mistake.into() };
    let first = member.contributions().withdraw(withdraw).await.unwrap().into_inner();
    assert_eq!(matches(&member, 1).await, [0u64; 0]);
    let again = member.contributions().withdraw(withdraw).await.unwrap().into_inner();
    assert_eq!(first.withdrawn, again.withdrawn);
    // The contribution sent once more makes nothing new, and does not say that the entry is on the list.
    let request = contribution("request-1", draft(vec![pdq(1)]));
    let repeated = member.contributions().contribute(request).await.unwrap().into_inner();
    let Some(v1::contribute_response::Outcome::Accepted(accepted)) = repeated.outcome else { panic!("{repeated:?}") };
    assert_eq!((accepted.entry_id, accepted.repeated, accepted.standing()), (entry, true, v1::Standing::Withdrawn));

    let key = hub.running().use_cases().unwrap().prove.verifier().clone();
    let request = v1::TraceRequest { entry_id: entry, against: vec![] };
    let traced = member.reviews().trace(request).await.unwrap().into_inner();
    assert_eq!(traced.assessment.unwrap().standing(), v1::Standing::Withdrawn);
    assert_eq!(traced.history.len(), 2);
    let receipt: hashcommons::ledger::Receipt = traced.receipt.unwrap().tlog_proof.parse().unwrap();
    assert_eq!(receipt.verify(&key).unwrap().index(), entry);
    hub.check().await;
    hub.stop().await;
}

#[tokio::test]
async fn everything_but_the_events_can_be_deleted_and_comes_back() {
    let hub = TestHub::start().await;
    let (_, key) = hub.enrol("Contributor", "NZ", &[Role::Contributor, Role::Checker]).await;
    let member = hub.client(&key);
    let kept = contribute(&member, 1).await;
    let gone = contribute(&member, 2).await;
    let withdraw = v1::WithdrawRequest { entry_id: gone, reason: 0 };
    member.contributions().withdraw(withdraw).await.unwrap();
    let before = hub.check().await;
    hub.running().use_cases().unwrap().store.forget_folds().unwrap();

    let hub = hub.restart().await;
    assert_eq!(hub.check().await, before);
    let member = hub.client(&key);
    assert_eq!(matches(&member, 1).await, [kept]);
    assert_eq!(matches(&member, 2).await, [0u64; 0]);
    assert_eq!(contribute(&member, 1).await, kept, "the request is remembered");
    hub.stop().await;
}

#[tokio::test]
async fn an_entry_stops_matching_when_its_time_has_passed() {
    let hub = TestHub::start().await;
    let member = hub.member("Contributor", &[Role::Contributor, Role::Checker]).await;
    let mut short = draft(vec![
        pdq(1),
        v1::Signal {
            kind: v1::SignalKind::Md5.into(),
            value: "00112233445566778899aabbccddeeff".to_owned(),
            quality: None,
        },
    ]);
    let until = hashcommons::wire::timestamp("2026-11-22T13:00:00Z".parse().unwrap());
    short.provenance.as_mut().unwrap().valid_until = Some(until);
    let md5 = short.signals[1].clone();
    member.contributions().contribute(contribution("short", short.clone())).await.unwrap();
    let both = check_of([pdq(1), md5]);
    let response = member.checks().check(both.clone()).await.unwrap().into_inner();
    assert_eq!(response.matches[0].evidence.len(), 2);
    hub.clock.advance(std::time::Duration::from_secs(3_600));
    let response = member.checks().check(both).await.unwrap().into_inner();
    assert!(response.matches.is_empty());
    assert!(response.results.iter().all(|result| result.outcome() == v1::Outcome::NoMatch && result.total == 0));
    // The answer to the first time was lost, perhaps: the same request is still the same entry. A new one is too late.
    let again = member.contributions().contribute(contribution("short", short.clone())).await.unwrap().into_inner();
    assert!(matches!(again.outcome, Some(v1::contribute_response::Outcome::Accepted(accepted)) if accepted.repeated));
    let status = member.contributions().contribute(contribution("late", short)).await.unwrap_err();
    assert!(status.message().starts_with("draft.provenance.valid_until: must be in the future"), "{status}");
    let hub = hub.restart().await;
    hub.check().await;
    hub.stop().await;
}
