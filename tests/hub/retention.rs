//! What ended long ago is erased, and holds keep it; whatever rests on the ledger goes on without it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use hashcommons::client::{Client, RecountError, recount};
use hashcommons::domain::{Clock, EntryId, Role};
use hashcommons::ledger::Leaf;
use hashcommons::policy::Period;
use hashcommons::store::{Store, StoredEvent};
use hashcommons::wire::{timestamp, v1};
use tonic::{Code, Status};
use v1::opening::Fact;

use crate::follow::events;
use crate::incidents::{of_incident, open};
use crate::items::{accepted, contribute, near, verifier};
use crate::reviewing::{contributor, decide, matches, reviewers};
use crate::statistics::{await_event, recounted};
use crate::support::{TestHub, contribution, draft, pdq, start_alone};

const DAY: Duration = Duration::from_hours(24);

async fn withdraw(client: &Client, entry_id: u64) {
    let request = v1::WithdrawRequest { entry_id, reason: v1::WithdrawReason::Mistake.into() };
    client.contributions().withdraw(request).await.unwrap();
}

async fn size(hub: &TestHub) -> u64 {
    hub.check().await.events
}

/// Lets so much time pass, and waits until something was erased because of it; which entries, and by which leaf.
async fn erased_after(hub: &TestHub, time: Duration) -> (Vec<u64>, u64) {
    let before = size(hub).await;
    hub.clock.advance(time);
    let event = await_event(hub, before, "erased").await;
    let Some(Fact::Erased(erased)) = event.opening.unwrap().fact else { panic!() };
    (erased.entry_ids, event.index)
}

async fn trace(client: &Client, entry_id: u64) -> Result<v1::TraceResponse, Status> {
    let request = v1::TraceRequest { entry_id, ..Default::default() };
    client.reviews().trace(request).await.map(tonic::Response::into_inner)
}

async fn leaf(client: &Client, index: u64) -> Vec<u8> {
    let request = v1::GetInclusionProofRequest { index, tree_size: None };
    client.ledger().get_inclusion_proof(request).await.unwrap().into_inner().leaf
}

/// A contribution that says as much as one can.
fn told(n: u64) -> v1::Draft {
    let mut draft = draft(vec![pdq(n)]);
    let listed = v1::basis::UnConsolidatedList { entity: "QDe.115".to_owned(), list_date: "2026-01-01".to_owned() };
    draft.provenance.as_mut().unwrap().basis =
        Some(v1::Basis { basis: Some(v1::basis::Basis::UnConsolidatedList(listed)) });
    draft
}

fn hold(scope: v1::hold_scope::Scope, until: Option<prost_types::Timestamp>) -> v1::PlaceHoldRequest {
    v1::PlaceHoldRequest {
        scope: Some(v1::HoldScope { scope: Some(scope) }),
        reference: "12-O-345/26".to_owned(),
        authority: "Landgericht Berlin".to_owned(),
        until,
    }
}

fn entries(entry_ids: Vec<u64>) -> v1::hold_scope::Scope {
    v1::hold_scope::Scope::Entries(v1::hold_scope::Entries { entry_ids })
}

async fn place(hub: &TestHub, scope: v1::hold_scope::Scope, days: u32) -> v1::Hold {
    let until = Some(timestamp(hub.clock.now().plus(days * DAY)));
    hub.admin().retention().place_hold(hold(scope, until)).await.unwrap().into_inner().hold.unwrap()
}

async fn holds(client: &Client) -> Vec<v1::Hold> {
    client.retention().list_holds(v1::ListHoldsRequest {}).await.unwrap().into_inner().holds
}

