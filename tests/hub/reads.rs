//! How much members read of what others brought: counted by member and day.

use std::time::Duration;

use hashcommons::client::Client;
use hashcommons::domain::Role;
use hashcommons::store::Fault;
use hashcommons::wire::v1::{self, ReadKind};
use rocksdb::{DB, IteratorMode, Options};
use tonic::Code;

use crate::follow::events;
use crate::items::contribute;
use crate::support::{TestHub, check_of, pdq};

const DAY: Duration = Duration::from_hours(24);

/// The counts as day, kind and count: one member's.
async fn reads(auditor: &Client, member_id: &str) -> Vec<(String, ReadKind, u64)> {
    list(auditor, v1::ListReadsRequest { member_id: member_id.to_owned(), ..Default::default() })
        .await
        .into_iter()
        .map(|one| {
            assert_eq!(one.member_id, member_id);
            (one.day.clone(), one.kind(), one.count)
        })
        .collect()
}

async fn list(auditor: &Client, request: v1::ListReadsRequest) -> Vec<v1::Reads> {
    let mut stream = auditor.admin().list_reads(request).await.unwrap().into_inner();
    let mut all = Vec::new();
    while let Some(one) = stream.message().await.unwrap() {
        all.push(one);
    }
    all
}

async fn trace(client: &Client, entry_id: u64) -> Result<v1::TraceResponse, tonic::Status> {
    let request = v1::TraceRequest { entry_id, against: vec![] };
    client.reviews().trace(request).await.map(tonic::Response::into_inner)
}

fn of(day: &str, kind: ReadKind, count: u64) -> (String, ReadKind, u64) {
    (day.to_owned(), kind, count)
}

#[tokio::test]
async fn entries_of_others_that_were_traced_are_counted_by_day_and_survive_a_restart() {
    let hub = TestHub::start().await;
    let (contributor, key) = hub.enrol("Contributor", "NZ", &[Role::Contributor]).await;
    let member = hub.client(&key);
    let one = contribute(&member, "one", vec![pdq(1)]).await;
    let two = contribute(&member, "two", vec![pdq(2)]).await;
    let (reviewer_id, reviewer_key) = hub.enrol("Desk", "NZ", &[Role::Reviewer]).await;
    let reviewer = hub.client(&reviewer_key);
    let (auditor_id, auditor_key) = hub.enrol("Auditor", "NZ", &[Role::Auditor]).await;
    for entry in [one, one, two] {
        trace(&reviewer, entry).await.unwrap();
    }
    // What is none, or one's own, is no reading of somebody's entry.
    trace(&reviewer, 0).await.unwrap_err();
    trace(&member, one).await.unwrap();
    trace(&hub.client(&auditor_key), one).await.unwrap();

    let auditor = hub.client(&auditor_key);
    let today = of("2026-11-22", ReadKind::Entries, 3);
    assert_eq!(reads(&auditor, &reviewer_id).await, std::slice::from_ref(&today));
    assert_eq!(reads(&auditor, &contributor).await, []);
    let of_the_auditor = [of("2026-11-22", ReadKind::Entries, 1), of("2026-11-22", ReadKind::Names, 1)];
    assert_eq!(reads(&auditor, &auditor_id).await, of_the_auditor);

    let hub = hub.restart().await;
    let (reviewer, auditor) = (hub.client(&reviewer_key), hub.client(&auditor_key));
    assert_eq!(reads(&auditor, &reviewer_id).await, [today]);
    trace(&reviewer, two).await.unwrap();
    hub.clock.advance(DAY);
    trace(&reviewer, two).await.unwrap();
    let both = [of("2026-11-22", ReadKind::Entries, 4), of("2026-11-23", ReadKind::Entries, 1)];
    assert_eq!(reads(&auditor, &reviewer_id).await, both);
    let since = v1::ListReadsRequest { since: "2026-11-23".to_owned(), ..Default::default() };
    let since: Vec<_> = list(&auditor, since).await.into_iter().map(|one| (one.day, one.count)).collect();
    assert_eq!(since, [("2026-11-23".to_owned(), 1)]);
    hub.check().await;
    hub.stop().await;
}

#[tokio::test]
async fn events_of_others_that_were_opened_to_a_follower_are_counted_and_sealed_ones_are_not() {
    let hub = TestHub::start().await;
    let (one_id, one_key) = hub.trusted("One").await;
    let (two_id, two_key) = hub.trusted("Two").await;
    let (one, two) = (hub.client(&one_key), hub.client(&two_key));
    contribute(&one, "a", vec![pdq(1)]).await;
    contribute(&one, "b", vec![pdq(2)]).await;
    contribute(&two, "c", vec![pdq(3)]).await;
    let (auditor_id, key) = hub.enrol("Auditor", "NZ", &[Role::Auditor]).await;
    let auditor = hub.client(&key);
    let (all, _) = events(&one, 0).await;
    let (again, _) = events(&two, 0).await;
    assert_eq!(all, again.iter().zip(&all).map(|(_, one)| one.clone()).collect::<Vec<_>>());
    assert_eq!(reads(&auditor, &one_id).await, [of("2026-11-22", ReadKind::Events, 1)]);
    assert_eq!(reads(&auditor, &two_id).await, [of("2026-11-22", ReadKind::Events, 2)]);

    // An auditor is opened everything, and with the enrolments names.
    let (opened, _) = events(&auditor, 0).await;
    let enrolled = opened.iter().filter(|event| event.opening.as_ref().unwrap().kind == "member-enrolled").count();
    let expected =
        [of("2026-11-22", ReadKind::Events, opened.len() as u64), of("2026-11-22", ReadKind::Names, enrolled as u64)];
    assert_eq!(reads(&auditor, &auditor_id).await, expected);
    // That names were shown is one more event, the first time in a day.
    let (again, _) = events(&auditor, opened.len() as u64).await;
    let kinds: Vec<_> = again.iter().map(|event| event.opening.as_ref().unwrap().kind.as_str()).collect();
    assert_eq!(kinds, ["names-shown"]);
    events(&auditor, 0).await;
    assert_eq!(hub.check().await.events, opened.len() as u64 + 1);
    hub.stop().await;
}

