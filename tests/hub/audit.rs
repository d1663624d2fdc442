//! What was done, or refused, with members and keys: every bit of it is found again.

use std::time::Duration;

use hashcommons::client::Client;
use hashcommons::domain::{Clock, Role, Status};
use hashcommons::policy::ApiKey;
use hashcommons::wire::{Coded, timestamp, v1};
use tonic::Code;

use crate::enrolment::approve;
use crate::items::contribute;
use crate::request_ids::with_ids;
use crate::support::{TestHub, pdq};

/// All that fits, page by page.
async fn list(auditor: &Client, request: v1::ListAuditRequest) -> Vec<v1::MemberEvent> {
    let (mut events, mut from) = (Vec::new(), None);
    loop {
        let page = auditor.admin().list_audit(v1::ListAuditRequest { from, ..request.clone() }).await.unwrap();
        let page = page.into_inner();
        let size = if request.page_size == 0 { 100 } else { request.page_size as usize };
        assert!(page.events.len() <= size);
        events.extend(page.events);
        from = page.next;
        if from.is_none() {
            return events;
        }
    }
}

async fn all(auditor: &Client) -> Vec<v1::MemberEvent> {
    list(auditor, v1::ListAuditRequest { ascending: true, ..Default::default() }).await
}

fn enrolment(name: &str) -> v1::EnrolMemberRequest {
    v1::EnrolMemberRequest { name: name.to_owned(), jurisdiction: "NZ".to_owned(), ..Default::default() }
}

fn revoke(key: impl ToString) -> v1::RevokeKeyRequest {
    v1::RevokeKeyRequest { key_id: key.to_string() }
}

/// A hub on which each kind of change was made, each a minute after the last, by requests of known names.
struct Scene {
    hub: TestHub,
    member: String,
    first_key: String,
    second_key: String,
    auditor: ApiKey,
    auditor_id: String,
}

impl Scene {
    async fn new() -> Self {
        let hub = TestHub::start().await;
        let (auditor_id, auditor) = hub.enrol("Auditor", "NZ", &[Role::Auditor]).await;
        let admin = hub.admin();
        let pass = || hub.clock.advance(Duration::from_secs(60));
        pass();
        let member = admin.admin().enrol_member(with_ids(enrolment("Member"), &["r-enrol"])).await.unwrap();
        let member = member.into_inner().member_id;
        pass();
        let operators = hub.operators();
        for (operator, id) in [(&operators.first, "r-first"), (&operators.second, "r-second")] {
            let checklist = hashcommons::domain::ChecklistItem::ALL.iter().map(|item| item.to_wire()).collect();
            let to = Status::Contributor.to_wire();
            let request = v1::ApproveMemberRequest { member_id: member.clone(), to, checklist };
            operator.admin().approve_member(with_ids(request, &[id])).await.unwrap();
            pass();
        }
        let issue = v1::IssueKeyRequest {
            member_id: member.clone(),
            roles: vec![Role::Checker.to_wire()],
            ..Default::default()
        };
        let issued = admin.admin().issue_key(with_ids(issue, &["r-issue"])).await.unwrap().into_inner();
        let first_key = issued.key.unwrap().key_id;
        pass();
        let rotate = v1::RotateKeyRequest { key_id: first_key.clone(), overlap_seconds: 3_600, ..Default::default() };
        let rotated = admin.admin().rotate_key(with_ids(rotate, &["r-rotate"])).await.unwrap().into_inner();
        let second_key = rotated.key.unwrap().key_id;
        pass();
        admin.admin().revoke_key(with_ids(revoke(&first_key), &["r-revoke"])).await.unwrap();
        pass();
        let since = Some(timestamp(hub.clock.now()));
        let compromised = v1::MarkKeyCompromisedRequest { key_id: second_key.clone(), since };
        admin.admin().mark_key_compromised(with_ids(compromised, &["r-compromised"])).await.unwrap();
        pass();
        let reason = v1::StatusReason::KeyCompromised.into();
        let status = v1::MemberStatus::Suspended.into();
        let set = v1::SetMemberStatusRequest { member_id: member.clone(), status, reason };
        admin.admin().set_member_status(with_ids(set.clone(), &["r-suspend"])).await.unwrap();
        pass();
        admin.admin().set_member_status(with_ids(set, &["r-again"])).await.unwrap_err();
        pass();
        admin.admin().list_members(with_ids(v1::ListMembersRequest {}, &["r-names"])).await.unwrap();
        // About entries, and so no part of the audit.
        let contributor = hub.member("Contributor", &[Role::Contributor]).await;
        contribute(&contributor, "entry", vec![pdq(1)]).await;
        Self { hub, member, first_key, second_key, auditor, auditor_id }
    }