#[tokio::test]
async fn what_was_withdrawn_revoked_or_has_expired_a_year_ago_is_erased_and_everything_else_is_as_it_was() {
    let hub = TestHub::start().await;
    let source = contributor(&hub, "Source", "NZ", "").await;
    let other = contributor(&hub, "Other", "FR", "").await;
    let [reviewer, _] = reviewers(&hub).await;
    let withdrawn = accepted(&source.client, contribution("withdrawn", told(1))).await.entry_id;
    let revoked = contribute(&source.client, "revoked", vec![pdq(2)]).await;
    let mut brief = draft(vec![pdq(3)]);
    brief.provenance.as_mut().unwrap().valid_until = Some(timestamp(hub.clock.now().plus(DAY)));
    let expired = accepted(&source.client, contribution("expired", brief)).await.entry_id;
    let stays = contribute(&source.client, "stays", vec![pdq(4)]).await;
    let agrees = contribute(&other.client, "agrees", vec![near(&pdq(1), 4)]).await;
    let leaves = [leaf(&hub.admin(), withdrawn).await, leaf(&hub.admin(), revoked).await];
    withdraw(&source.client, withdrawn).await;
    decide(&reviewer.client, revoked, v1::Ruling::Revoke).await.unwrap();
    let before = size(&hub).await;
    hub.clock.advance(DAY);
    await_event(&hub, before, "expired").await;
    recounted(&hub).await;

    // Withdrawn and revoked first; what has expired ended a day later.
    let (erased, by) = erased_after(&hub, 364 * DAY).await;
    assert_eq!(erased, [withdrawn, revoked]);
    let (erased, _) = erased_after(&hub, DAY).await;
    assert_eq!(erased, [expired]);

    // The public ledger is what it was.
    assert_eq!(leaves, [leaf(&hub.admin(), withdrawn).await, leaf(&hub.admin(), revoked).await]);
    hub.check().await;
    recounted(&hub).await;
    // Who could see it is told what became of it; for others there never was anything.
    for client in [&source.client, &reviewer.client, &hub.admin()] {
        let gone = trace(client, withdrawn).await.unwrap_err();
        assert_eq!(gone.code(), Code::NotFound);
        let words = format!(
            "entry {withdrawn}: was erased on 2027-11-23T12:00:00Z (leaf {by}), as the policy's retention says"
        );
        assert!(
            gone.message().starts_with(&words[..32]) && gone.message().contains(&format!("(leaf {by})")),
            "{gone:?}"
        );
    }
    let gone = trace(&other.client, withdrawn).await.unwrap_err();
    assert_eq!(gone.message(), format!("entry {withdrawn}: no such entry, or not one you may see"));
    // What is there still is as it was.
    let met = matches(&other.client, [pdq(1), pdq(2), pdq(3), pdq(4)]).await;
    let met: BTreeSet<_> = met.into_iter().map(|found| found.entry.unwrap().entry_id).collect();
    assert_eq!(met, BTreeSet::from([stays, agrees]));
    // Who imports an old file again brings nothing back unawares.
    let again = source.client.contributions().contribute(contribution("withdrawn", told(1))).await.unwrap_err();
    assert_eq!(again.code(), Code::AlreadyExists);
    let words = format!("request_id: made entry {withdrawn}, which was erased; choose a new id to contribute it anew");
    assert_eq!(again.message(), words);
    // Nothing can be done about it any more.
    assert_eq!(decide(&reviewer.client, revoked, v1::Ruling::Reinstate).await.unwrap_err().code(), Code::NotFound);
    hub.check().await;

    // What follows from the ledger is folded from what is left of it.
    let key = source.key.clone();
    drop((source, other, reviewer));
    let database = |directory: &Path| Store::open(directory).unwrap().forget_folds().unwrap();
    let hub = hub.restart_after(database).await;
    hub.check().await;
    recounted(&hub).await;
    assert_eq!(matches(&hub.client(&key), [pdq(4)]).await.len(), 1);
    hub.stop().await;
}