#[tokio::test]
async fn names_shown_are_counted_each_time_and_the_first_in_a_day_is_an_event() {
    let hub = TestHub::start().await;
    let contributor = hub.member("Contributor", &[Role::Contributor]).await;
    let entry = contribute(&contributor, "one", vec![pdq(1)]).await;
    let (id, key) = hub.enrol("Auditing Desk", "NZ", &[Role::Auditor, Role::Reviewer]).await;
    let auditor = hub.client(&key);
    let shown = async |auditor: &Client| {
        let request = v1::ListAuditRequest {
            kinds: vec!["names-shown".to_owned()],
            by_member_id: id.clone(),
            ..Default::default()
        };
        auditor.admin().list_audit(request).await.unwrap().into_inner().events
    };
    assert_eq!(shown(&auditor).await.len(), 0, "the audit itself shows pseudonyms");
    let members = auditor.admin().list_members(v1::ListMembersRequest {}).await.unwrap().into_inner().members.len();
    trace(&auditor, entry).await.unwrap();
    let found = auditor.checks().check(check_of([pdq(1)])).await.unwrap().into_inner().matches;
    assert!(found[0].entry.as_ref().unwrap().contributor.as_ref().unwrap().name.is_some());
    let first = shown(&auditor).await;
    assert_eq!((first.len(), first[0].by_key_id.clone()), (1, key.id().to_string()));
    let expected = [of("2026-11-22", ReadKind::Entries, 1), of("2026-11-22", ReadKind::Names, members as u64 + 2)];
    assert_eq!(reads(&auditor, &id).await, expected);

    hub.clock.advance(DAY);
    trace(&auditor, entry).await.unwrap();
    assert_eq!(shown(&auditor).await.len(), 2);
    hub.check().await;
    hub.stop().await;
}

#[tokio::test]
async fn a_hub_that_takes_no_more_changes_still_shows_an_operator_who_members_are_and_counts_it() {
    let hub = TestHub::start().await;
    hub.running().use_cases().unwrap().store.inject(Fault::BeforeWrite);
    let request = v1::EnrolMemberRequest { name: "X".to_owned(), jurisdiction: "NZ".to_owned(), ..Default::default() };
    assert_eq!(hub.admin().admin().enrol_member(request).await.unwrap_err().code(), Code::Unavailable);
    let members = hub.admin().admin().list_members(v1::ListMembersRequest {}).await.unwrap().into_inner().members;
    assert_eq!(members.len(), 1);
    let counted = reads(&hub.admin(), &members[0].member_id).await;
    assert_eq!(counted, [of("2026-11-22", ReadKind::Names, 1)]);
    let audit = v1::ListAuditRequest::default();
    assert_eq!(hub.admin().admin().list_audit(audit).await.unwrap().into_inner().events.len(), 3, "the founding");
    hub.stop().await;
}

#[tokio::test]
async fn counts_are_kept_for_four_hundred_days_and_a_list_of_many_has_each_once() {
    let hub = TestHub::start().await;
    let contributor = hub.member("Contributor", &[Role::Contributor]).await;
    let entry = contribute(&contributor, "one", vec![pdq(1)]).await;
    let (id, key) = hub.enrol("Desk", "NZ", &[Role::Reviewer]).await;
    let reviewer = hub.client(&key);
    let (_, auditor_key) = hub.enrol("Auditor", "NZ", &[Role::Auditor]).await;
    for _ in 0..402 {
        trace(&reviewer, entry).await.unwrap();
        hub.clock.advance(DAY);
    }
    // More than a page of them, most on disk and the newest not: the days are those that are kept.
    let kept = reads(&hub.client(&auditor_key), &id).await;
    assert_eq!(kept.len(), 400, "{:?}", (kept.first(), kept.last()));
    assert!(kept.is_sorted_by(|a, b| a.0 < b.0) && kept.iter().all(|one| one.2 == 1));
    trace(&reviewer, entry).await.unwrap();

    // On the disk there is a day, a member, a kind and a count, and nothing that was read.
    let directory = hub.stop().await;
    let path = directory.path().join("rocksdb");
    let names = DB::list_cf(&Options::default(), &path).unwrap();
    let db = DB::open_cf_for_read_only(&Options::default(), &path, &names, false).unwrap();
    let rows: Vec<_> =
        db.iterator_cf(db.cf_handle("reads").unwrap(), IteratorMode::Start).map(Result::unwrap).collect();
    assert_eq!((rows.len(), &rows[0].0[..10]), (401, kept[0].0.as_bytes()));
    assert!(rows.iter().all(|(key, count)| key.len() == 16 && **count == 1_u64.to_be_bytes()));
}