    fn auditor(&self) -> Client {
        self.hub.client(&self.auditor)
    }
}

#[tokio::test]
async fn every_kind_of_change_is_listed_with_who_did_it_to_whom_what_came_of_it_and_by_which_request() {
    let scene = Scene::new().await;
    let Scene { member, first_key: first, second_key: second, .. } = &scene;
    let events = all(&scene.auditor()).await;
    // The founding, and the auditor's own enrolment and key.
    let founding: Vec<_> =
        events[..3].iter().map(|event| (&*event.kind, &*event.by_key_id, &*event.request_id)).collect();
    assert_eq!(founding, [("member-enrolled", "", ""), ("key-issued", "", ""), ("key-issued", "", "")]);
    assert_eq!((&events[3].kind, &events[4].kind), (&"member-enrolled".to_owned(), &"key-issued".to_owned()));
    assert_eq!(events[3].member_id, scene.auditor_id);
    assert!(events[3].request_id.len() == 26, "{events:?}");

    let told: Vec<_> = events[5..15]
        .iter()
        .map(|event| (&*event.request_id, &*event.kind, &*event.member_id, &*event.key_id, &*event.refused))
        .collect();
    let none = "";
    let expected = [
        ("r-enrol", "member-enrolled", member.as_str(), none, none),
        ("r-first", "member-approved", member, none, none),
        ("r-second", "member-approved", member, none, none),
        ("r-issue", "key-issued", member, first, none),
        ("r-rotate", "key-rotated", member, second, none),
        ("r-revoke", "key-revoked", member, first, none),
        ("r-compromised", "key-compromised", member, second, none),
        ("r-suspend", "member-status-set", member, none, none),
        ("r-again", "admin-refused", member, none, "not-below"),
        ("r-names", "names-shown", none, none, none),
    ];
    assert_eq!(told, expected);
    let [enrolled, approved, enough, issued, rotated, revoked, compromised, set, refused, shown] = &events[5..15]
    else {
        panic!("{events:?}");
    };
    let operator = &events[0].member_id;
    for event in &events[5..15] {
        let second_person = event.request_id == "r-second";
        let key = if second_person { &scene.hub.second_admin_key } else { &scene.hub.admin_key };
        assert_eq!((&event.by_member_id, &event.by_key_id), (operator, &key.id().to_string()));
        assert!(event.at.is_some());
    }
    assert!(events.is_sorted_by_key(|event| event.index));
    assert!(events.is_sorted_by_key(|event| event.at.map(|at| (at.seconds, at.nanos))));
    assert_eq!((approved.status(), approved.is_enough, approved.checklist.len()), {
        (v1::MemberStatus::Contributor, false, 6)
    });
    assert!(enough.is_enough);
    let checker = vec![Role::Checker.to_wire()];
    assert_eq!((&issued.roles, &rotated.roles), (&checker, &checker));
    assert_eq!(&rotated.replaces_key_id, first);
    let (at, until) = (rotated.at.unwrap(), rotated.until.unwrap());
    assert_eq!(until.seconds - at.seconds, 3_600);
    assert_eq!(compromised.since, compromised.at);
    assert_eq!((set.status(), set.reason()), (v1::MemberStatus::Suspended, v1::StatusReason::KeyCompromised));
    assert_eq!((&*refused.attempted, refused.count), ("member-status-set", 1));
    for done in [enrolled, approved, enough, issued, rotated, revoked, compromised, set, shown] {
        assert_eq!((&*done.attempted, done.count), ("", 0));
    }
    assert_eq!(events.len(), 15 + 4, "a contributor's enrolment, two approvals, its key; nothing of entries");

    // The same is in the rows that were folded, and after they were folded anew.
    scene.hub.check().await;
    scene.hub.running().use_cases().unwrap().store.forget_folds().unwrap();
    let hub = scene.hub.restart().await;
    assert_eq!(all(&hub.client(&scene.auditor)).await, events);
    hub.check().await;
    hub.stop().await;
}

