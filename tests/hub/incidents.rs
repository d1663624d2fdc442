//! Incidents: who opens them, how they end, what their entries may be used for, drills, and what they have come to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hashcommons::client::Client;
use hashcommons::domain::{Clock, Role};
use hashcommons::wire::{timestamp, v1};
use tonic::{Code, Status};
use v1::opening::Fact;

use crate::follow::events;
use crate::items::{accepted, near, some};
use crate::support::{TestHub, check_of, contribution, draft, pdq};

const HOUR: Duration = Duration::from_hours(1);

fn request(code: &str, is_drill: bool) -> v1::OpenIncidentRequest {
    v1::OpenIncidentRequest { code: code.to_owned(), r#type: "livestream".to_owned(), is_drill, until: None }
}

async fn ask_to_open(client: &Client, code: &str) -> Result<v1::ChangeIncidentResponse, Status> {
    client.incidents().open_incident(request(code, false)).await.map(tonic::Response::into_inner)
}

/// Has both operators open an incident.
pub async fn open(hub: &TestHub, code: &str, is_drill: bool) -> v1::Incident {
    let operators = hub.operators();
    let first = operators.first.incidents().open_incident(request(code, is_drill)).await.unwrap().into_inner();
    assert!(!first.is_enough);
    let second = operators.second.incidents().open_incident(request(code, is_drill)).await.unwrap().into_inner();
    assert!(second.is_enough);
    second.incident.unwrap()
}

async fn close(hub: &TestHub, code: &str) {
    let request = v1::CloseIncidentRequest { code: code.to_owned() };
    for operator in [hub.operators().first, hub.operators().second] {
        operator.incidents().close_incident(request.clone()).await.unwrap();
    }
}

async fn list(client: &Client) -> Vec<v1::Incident> {
    client.incidents().list_incidents(v1::ListIncidentsRequest {}).await.unwrap().into_inner().incidents
}

/// A draft that belongs to an incident, labelled so.
pub fn of_incident(code: &str, signals: Vec<v1::Signal>) -> v1::Draft {
    let mut draft = draft(signals);
    let basis = v1::basis::Basis::Incident(v1::basis::Incident { incident: code.to_owned() });
    draft.provenance.as_mut().unwrap().basis = Some(v1::Basis { basis: Some(basis) });
    draft.labels = vec![format!("incident-{code}")];
    draft
}

/// What a check of this signal finds: entries with standing and action.
async fn found(client: &Client, signal: v1::Signal, drill: &str) -> Vec<(u64, v1::Standing, v1::Action)> {
    let request = v1::CheckRequest { drill: drill.to_owned(), ..check_of([signal]) };
    let response = client.checks().check(request).await.unwrap().into_inner();
    assert_eq!(response.drill, drill);
    assert_eq!(response.results[0].total, response.matches.len() as u64);
    let told = |found: v1::Match| {
        let assessment = found.assessment.unwrap();
        (found.entry.unwrap().entry_id, assessment.standing(), assessment.action())
    };
    response.matches.into_iter().map(told).collect()
}

/// Waits until something is so that the hub brings about by itself, twice a second.
async fn eventually<T>(mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(done) = attempt().await {
            return done;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it did not come about within a minute");
}

/// Ends of incidents that the ledger tells, by the hub itself.
async fn ends(client: &Client) -> Vec<String> {
    let (events, _) = events(client, 0).await;
    let openings = events.into_iter().filter_map(|event| event.opening);
    let ended = openings.filter_map(|opening| match opening.fact {
        Some(Fact::IncidentEnded(ended)) => {
            assert_eq!(opening.actor, "");
            Some(ended.incident)
        }
        _ => None,
    });
    ended.collect()
}

#[tokio::test]
async fn it_takes_two_people_to_open_to_extend_and_to_close_an_incident() {
    let hub = TestHub::start().await;
    let checker = hub.member("Checker", &[Role::Checker]).await;
    let reviewer = hub.member("Reviewer", &[Role::Reviewer]).await;
    let operators = hub.operators();
    let (first, second) = (&operators.first, &operators.second);

    let proposed = ask_to_open(first, "harbour").await.unwrap();
    let incident = proposed.incident.unwrap();
    assert!(!proposed.is_enough && !incident.is_open && incident.opened.is_none() && incident.until.is_none());
    assert_eq!((incident.label.as_str(), incident.proposed.len()), ("incident-harbour", 1));
    // What nobody has seconded is told to those who can.
    assert_eq!((list(&checker).await.len(), list(&reviewer).await.len()), (0, 1));
    // The reviewer's key was issued with the first operator's: the same person.
    for same in [first, &reviewer] {
        let status = ask_to_open(same, "harbour").await.unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
        assert!(status.message().starts_with("code: the same was proposed with this key"), "{status}");
    }
    let opened = ask_to_open(second, "harbour").await.unwrap();
    let incident = opened.incident.unwrap();
    assert!(opened.is_enough && incident.is_open && incident.proposed.is_empty());
    let day = hub.clock.now().plus(24 * HOUR);
    assert_eq!((incident.until, incident.closed), (Some(timestamp(day)), None));
    assert_eq!(list(&checker).await, [incident]);
    // A code stands for one incident for ever.
    let status = ask_to_open(first, "harbour").await.unwrap_err();
    assert_eq!(status.message(), "code: there is, or was, an incident `harbour`; choose another code");

    hub.clock.advance(HOUR);
    let extend = v1::ExtendIncidentRequest { code: "harbour".to_owned(), until: None };
    assert!(!first.incidents().extend_incident(extend.clone()).await.unwrap().into_inner().is_enough);
    let waiting = list(&reviewer).await;
    assert_eq!((waiting[0].proposed.len(), &*waiting[0].proposed[0].change), (1, "extend"));
    assert_eq!(list(&checker).await[0].proposed, []);
    let extended = second.incidents().extend_incident(extend.clone()).await.unwrap().into_inner();
    let until = hub.clock.now().plus(24 * HOUR);
    assert_eq!((extended.is_enough, extended.incident.unwrap().until), (true, Some(timestamp(until))));
    let shorter = v1::ExtendIncidentRequest { until: Some(timestamp(day)), ..extend.clone() };
    let status = first.incidents().extend_incident(shorter).await.unwrap_err();
    assert!(status.message().starts_with("until: must be after its present end, 2026-"), "{status}");

    let close_it = v1::CloseIncidentRequest { code: "harbour".to_owned() };
    assert!(!second.incidents().close_incident(close_it.clone()).await.unwrap().into_inner().is_enough);
    assert!(list(&checker).await[0].is_open);
    let closed = first.incidents().close_incident(close_it.clone()).await.unwrap().into_inner();
    let incident = closed.incident.unwrap();
    assert!(closed.is_enough && !incident.is_open && incident.closed.is_some());
    for over in [
        first.incidents().close_incident(close_it).await.unwrap_err(),
        first.incidents().extend_incident(extend).await.unwrap_err(),
    ] {
        assert_eq!((over.code(), over.message()), (Code::FailedPrecondition, "code: `harbour` is not open"));
    }
    hub.check().await;
    crate::statistics::recounted(&hub).await;
    hub.stop().await;
}

#[tokio::test]
async fn a_proposal_that_is_a_day_old_counts_for_nothing() {
    let hub = TestHub::start().await;
    let operators = hub.operators();
    ask_to_open(&operators.first, "harbour").await.unwrap();
    hub.clock.advance(24 * HOUR);
    assert_eq!(list(&operators.first).await, []);
    assert!(!ask_to_open(&operators.second, "harbour").await.unwrap().is_enough);
    assert!(ask_to_open(&operators.first, "harbour").await.unwrap().is_enough);
    hub.stop().await;
}

#[tokio::test]
async fn what_nobody_extends_ends_by_itself_and_once_also_while_the_hub_is_down() {
    let hub = TestHub::start().await;
    let (_, key) = hub.enrol("Auditor", "NZ", &[Role::Auditor]).await;
    open(&hub, "harbour", false).await;
    open(&hub, "exercise", true).await;
    hub.clock.advance(23 * HOUR);
    let later = Some(timestamp(hub.clock.now().plus(12 * HOUR)));
    for operator in [hub.operators().first, hub.operators().second] {
        let request = v1::ExtendIncidentRequest { code: "exercise".to_owned(), until: later };
        operator.incidents().extend_incident(request).await.unwrap();
    }
    hub.clock.advance(HOUR);
    let auditor = hub.client(&key);
    let ended = eventually(async || Some(ends(&auditor).await).filter(|ends| !ends.is_empty())).await;
    assert_eq!(ended, ["harbour"]);
    let at = timestamp(hub.clock.now());
    let incidents = list(&auditor).await;
    let is = |code: &str| incidents.iter().find(|incident| incident.code == code).unwrap();
    assert_eq!((is("harbour").is_open, is("harbour").closed), (false, Some(at)));
    assert!(is("exercise").is_open, "it was extended");

    // The other one's time passes while the hub is down.
    let clock = hub.clock.clone();
    let directory = hub.stop().await;
    clock.advance(24 * HOUR);
    let hub = TestHub::start_again(directory, clock).await;
    let auditor = hub.client(&key);
    let ended = eventually(async || Some(ends(&auditor).await).filter(|ends| ends.len() > 1)).await;
    assert_eq!(ended, ["harbour", "exercise"]);
    // And not again, however often the hub looks.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let hub = hub.restart().await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(ends(&hub.client(&key)).await, ["harbour", "exercise"]);
    hub.check().await;
    crate::statistics::recounted(&hub).await;
    hub.stop().await;
}

#[tokio::test]
async fn a_contribution_names_one_incident_and_one_that_was_opened() {
    let hub = TestHub::start().await;
    let member = hub.member("Contributor", &[Role::Contributor]).await;
    ask_to_open(&hub.admin(), "proposed").await.unwrap();
    open(&hub, "harbour", false).await;
    open(&hub, "bridge", false).await;
    let refused = async |draft: v1::Draft| {
        let status = member.contributions().contribute(contribution("refused", draft)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        status.message().to_owned()
    };
    for never in ["proposed", "nowhere"] {
        let message = refused(of_incident(never, vec![pdq(1)])).await;
        assert_eq!(message, format!("draft.provenance.basis.incident: there is no incident `{never}`"));
        let labelled = v1::Draft { labels: vec![format!("incident-{never}")], ..draft(vec![pdq(1)]) };
        assert_eq!(refused(labelled).await, format!("draft.labels: there is no incident `{never}`"));
        // Nor beside one that there is.
        let both = v1::Draft { labels: vec![format!("incident-{never}")], ..of_incident("harbour", vec![pdq(1)]) };
        assert!(refused(both).await.starts_with("draft.labels: an entry belongs to one incident, and this names `"));
    }
    let both = v1::Draft { labels: vec!["incident-bridge".to_owned()], ..of_incident("harbour", vec![pdq(1)]) };
    let message = refused(both).await;
    assert_eq!(message, "draft.labels: an entry belongs to one incident, and this names `bridge` and `harbour`");
    accepted(&member, contribution("taken", of_incident("harbour", vec![pdq(1)]))).await;
    hub.stop().await;
}

#[tokio::test]
async fn an_entry_of_an_open_incident_takes_the_faster_way_and_none_that_comes_later() {
    use v1::{Action, Standing};
    let hub = TestHub::start().await;
    // New members, all of them: their entries would support review.
    let (_, key) = hub.enrol("One", "NZ", &[Role::Checker, Role::Contributor]).await;
    let one = hub.client(&key);
    open(&hub, "harbour", false).await;
    accepted(&one, contribution("open", of_incident("harbour", vec![pdq(1)]))).await;
    let mut bystander = of_incident("harbour", vec![pdq(2)]);
    bystander.provenance.as_mut().unwrap().producer = v1::Producer::Bystander.into();
    accepted(&one, contribution("bystander", bystander)).await;
    accepted(&one, contribution("usual", draft(vec![pdq(3)]))).await;
    let first = |found: &[(u64, Standing, Action)]| (found[0].1, found[0].2);
    let is = async |n: u64| first(&found(&one, pdq(n), "").await);
    assert_eq!(is(1).await, (Standing::Provisional, Action::BlockPendingReview));
    assert_eq!(is(2).await, (Standing::Provisional, Action::Review));
    assert_eq!(is(3).await, (Standing::Provisional, Action::Review));

    // What comes in the very millisecond of the end comes too late.
    hub.clock.advance(Duration::from_millis(1));
    close(&hub, "harbour").await;
    accepted(&one, contribution("late", of_incident("harbour", vec![pdq(4)]))).await;
    assert_eq!(is(1).await.1, Action::BlockPendingReview, "what came while it was open stays on its way");
    assert_eq!(is(4).await.1, Action::Review, "what comes later is taken, and is a new member's");

    hub.clock.advance(24 * HOUR);
    assert_eq!(is(1).await, (Standing::Provisional, Action::Review), "nobody has corroborated it");
    // Without a word of its contributor's it ends with the policy's time.
    hub.clock.advance(180 * 24 * HOUR);
    assert_eq!(found(&one, pdq(1), "").await, []);
    let hub = hub.restart().await;
    hub.check().await;
    crate::statistics::recounted(&hub).await;
    hub.stop().await;
}

#[tokio::test]
async fn entries_of_a_drill_meet_nothing_but_checks_for_it_and_speak_for_nothing() {
    use v1::{Action, SignalKind, Standing};
    let hub = TestHub::start().await;
    let one = hub.member("One", &[Role::Checker, Role::Contributor]).await;
    let (_, other) = hub.enrol("Other", "FR", &[Role::Checker, Role::Contributor]).await;
    let other = hub.client(&other);
    open(&hub, "exercise", true).await;
    open(&hub, "harbour", false).await;
    let kinds = [SignalKind::Pdq, SignalKind::Phash, SignalKind::Dhash, SignalKind::Md5, SignalKind::Sha256];
    let signals: Vec<_> = kinds.iter().map(|kind| some(*kind, 1)).collect();
    let signals = [vec![v1::Signal { quality: Some(100), ..signals[0].clone() }], signals[1..].to_vec()].concat();
    let real = accepted(&one, contribution("real", draft(vec![near(&pdq(1), 8)]))).await.entry_id;
    let entry = accepted(&other, contribution("drill", of_incident("exercise", signals.clone()))).await.entry_id;
    // Neither in checks nor for others.
    for signal in &signals[1..] {
        assert_eq!(found(&one, signal.clone(), "").await, [], "{signal:?}");
    }
    let seen = found(&one, pdq(1), "").await;
    assert_eq!(seen.iter().map(|found| found.0).collect::<Vec<_>>(), [real]);
    let traced = v1::TraceRequest { entry_id: real, against: vec![] };
    let traced = hub.admin().reviews().trace(traced).await.unwrap().into_inner().assessment.unwrap();
    assert!(traced.reasons.iter().all(|reason| reason.rule != "corroborated"), "{traced:?}");
    assert!(traced.reasons.iter().all(|reason| !reason.events.contains(&entry)), "{traced:?}");

    // In the drill it is found by each of its signals, and nothing else is.
    for signal in signals.iter().cloned().chain([near(&pdq(1), 31)]) {
        let all = found(&one, signal, "exercise").await;
        assert_eq!(all, [(entry, Standing::Quarantined, Action::LogOnly)]);
    }
    assert_eq!(found(&one, near(&pdq(1), 32), "exercise").await, []);
    for (signals, limit) in [(vec![pdq(1), pdq(2)], 1), (vec![pdq(2), pdq(1)], 1)] {
        let request = v1::CheckRequest { limit: Some(limit), drill: "exercise".to_owned(), ..check_of(signals) };
        let response = one.checks().check(request).await.unwrap().into_inner();
        assert_eq!((response.matches.len(), response.more), (1, false));
        assert_eq!(response.results.iter().map(|result| result.total).sum::<u64>(), 1);
    }
    // What is withdrawn is gone there as well.
    let more = accepted(&other, contribution("more", of_incident("exercise", vec![pdq(1)]))).await.entry_id;
    assert_eq!(found(&one, pdq(1), "exercise").await.len(), 2);
    let withdraw = v1::WithdrawRequest { entry_id: more, reason: 0 };
    other.contributions().withdraw(withdraw).await.unwrap();
    assert_eq!(found(&one, pdq(1), "exercise").await.len(), 1);

    close(&hub, "exercise").await;
    for none in ["exercise", "harbour", "nowhere"] {
        let request = v1::CheckRequest { drill: none.to_owned(), ..check_of([pdq(1)]) };
        let status = one.checks().check(request).await.unwrap_err();
        assert_eq!(
            (status.code(), status.message()),
            (Code::InvalidArgument, &*format!("drill: there is no open drill `{none}`"))
        );
    }
    // Nor does its end, or a restart, let it loose.
    let hub = {
        drop((one, other));
        hub.restart().await
    };
    let again = hub.member("Again", &[Role::Checker]).await;
    assert_eq!(found(&again, pdq(1), "").await.len(), 1);
    assert_eq!(found(&again, some(SignalKind::Md5, 1), "").await, []);
    hub.check().await;
    crate::statistics::recounted(&hub).await;
    hub.stop().await;
}

async fn follow_incidents_first(client: &Client, from: u64) -> Vec<v1::LedgerEvent> {
    let request = v1::FollowRequest { from, until_now: true, incident_first: true };
    let mut feed = client.ledger().follow(request).await.unwrap().into_inner();
    let mut events = Vec::new();
    while let Some(message) = feed.message().await.unwrap() {
        if let Some(v1::follow_response::Item::Event(event)) = message.item {
            events.push(event);
        }
    }
    events
}

#[tokio::test]
async fn whoever_was_away_is_sent_what_belongs_to_open_incidents_first_and_all_of_it_in_its_place() {
    let hub = TestHub::start().await;
    let one = hub.member("One", &[Role::Contributor]).await;
    let auditor = hub.member("Auditor", &[Role::Auditor]).await;
    open(&hub, "harbour", false).await;
    open(&hub, "over", false).await;
    let before = accepted(&one, contribution("before", of_incident("harbour", vec![pdq(1)]))).await.entry_id;
    let from = before + 1;
    let mut expected = BTreeSet::new();
    for n in 0..600 {
        accepted(&one, contribution(&format!("usual-{n}"), draft(vec![pdq(1_000 + n)]))).await;
        if n % 50 == 0 {
            let name = format!("incident-{n}");
            expected.insert(
                accepted(&one, contribution(&name, of_incident("harbour", vec![pdq(2_000 + n)]))).await.entry_id,
            );
            accepted(&one, contribution(&format!("over-{n}"), of_incident("over", vec![pdq(3_000 + n)]))).await;
        }
    }
    close(&hub, "over").await;
    let gone = *expected.first().unwrap();
    let withdraw = v1::WithdrawRequest { entry_id: gone, reason: 0 };
    let withdrawn = one.contributions().withdraw(withdraw).await.unwrap().into_inner();
    expected.insert(withdrawn.receipt.unwrap().index);

    let events = follow_incidents_first(&auditor, from).await;
    let (ahead, in_order) = events.split_at(events.iter().position(|event| !event.ahead).unwrap());
    assert_eq!(ahead.iter().map(|event| event.index).collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>());
    let plain = crate::follow::events(&auditor, from).await.0;
    assert_eq!(in_order, plain, "and then everything, as to everybody else");
    for event in ahead {
        let again = &plain[(event.index - from) as usize];
        assert_eq!((&event.leaf, &event.opening), (&again.leaf, &again.opening));
    }
    // Who may not read them gets them sealed, ahead as well.
    let other = hub.member("Other", &[Role::Contributor]).await;
    let sealed = follow_incidents_first(&other, from).await;
    let contributed = sealed.iter().filter(|event| event.ahead && event.index != withdrawn_index(ahead));
    assert!(contributed.clone().count() == 12 && contributed.clone().all(|event| event.opening.is_none()));
    // Without being asked nobody is sent anything ahead.
    assert!(plain.iter().all(|event| !event.ahead));
    let status = {
        let request = v1::FollowRequest { from: u64::MAX, until_now: true, incident_first: true };
        auditor.ledger().follow(request).await.unwrap_err()
    };
    assert!(status.code() == Code::OutOfRange && status.message().starts_with("from: must be 0 to "), "{status}");
    hub.stop().await;
}

fn withdrawn_index(ahead: &[v1::LedgerEvent]) -> u64 {
    ahead.last().unwrap().index
}

/// Counts of the words that something is told by.
pub type Counts = BTreeMap<String, u64>;

pub fn counts(counts: &[v1::Count]) -> Counts {
    counts.iter().map(|count| (count.code.clone(), count.count)).collect()
}

pub fn add(counts: &mut Counts, code: impl Into<String>) {
    *counts.entry(code.into()).or_default() += 1;
}

/// What a debrief must say, made of nothing but the feed.
#[derive(Debug, Default, PartialEq)]
pub struct Recount {
    pub entries: u64,
    pub members: Counts,
    pub labels: Counts,
    pub producers: Counts,
    pub signal_kinds: Counts,
    pub hours: BTreeMap<i64, u64>,
    pub outcomes: Counts,
    pub appeals: u64,
}

impl Recount {
    /// Of the incident `code`, by an auditor's feed, where nothing is relabelled.
    pub fn of(code: &str, events: &[v1::LedgerEvent]) -> Self {
        use hashcommons::wire::Coded;
        let mut recount = Self::default();
        let mut ids = BTreeSet::new();
        for event in events {
            let opening = event.opening.as_ref().unwrap();
            match opening.fact.as_ref().unwrap() {
                Fact::Contributed(said) => {
                    let draft = said.draft.as_ref().unwrap();
                    let label = format!("incident-{code}");
                    if !draft.labels.contains(&label) {
                        continue;
                    }
                    ids.insert(event.index);
                    recount.entries += 1;
                    add(&mut recount.members, &opening.actor);
                    draft.labels.iter().for_each(|label| add(&mut recount.labels, label));
                    let producer = draft.provenance.as_ref().unwrap().producer;
                    add(&mut recount.producers, hashcommons::domain::Producer::from_wire(producer, "").unwrap().code());
                    for signal in &draft.signals {
                        let kind = hashcommons::domain::SignalKind::from_wire(signal.kind, "").unwrap();
                        add(&mut recount.signal_kinds, kind.to_string());
                    }
                    let seconds = opening.at.as_ref().unwrap().seconds;
                    *recount.hours.entry(seconds - seconds % 3_600).or_default() += 1;
                }
                Fact::OutcomeReported(said) if ids.contains(&said.entry_id) => {
                    add(&mut recount.outcomes, &said.outcome);
                }
                Fact::AppealOpened(said) => recount.appeals += u64::from(ids.contains(&said.entry_id)),
                _ => {}
            }
        }
        recount
    }

    /// The same of a debrief.
    pub fn told(debrief: &v1::Debrief) -> Self {
        Self {
            entries: debrief.entries,
            members: counts(&debrief.members),
            labels: counts(&debrief.labels),
            producers: counts(&debrief.producers),
            signal_kinds: counts(&debrief.signal_kinds),
            hours: debrief.hours.iter().map(|hour| (hour.hour.as_ref().unwrap().seconds, hour.count)).collect(),
            outcomes: counts(&debrief.outcomes),
            appeals: debrief.appeals.iter().map(|appeal| appeal.count).sum(),
        }
    }
}

pub async fn debrief(client: &Client, code: &str) -> v1::Debrief {
    let request = v1::GetDebriefRequest { code: code.to_owned() };
    client.incidents().get_debrief(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_debrief_says_what_the_feed_says() {
    let hub = TestHub::start().await;
    let keys = [("One", "NZ"), ("Two", "FR"), ("Three", "NZ")];
    let mut members = Vec::new();
    for (name, jurisdiction) in keys {
        members.push(hub.client(&hub.enrol(name, jurisdiction, &[Role::Contributor]).await.1));
    }
    let auditor = hub.member("Auditor", &[Role::Auditor]).await;
    // What they say of others counts once they are no longer new.
    hub.clock.advance(31 * 24 * HOUR);
    open(&hub, "harbour", false).await;
    let mut name = 0;
    let mut put = async |member: usize, draft: v1::Draft| {
        name += 1;
        accepted(&members[member], contribution(&format!("item-{name}"), draft)).await.entry_id
    };
    // 1: by two in two jurisdictions, in time. 2: by two of one jurisdiction. 3: by two, the second too late. 4: by one.
    put(0, of_incident("harbour", vec![pdq(1), some(v1::SignalKind::Md5, 1)])).await;
    put(0, of_incident("harbour", vec![pdq(2)])).await;
    put(0, of_incident("harbour", vec![pdq(3)])).await;
    let gone = put(1, of_incident("harbour", vec![pdq(4)])).await;
    let mut seen = of_incident("harbour", vec![pdq(5)]);
    seen.provenance.as_mut().unwrap().producer = v1::Producer::Bystander.into();
    seen.labels.push("graphic-violence".to_owned());
    put(2, seen).await;
    let unrelated = put(0, draft(vec![pdq(6)])).await;
    hub.clock.advance(HOUR);
    put(1, of_incident("harbour", vec![near(&pdq(1), 16)])).await;
    put(2, of_incident("harbour", vec![near(&pdq(2), 16)])).await;
    let withdraw = v1::WithdrawRequest { entry_id: gone, reason: 0 };
    members[1].contributions().withdraw(withdraw).await.unwrap();

    // What others found: twice about one entry, and once about one that is not the incident's. One platform appeals.
    let reviewer = hub.member("Reviewer", &[Role::Reviewer]).await;
    let checker = hub.member("Checker", &[Role::Checker]).await;
    let report = |entry_id, outcome: &str| v1::ReportOutcomeRequest {
        entry_id: Some(entry_id),
        outcome: outcome.to_owned(),
        reason: "seen-by-person".to_owned(),
        ..Default::default()
    };
    reviewer.feedback().report_outcome(report(gone, "confirmed")).await.unwrap();
    reviewer.feedback().report_outcome(report(gone, "no-longer-relevant")).await.unwrap();
    reviewer.feedback().report_outcome(report(unrelated, "confirmed")).await.unwrap();
    let matched = checker.checks().check(check_of([pdq(5)])).await.unwrap().into_inner().matches.remove(0);
    let appeal =
        v1::OpenAppealRequest { receipt: matched.receipt, ground: "lawful-context".to_owned(), ..Default::default() };
    checker.feedback().open_appeal(appeal).await.unwrap();

    let fate = |debrief: &v1::Debrief| {
        let of = debrief.corroborated.unwrap();
        (of.in_time, of.late, of.waiting, of.demoted)
    };
    let now = debrief(&auditor, "harbour").await;
    let (events, _) = events(&auditor, 0).await;
    assert_eq!(Recount::told(&now), Recount::of("harbour", &events));
    assert_eq!(now.ledger_size, events.len() as u64);
    let told = Recount::told(&now);
    assert_eq!((told.outcomes.len(), told.appeals), (2, 1));
    assert_eq!(fate(&now), (2, 0, 4, 0));
    let standings = |active, provisional| {
        let all = [("active", active), ("provisional", provisional), ("withdrawn", 1)];
        all.into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(code, count)| (code.to_owned(), count))
            .collect::<Counts>()
    };
    assert_eq!(counts(&now.standings), standings(2, 4));

    // A day later, the incident over: one more agrees, too late for 3; it is itself new.
    hub.clock.advance(24 * HOUR);
    put(1, of_incident("harbour", vec![near(&pdq(3), 10)])).await;
    let later = debrief(&members[0], "harbour").await;
    assert!(!later.incident.as_ref().unwrap().is_open);
    // 3 came a day before its corroboration; the one that corroborates it found it there.
    assert_eq!(fate(&later), (3, 1, 0, 3));
    assert_eq!(counts(&later.standings), standings(4, 3));
    let hours: Vec<_> = later.hours.iter().map(|hour| hour.count).collect();
    assert_eq!(hours, [5, 2, 1]);
    assert_eq!(Recount::told(&later), Recount::of("harbour", &crate::follow::events(&auditor, 0).await.0));

    let none = v1::GetDebriefRequest { code: "nowhere".to_owned() };
    let status = auditor.incidents().get_debrief(none).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "code: there is no incident `nowhere`"));
    hub.stop().await;
}