#[tokio::test]
async fn who_agrees_is_counted_anew_where_what_was_erased_had_taken_the_room() {
    let hub = TestHub::start().await;
    let one = contributor(&hub, "One", "NZ", "").await;
    let other = contributor(&hub, "Other", "FR", "").await;
    let entry = contribute(&one.client, "entry", vec![pdq(1)]).await;
    // Four of one member's are kept, the first.
    let mut agree = Vec::new();
    for n in 0..6 {
        agree.push(contribute(&other.client, &format!("agrees-{n}"), vec![near(&pdq(1), n)]).await);
    }
    let kept = |hub: &TestHub| {
        let state = hub.running().use_cases().unwrap().store.entry_state(EntryId(entry)).unwrap().unwrap();
        (state.corroboration.iter().map(|near| near.entry.0).collect::<Vec<_>>(), state.is_crowded)
    };
    assert_eq!(kept(&hub), (agree[..4].to_vec(), true));
    withdraw(&other.client, agree[0]).await;
    withdraw(&other.client, agree[1]).await;
    assert_eq!(kept(&hub), (agree[2..4].to_vec(), true), "who came later is not asked again");
    let before = size(&hub).await;
    hub.clock.advance(365 * DAY);
    let event = await_event(&hub, before, "erased").await;
    let Some(Fact::Erased(said)) = event.opening.unwrap().fact else { panic!() };
    assert_eq!((said.entry_ids, said.recounted_entry_ids), (agree[..2].to_vec(), vec![entry]));
    assert_eq!(kept(&hub), (agree[2..].to_vec(), false));
    hub.check().await;
    recounted(&hub).await;
    drop((one, other));
    let hub = hub.restart_after(|directory| Store::open(directory).unwrap().forget_folds().unwrap()).await;
    assert_eq!(kept(&hub), (agree[2..].to_vec(), false));
    hub.check().await;
    hub.stop().await;
}

#[tokio::test]
async fn followers_are_told_what_was_erased_and_see_of_it_what_they_may() {
    let hub = TestHub::start().await;
    let source = contributor(&hub, "Source", "NZ", "").await;
    let platform = hub.member("Platform", &[Role::Contributor]).await;
    let trusted = {
        let (_, key) = hub.trusted("Trusted").await;
        hub.client(&key)
    };
    let auditor = hub.member("Auditor", &[Role::Auditor]).await;
    let entry = accepted(&source.client, contribution("item", told(1))).await.entry_id;
    withdraw(&source.client, entry).await;
    let (erased, by) = erased_after(&hub, 366 * DAY).await;
    assert_eq!(erased, [entry]);
    let at = async |client: &Client, index: u64| events(client, index).await.0.remove(0);
    for client in [&platform, &trusted, &source.client, &auditor] {
        let told = at(client, entry).await;
        assert_eq!((told.index, told.erased_by), (entry, Some(by)));
        let Some(Fact::Erased(said)) = at(client, by).await.opening.unwrap().fact else { panic!() };
        assert_eq!((said.entry_ids, said.recounted_entry_ids), (vec![entry], vec![]));
    }
    for client in [&platform, &trusted] {
        assert_eq!(at(client, entry).await.opening, None);
    }
    for client in [&source.client, &auditor] {
        let told = at(client, entry).await;
        let opening = told.opening.unwrap();
        let Some(Fact::Remains(remains)) = opening.fact else { panic!() };
        assert_eq!(
            (&*remains.basis, &remains.labels[..]),
            ("un-consolidated-list", &["graphic-violence".to_owned()][..])
        );
        assert_eq!(remains.signal_kinds, ["pdq"]);
        // Neither hash nor entity are in what remains.
        let record = String::from_utf8_lossy(&opening.record).into_owned();
        assert!(!record.contains("QDe.115"), "{record}");
        let hash: Vec<u8> = data_encoding::HEXLOWER.decode(pdq(1).value.as_bytes()).unwrap();
        assert!(!opening.record.windows(32).any(|bytes| bytes == hash));
        // Its leaf is not what remains opens: the event that erased it commits to that.
        let salt = hashcommons::ledger::Salt::from_bytes(opening.salt.try_into().unwrap());
        assert!(!Leaf::from_bytes(&told.leaf).unwrap().opens(&salt, &opening.record));
        let commitment = Leaf::commit(&salt, &opening.record).to_bytes();
        let record = at(client, by).await.opening.unwrap().record;
        assert!(record.windows(commitment.len()).any(|bytes| bytes == commitment));
    }
    hub.stop().await;
}