#[tokio::test]
async fn each_filter_selects_what_it_names_and_nothing_else() {
    let scene = Scene::new().await;
    let auditor = scene.auditor();
    let events = all(&auditor).await;
    let at = |id: &str| events.iter().find(|event| event.request_id == id).unwrap().at;
    let operator = events[0].member_id.clone();
    let second = scene.hub.second_admin_key.id().to_string();
    type Filter = v1::ListAuditRequest;
    type Expected<'a> = Box<dyn Fn(&v1::MemberEvent) -> bool + 'a>;
    let none = Filter::default;
    let kinds = |kinds: &[&str]| kinds.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>();
    let time = |at: Option<prost_types::Timestamp>| at.map(|at| (at.seconds, at.nanos));
    let (since, until) = (at("r-issue"), at("r-suspend"));
    let filters: Vec<(Filter, Expected)> = vec![
        (Filter { by_member_id: operator.clone(), ..none() }, Box::new(|event| event.by_member_id == operator)),
        (Filter { by_key_id: second.clone(), ..none() }, Box::new(|event| event.by_key_id == second)),
        (Filter { member_id: scene.member.clone(), ..none() }, Box::new(|event| event.member_id == scene.member)),
        (
            // As the one that was issued, replaced, revoked.
            Filter { key_id: scene.first_key.clone(), ..none() },
            Box::new(|event| [&event.key_id, &event.replaces_key_id].contains(&&scene.first_key)),
        ),
        (
            Filter { kinds: kinds(&["key-issued", "member-status-set"]), ..none() },
            Box::new(|event| {
                let what = if event.attempted.is_empty() { &event.kind } else { &event.attempted };
                ["key-issued", "member-status-set"].contains(&what.as_str())
            }),
        ),
        (Filter { kinds: kinds(&["admin-refused"]), ..none() }, Box::new(|event| event.kind == "admin-refused")),
        (Filter { result: "done".to_owned(), ..none() }, Box::new(|event| event.refused.is_empty())),
        (Filter { result: "refused".to_owned(), ..none() }, Box::new(|event| !event.refused.is_empty())),
        (Filter { result: "not-below".to_owned(), ..none() }, Box::new(|event| event.refused == "not-below")),
        (Filter { since, ..none() }, Box::new(|event| time(event.at) >= time(since))),
        (Filter { until, ..none() }, Box::new(|event| time(event.at) < time(until))),
        (Filter { since, until, ..none() }, Box::new(|event| (time(since)..time(until)).contains(&time(event.at)))),
        (Filter { request_id: "r-rotate".to_owned(), ..none() }, Box::new(|event| event.request_id == "r-rotate")),
        (
            Filter { member_id: scene.member.clone(), by_key_id: second.clone(), result: "done".to_owned(), ..none() },
            Box::new(|event| event.request_id == "r-second"),
        ),
    ];
    for (filter, expected) in &filters {
        let expected: Vec<_> = events.iter().filter(|event| expected(event)).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < events.len(), "{filter:?} tells nothing");
        for page_size in [0, 1, 3] {
            let mut filter = Filter { ascending: true, page_size, ..filter.clone() };
            assert_eq!(list(&auditor, filter.clone()).await, expected, "{filter:?}");
            filter.ascending = false;
            let newest: Vec<_> = expected.iter().rev().cloned().collect();
            assert_eq!(list(&auditor, filter.clone()).await, newest, "{filter:?}");
        }
    }
    for nothing in [
        Filter { result: "last-admin".to_owned(), ..none() },
        Filter { by_member_id: scene.member.clone(), ..none() },
        Filter { member_id: "m-aaaaaaaa".to_owned(), ..none() },
        Filter { key_id: "k-aaaaaaaa".to_owned(), ..none() },
        Filter { by_key_id: "k-aaaaaaaa".to_owned(), ..none() },
        Filter { request_id: "r-".to_owned(), ..none() },
        Filter { kinds: kinds(&["contributed"]), ..none() },
        Filter { since, until: since, ..none() },
    ] {
        assert_eq!(list(&auditor, nothing.clone()).await, [], "{nothing:?}");
    }
    scene.hub.stop().await;
}