#[tokio::test]
async fn a_hold_keeps_what_it_is_on_until_it_lapses_or_somebody_else_lifts_it() {
    let hub = TestHub::start().await;
    open(&hub, "harbour", false).await;
    let held = contributor(&hub, "Held", "NZ", "").await;
    let source = contributor(&hub, "Source", "FR", "").await;
    let of_member = contribute(&held.client, "of-member", vec![pdq(1)]).await;
    let of_incident = accepted(&source.client, contribution("incident", of_incident("harbour", vec![pdq(2)]))).await;
    let of_incident = of_incident.entry_id;
    let [one, lifted, free] = [3, 4, 5].map(|n| (n, format!("item-{n}")));
    let one = contribute(&source.client, &one.1, vec![pdq(one.0)]).await;
    let lifted = contribute(&source.client, &lifted.1, vec![pdq(lifted.0)]).await;
    let free = contribute(&source.client, &free.1, vec![pdq(free.0)]).await;
    withdraw(&held.client, of_member).await;
    for entry in [of_incident, one, lifted, free] {
        withdraw(&source.client, entry).await;
    }
    hub.clock.advance(300 * DAY);
    place(&hub, v1::hold_scope::Scope::MemberId(held.id.clone()), 100).await;
    place(&hub, v1::hold_scope::Scope::Incident("harbour".to_owned()), 110).await;
    // Longest of two.
    place(&hub, entries(vec![one]), 70).await;
    place(&hub, entries(vec![lifted, one]), 120).await;
    let lift = holds(&hub.admin()).await.pop().unwrap().hold_id;

    // Day 366.
    assert_eq!(erased_after(&hub, 66 * DAY).await.0, [free]);
    assert!(trace(&hub.admin(), of_member).await.is_ok());
    // Day 376: nothing new; day 401: the first hold has lapsed by itself.
    assert_eq!(erased_after(&hub, 35 * DAY).await.0, [of_member]);
    // Who placed it cannot lift it; a second person can.
    let operators = hub.operators();
    let request = v1::LiftHoldRequest { hold_id: lift };
    let refused = operators.first.retention().lift_hold(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("takes another person"), "{refused:?}");
    let hold = operators.second.retention().lift_hold(request).await.unwrap().into_inner().hold.unwrap();
    assert!(!hold.in_force && hold.lifted.is_some());
    let refused = operators.second.retention().lift_hold(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(erased_after(&hub, DAY / 24).await.0, [one, lifted]);
    assert_eq!(erased_after(&hub, 10 * DAY).await.0, [of_incident]);

    let states: Vec<_> = holds(&hub.admin()).await.iter().map(|hold| (hold.in_force, hold.lifted.is_some())).collect();
    assert_eq!(states, [(false, false), (false, false), (false, false), (false, true)]);
    hub.check().await;
    recounted(&hub).await;
    // Auditors find both in the audit, with who and for whom.
    let request =
        v1::ListAuditRequest { kinds: vec!["hold-placed".to_owned(), "hold-lifted".to_owned()], ..Default::default() };
    let audit = hub.admin().admin().list_audit(request).await.unwrap().into_inner().events;
    // Refusals of the same are among them.
    let told: Vec<_> = audit.iter().filter(|event| event.refused.is_empty()).collect();
    let told: Vec<_> = told.iter().map(|event| (&*event.kind, &*event.hold_authority, event.hold_id)).collect();
    let placed = ("hold-placed", "Landgericht Berlin", None);
    assert_eq!(told, [("hold-lifted", "", Some(lift)), placed, placed, placed, placed]);
    assert_eq!(audit.iter().filter(|event| event.refused == "same-hand").count(), 1);
    // It is the same after a start.
    let before = holds(&hub.admin()).await;
    drop((held, source, operators));
    let hub = hub.restart().await;
    assert_eq!(holds(&hub.admin()).await, before);
    hub.stop().await;
}

#[tokio::test]
async fn what_is_gone_cannot_be_held() {
    let hub = TestHub::start().await;
    let source = contributor(&hub, "Source", "NZ", "").await;
    let entry = contribute(&source.client, "item", vec![pdq(1)]).await;
    withdraw(&source.client, entry).await;
    let (_, by) = erased_after(&hub, 366 * DAY).await;
    let until = Some(timestamp(hub.clock.now().plus(DAY)));
    let late = hub.admin().retention().place_hold(hold(entries(vec![entry]), until)).await.unwrap_err();
    assert_eq!(late.code(), Code::FailedPrecondition);
    assert_eq!(late.message(), format!("entry {entry}: was erased by event {by}, and cannot be held any more"));
    hub.stop().await;
}

#[tokio::test]
async fn a_policy_can_keep_everything_and_its_preview_says_what_it_would_erase() {
    let hub = TestHub::start().await;
    hub.operators().set_policy("[retention]\nerase_after_days = 0").await;
    let source = contributor(&hub, "Source", "NZ", "").await;
    let kept = contribute(&source.client, "kept", vec![pdq(1)]).await;
    withdraw(&source.client, kept).await;
    let held = contribute(&source.client, "held", vec![pdq(2)]).await;
    withdraw(&source.client, held).await;
    hub.clock.advance(4_000 * DAY);
    place(&hub, entries(vec![held]), 10).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(trace(&hub.admin(), kept).await.is_ok());
    let request = v1::PreviewPolicyRequest { policy: "[retention]\nerase_after_days = 30".to_owned() };
    let preview = hub.admin().policy().preview_policy(request).await.unwrap().into_inner();
    assert_eq!((preview.due_before, preview.due_after), (0, 1));
    let before = size(&hub).await;
    hub.operators().set_policy("[retention]\nerase_after_days = 30").await;
    // In their first day new rules erase nothing.
    hub.clock.advance(23 * DAY / 24);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(trace(&hub.admin(), kept).await.is_ok());
    hub.clock.advance(DAY / 12);
    let event = await_event(&hub, before, "erased").await;
    let Some(Fact::Erased(erased)) = event.opening.unwrap().fact else { panic!() };
    assert_eq!(erased.entry_ids, [kept]);
    hub.stop().await;
}

#[tokio::test]
async fn an_erasure_after_a_report_is_told_to_who_computes_the_report_again() {
    let hub = TestHub::start().await;
    let source = contributor(&hub, "Source", "NZ", "").await;
    let entry = contribute(&source.client, "item", vec![pdq(1)]).await;
    withdraw(&source.client, entry).await;
    let [from, to] = ["2026-11-22", "2026-11-23"];
    let request = v1::GetReportRequest { from: from.to_owned(), to: to.to_owned() };
    let report = hub.admin().statistics().get_report(request.clone()).await.unwrap().into_inner();
    let (_, by) = erased_after(&hub, 366 * DAY).await;
    let period = Period::new(from.parse().unwrap(), to.parse().unwrap()).unwrap();
    let late = recount(&hub.admin(), &verifier(&hub), period, &report).await.unwrap_err();
    assert!(matches!(late, RecountError::Erased { index, by: at } if (index, at) == (entry, by)), "{late}");
    // What was contributed that day is counted as before.
    let again = hub.admin().statistics().get_report(request).await.unwrap().into_inner();
    let of = |report: &v1::StatisticsReport, name: &str| {
        report.figures.iter().filter(|figure| figure.name == name).cloned().collect::<Vec<_>>()
    };
    for name in ["entries-contributed", "entries-withdrawn", "entries"] {
        assert_eq!(of(&report, name), of(&again, name));
    }
    recounted(&hub).await;
    hub.stop().await;
}

/// Whether these bytes are in a file of the folder, or one in it.
fn holds_bytes(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|file| {
        let path = file.unwrap().path();
        if path.is_dir() {
            return holds_bytes(&path, bytes);
        }
        fs::read(&path).unwrap().windows(bytes.len()).any(|window| window == bytes)
    })
}