#[tokio::test]
async fn what_an_admin_is_refused_is_recorded_with_the_reason_and_what_is_malformed_or_done_already_is_not() {
    let hub = TestHub::start().await;
    let admin = hub.admin();
    let (member, key) = hub.enrol("Member", "NZ", &[Role::Contributor]).await;
    let member_key = key.id().to_string();
    let operator = all(&admin).await[0].member_id.clone();
    let before = all(&admin).await.len();
    let id = |id: &str| id.to_owned();
    let set = |member: &str, status: Status| v1::SetMemberStatusRequest {
        member_id: member.to_owned(),
        status: status.to_wire(),
        reason: v1::StatusReason::Abuse.into(),
    };
    let issue = |member: &str, roles: &[Role]| v1::IssueKeyRequest {
        member_id: member.to_owned(),
        roles: roles.iter().map(|role| role.to_wire()).collect(),
        ..Default::default()
    };
    let rotate = |key: &str| v1::RotateKeyRequest { key_id: key.to_owned(), ..Default::default() };
    let (nobody, no_key) = ("m-aaaaaaaa", "k-aaaaaaaa");
    let half = admin.admin().enrol_member(enrolment("Half")).await.unwrap().into_inner().member_id;
    approve(&admin, &half, Status::Trusted).await.unwrap();

    admin.admin().enrol_member(enrolment("Member")).await.unwrap_err();
    approve(&admin, &half, Status::Trusted).await.unwrap_err();
    approve(&admin, nobody, Status::Checker).await.unwrap_err();
    approve(&admin, &member, Status::Checker).await.unwrap_err();
    let hasty = v1::ApproveMemberRequest { member_id: half.clone(), to: Status::Checker.to_wire(), checklist: vec![] };
    admin.admin().approve_member(hasty).await.unwrap_err();
    admin.admin().set_member_status(set(&operator, Status::Suspended)).await.unwrap_err();
    admin.admin().issue_key(issue(nobody, &[])).await.unwrap_err();
    admin.admin().issue_key(issue(&member, &[Role::Admin])).await.unwrap_err();
    admin.admin().rotate_key(rotate(no_key)).await.unwrap_err();
    admin.admin().revoke_key(revoke(no_key)).await.unwrap_err();
    admin.admin().revoke_key(revoke(&member_key)).await.unwrap();
    admin.admin().rotate_key(rotate(&member_key)).await.unwrap_err();
    admin.admin().set_member_status(set(&member, Status::Left)).await.unwrap();
    approve(&admin, &member, Status::Checker).await.unwrap_err();
    // No attempts: what cannot be understood, and what is as it was wanted.
    admin.admin().revoke_key(revoke("nonsense")).await.unwrap_err();
    admin.admin().set_member_status(set(&member, Status::Left)).await.unwrap_err();
    admin.admin().revoke_key(revoke(&member_key)).await.unwrap();
    admin.admin().get_member_history(v1::GetMemberHistoryRequest { member_id: id(nobody) }).await.unwrap_err();

    let events = all(&admin).await.split_off(before);
    let refused = events.iter().filter(|event| event.kind == "admin-refused");
    let told: Vec<_> = refused
        .map(|event| {
            assert_eq!((&event.by_key_id, event.count), (&hub.admin_key.id().to_string(), 1));
            assert_eq!(event.request_id.len(), 26);
            (&*event.attempted, &*event.member_id, &*event.key_id, &*event.refused)
        })
        .collect();
    let expected = [
        ("member-enrolled", "", "", "name-taken"),
        ("member-approved", &*half, "", "same-hand"),
        ("member-approved", nobody, "", "no-such-member"),
        ("member-approved", &member, "", "not-above"),
        ("member-approved", &half, "", "checklist"),
        ("member-status-set", &operator, "", "last-admin"),
        ("key-issued", nobody, "", "no-such-member"),
        ("key-issued", &member, "", "field"),
        ("key-rotated", "", no_key, "no-such-key"),
        ("key-revoked", "", no_key, "no-such-key"),
        ("key-rotated", &member, &member_key, "key-not-live"),
        ("member-approved", &member, "", "has-left"),
        ("member-status-set", &member, "", "has-left"),
    ];
    assert_eq!(told, expected);
    hub.check().await;
    hub.stop().await;
}

#[tokio::test]
async fn who_lacks_the_role_is_recorded_under_an_id_of_the_hubs_and_who_is_nobody_is_not() {
    let hub = TestHub::start().await;
    let (checker_id, key) = hub.enrol("Checker", "NZ", &[Role::Checker]).await;
    let (suspended_id, suspended_key) = hub.enrol("Suspended", "NZ", &[Role::Admin]).await;
    let set = v1::SetMemberStatusRequest {
        member_id: suspended_id.clone(),
        status: v1::MemberStatus::Suspended.into(),
        reason: v1::StatusReason::Abuse.into(),
    };
    hub.admin().admin().set_member_status(set).await.unwrap();
    let before = all(&hub.admin()).await.len();
    let (checker, suspended) = (hub.client(&key), hub.client(&suspended_key));
    let words = "words-of-a-stranger";
    let status = checker.admin().enrol_member(with_ids(enrolment("Friend"), &[words])).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    let given = status.metadata().get("x-request-id").unwrap().to_str().unwrap().to_owned();
    assert_ne!(given, words);
    suspended.admin().revoke_key(revoke(hub.admin_key.id())).await.unwrap_err();
    // Not about members and keys; and nobody's.
    checker.admin().list_members(v1::ListMembersRequest {}).await.unwrap_err();
    checker.admin().list_audit(v1::ListAuditRequest::default()).await.unwrap_err();
    hub.anonymous().admin().enrol_member(enrolment("Friend")).await.unwrap_err();
    hub.client(&ApiKey::new(key.id(), [7; 20])).admin().enrol_member(enrolment("Friend")).await.unwrap_err();

    let events = all(&hub.admin()).await.split_off(before);
    let told: Vec<_> = events
        .iter()
        .map(|event| (&*event.by_member_id, &*event.by_key_id, &*event.attempted, &*event.refused, event.count))
        .collect();
    let (by, by_suspended) = (key.id().to_string(), suspended_key.id().to_string());
    let expected = [
        (&*checker_id, &*by, "member-enrolled", "no-role", 1),
        (&*suspended_id, &*by_suspended, "key-revoked", "bad-standing", 1),
    ];
    assert_eq!(told, expected);
    assert_eq!((&events[0].request_id, &*events[0].member_id, &*events[0].key_id), (&given, "", ""));
    hub.check().await;
    hub.stop().await;
}

/// The refusals of a key.
async fn refusals(hub: &TestHub, key: &ApiKey) -> Vec<u64> {
    let request = v1::ListAuditRequest {
        by_key_id: key.id().to_string(),
        result: "refused".to_owned(),
        ascending: true,
        ..Default::default()
    };
    list(&hub.admin(), request).await.iter().map(|event| event.count).collect()
}