#[tokio::test]
async fn what_was_erased_is_on_the_disk_no_more() {
    let hub = TestHub::start().await;
    let source = contributor(&hub, "Source", "NZ", "").await;
    let entry = accepted(&source.client, contribution("item", told(1))).await.entry_id;
    let stays = contribute(&source.client, "stays", vec![pdq(2)]).await;
    let store = || hub.running().use_cases().unwrap().store.clone();
    let Some(StoredEvent::Open { salt, .. }) = store().event(entry).unwrap() else { panic!() };
    let hash: Vec<u8> = data_encoding::HEXLOWER.decode(pdq(1).value.as_bytes()).unwrap();
    let salt = salt.to_bytes();
    let path = hub.directory().to_owned();
    // In files of their own, by now.
    store().purge(0..=100).unwrap();
    withdraw(&source.client, entry).await;
    assert!(holds_bytes(&path, &salt) && holds_bytes(&path, &hash));
    erased_after(&hub, 366 * DAY).await;
    assert!(trace(&hub.admin(), stays).await.is_ok());
    // The files are written anew in the background: a stop waits for that.
    drop(source);
    let directory = hub.stop().await;
    assert_eq!(Store::open(directory.path()).unwrap().purge_wanted().unwrap(), None);
    // RocksDB's list of files is a new one since.
    assert!(!holds_bytes(directory.path(), &salt), "the salt");
    assert!(!holds_bytes(directory.path(), &hash), "the hash");
    let stayed: Vec<u8> = data_encoding::HEXLOWER.decode(pdq(2).value.as_bytes()).unwrap();
    assert!(holds_bytes(directory.path(), &stayed), "what was not erased");
    assert!(!holds_bytes(directory.path(), b"QDe.115"), "whom its basis names");
}