#[tokio::test]
async fn a_key_that_is_refused_all_the_time_has_twenty_events_an_hour_and_one_for_all_the_others() {
    let hub = TestHub::start().await;
    let (_, key) = hub.enrol("Checker", "NZ", &[Role::Checker]).await;
    let (other_id, other_key) = hub.enrol("Other", "NZ", &[Role::Checker]).await;
    let checker = hub.client(&key);
    for _ in 0..25 {
        checker.admin().revoke_key(revoke(hub.admin_key.id())).await.unwrap_err();
    }
    // An admin's are bounded by the same count, wherever it is refused.
    for _ in 0..23 {
        approve(&hub.admin(), "m-aaaaaaaa", Status::Checker).await.unwrap_err();
    }
    hub.client(&other_key).admin().revoke_key(revoke(hub.admin_key.id())).await.unwrap_err();
    assert_eq!(refusals(&hub, &key).await, [1; 20]);
    assert_eq!(refusals(&hub, &hub.admin_key).await, [1; 20]);
    assert_eq!(refusals(&hub, &other_key).await, [1]);

    hub.clock.advance(Duration::from_hours(1));
    let expected = [&[1; 20][..], &[5]].concat();
    // The writer looks every half second.
    for _ in 0..200 {
        if refusals(&hub, &key).await == expected {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(refusals(&hub, &key).await, expected);
    assert_eq!(refusals(&hub, &hub.admin_key).await, [&[1; 20][..], &[3]].concat());
    assert_eq!(refusals(&hub, &other_key).await, [1]);

    // Then it begins anew; and what is only counted when the hub stops is recorded then.
    for _ in 0..21 {
        checker.admin().revoke_key(revoke(hub.admin_key.id())).await.unwrap_err();
    }
    let hub = hub.restart().await;
    assert_eq!(refusals(&hub, &key).await, [&[1; 20][..], &[5], &[1; 20], &[1]].concat());
    let request = v1::GetMemberHistoryRequest { member_id: other_id };
    let history = hub.admin().admin().get_member_history(request).await.unwrap().into_inner().events;
    assert!(history.iter().all(|event| event.kind != "admin-refused"), "what was only tried happened to nobody");
    hub.check().await;
    hub.stop().await;
}

/// One thread: a long list must not keep it from others.
#[tokio::test]
async fn a_page_that_has_to_read_much_lets_others_have_their_turn_and_may_end_early() {
    let hub = TestHub::start().await;
    let (member, _) = hub.enrol("Member", "NZ", &[Role::Checker]).await;
    let issue = v1::IssueKeyRequest { member_id: member, ..Default::default() };
    let mut issues = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (client, issue) = (hub.admin(), issue.clone());
        issues.spawn(async move {
            for _ in 0..80 {
                client.admin().issue_key(issue.clone()).await.unwrap();
            }
        });
    }
    issues.join_all().await;
    let rare = v1::ListAuditRequest { kinds: vec!["key-revoked".to_owned()], ..Default::default() };
    let page = hub.admin().admin().list_audit(rare.clone()).await.unwrap().into_inner();
    assert!(page.events.is_empty() && page.next.is_some(), "more than 4,096 events are two pages' work");
    assert_eq!(list(&hub.admin(), rare).await, []);

    // What is read in many steps and pages is each event once.
    for ascending in [false, true] {
        let kinds = vec!["key-issued".to_owned()];
        let issued = v1::ListAuditRequest { kinds, ascending, page_size: 1_000, ..Default::default() };
        let issued: Vec<_> = list(&hub.admin(), issued).await.iter().map(|event| event.index).collect();
        assert_eq!(issued.len(), 2 + 1 + 64 * 80);
        assert!(issued.is_sorted_by(|a, b| if ascending { a < b } else { a > b }));
    }

    let use_cases = hub.running().use_cases().unwrap();
    let permit = hub.principal(&hub.admin_key).permit().unwrap();
    let inspect = use_cases.inspect.clone();
    let query =
        hashcommons::hub::AuditQuery { kinds: vec![hashcommons::domain::EventKind::KeyRevoked], ..Default::default() };
    let page = tokio::spawn(async move { inspect.page(&permit, &query, None, 100).await.unwrap() });
    let mut turns = 0;
    while !page.is_finished() {
        tokio::task::yield_now().await;
        turns += 1;
    }
    assert!(turns > 1, "{turns} turns");
    hub.stop().await;
}