#[tokio::test]
async fn files_that_could_not_be_written_anew_before_a_stop_are_after_the_next_start() {
    let hub = TestHub::start().await;
    let want = |directory: &Path| {
        let store = Store::open(directory).unwrap();
        let mut batch = store.batch();
        batch.set_purge(Some(2..=3)).unwrap();
        batch.commit().unwrap();
        assert_eq!(store.purge_wanted().unwrap(), Some(2..=3));
    };
    let hub = hub.restart_after(want).await;
    let store = hub.running().use_cases().unwrap().store.clone();
    let begun = std::time::Instant::now();
    while store.purge_wanted().unwrap().is_some() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing is written anew");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(store);
    hub.stop().await;
}

#[tokio::test]
async fn remains_that_were_changed_or_are_missing_are_found() {
    let hub = TestHub::start().await;
    let source = contributor(&hub, "Source", "NZ", "").await;
    let one = contribute(&source.client, "1", vec![pdq(1)]).await;
    hub.clock.advance(DAY / 24);
    let two = contribute(&source.client, "2", vec![pdq(2)]).await;
    withdraw(&source.client, one).await;
    withdraw(&source.client, two).await;
    let whole = hub.running().use_cases().unwrap().store.event(one).unwrap().unwrap();
    let (erased, _) = erased_after(&hub, 366 * DAY).await;
    assert_eq!(erased, [one, two]);
    hub.check().await;
    let store = hub.running().use_cases().unwrap().store.clone();
    let key = verifier(&hub);
    let now = hub.clock.now();
    let left = |entry| store.event(entry).unwrap().unwrap();
    let StoredEvent::Erased { leaf, by, salt, event } = left(one) else { panic!() };
    let other = left(two).opening().1.to_vec();
    let put = |stored: &StoredEvent| {
        let mut batch = store.batch();
        batch.put_stored(one, stored).unwrap();
        batch.commit().unwrap();
    };
    for (bad, words) in [
        (StoredEvent::Erased { leaf, by, salt, event: other }, "is not what event"),
        (StoredEvent::Erased { leaf, by: by - 1, salt, event: event.clone() }, "does not say so"),
        (whole.clone(), "is there still"),
    ] {
        put(&bad);
        let found = hashcommons::hub::audit(&store, &key, None, now).unwrap_err().to_string();
        assert!(found.contains(words), "{found}");
    }
    put(&StoredEvent::Erased { leaf, by, salt, event });
    hub.check().await;
    // Nor is an event folded that should not be there any more.
    put(&whole);
    drop((source, store));
    let directory = hub.stop().await;
    Store::open(directory.path()).unwrap().forget_folds().unwrap();
    let refused = start_alone(directory.path(), false).err().unwrap().to_string();
    assert_eq!(refused, format!("event {one} was erased by event {by}, and is there still"));
}
