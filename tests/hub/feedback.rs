//! What platforms say came of their matches, and how far that makes a contributor be believed.

use std::time::Duration;

use hashcommons::client::Client;
use hashcommons::domain::{Clock, Role};
use hashcommons::policy::MacSecret;
use hashcommons::wire::v1::{self, opening::Fact};
use tonic::{Code, Status};

use crate::follow::events;
use crate::items::contribute;
use crate::reviewing::{assessment, contributor, matches, reviewers, words};
use crate::support::{TestHub, check_of, pdq};

/// The receipt of the one match of picture `n`.
pub async fn receipt(checker: &Client, n: u64) -> String {
    let found = matches(checker, [pdq(n)]).await;
    assert_eq!(found.len(), 1);
    found[0].receipt.clone()
}

/// A report that is as it must be.
pub fn report(receipt: &str, outcome: &str) -> v1::ReportOutcomeRequest {
    v1::ReportOutcomeRequest {
        receipt: receipt.to_owned(),
        outcome: outcome.to_owned(),
        reason: "seen-by-person".to_owned(),
        ..Default::default()
    }
}

async fn send(client: &Client, report: v1::ReportOutcomeRequest) -> Result<v1::ReportOutcomeResponse, Status> {
    client.feedback().report_outcome(report).await.map(tonic::Response::into_inner)
}

async fn trust(client: &Client, member_id: &str) -> Result<v1::GetTrustResponse, Status> {
    let request = v1::GetTrustRequest { member_id: member_id.to_owned() };
    client.feedback().get_trust(request).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_report_is_added_to_the_ledger_and_to_what_the_entry_counts_for() {
    let hub = TestHub::start().await;
    let source = contributor(&hub, "Source", "NZ", "").await;
    let checkers = [contributor(&hub, "One", "FR", "").await, contributor(&hub, "Two", "DE", "").await];
    let [reviewer, _] = reviewers(&hub).await;
    let entry = contribute(&source.client, "item", vec![pdq(1)]).await;
    for checker in &checkers {
        let receipt = receipt(&checker.client, 1).await;
        let said = v1::ReportOutcomeRequest {
            labels: vec!["graphic-violence".to_owned()],
            kind: v1::SignalKind::Pdq.into(),
            note: "a film poster".to_owned(),
            ..report(&receipt, "false-positive")
        };
        let said = send(&checker.client, said).await.unwrap();
        assert_eq!(said.entry_id, entry);
        let (seen, _) = events(&reviewer.client, said.event).await;
        let Some(Fact::OutcomeReported(opened)) = seen[0].opening.clone().unwrap().fact else { panic!("{seen:?}") };
        assert_eq!((opened.entry_id, &*opened.outcome, &*opened.note), (entry, "false-positive", "a film poster"));
        let (others, _) = events(&source.client, said.event).await;
        assert_eq!(others[0].opening, None, "neither its contributor nor anybody else reads the note");
    }
    // Who it was, its contributor does not learn either.
    let traced = async |client: &Client| {
        let request = v1::TraceRequest { entry_id: entry, against: vec![] };
        let steps = client.reviews().trace(request).await.unwrap().into_inner().history;
        steps.into_iter().skip(1).map(|step| (step.actor, step.reason)).collect::<Vec<_>>()
    };
    let reason = "false-positive: seen-by-person".to_owned();
    assert_eq!(traced(&source.client).await, vec![(String::new(), reason.clone()); 2]);
    assert_eq!(traced(&reviewer.client).await, [0, 1].map(|at| (checkers[at].id.clone(), reason.clone())));
    let judged = assessment(&reviewer.client, entry).await;
    assert_eq!(judged.standing(), v1::Standing::Disputed);
    assert!(words(&judged, "disputed").unwrap().contains("two objections"), "{judged:?}");

    let own = trust(&source.client, "").await.unwrap();
    assert_eq!((own.member_id.as_str(), own.percent, own.objected), (&*source.id, 76, 2));
    assert_eq!((own.good_milli, own.bad_milli, own.half_life_days), (0, 500, 90));
    assert!(own.words.starts_with("76 %, not below 50 %"), "{}", own.words);
    hub.check().await;
    crate::statistics::recounted(&hub).await;
}

#[tokio::test]
async fn a_members_matches_with_an_entry_in_one_hour_have_one_receipt_which_outlives_a_restart() {
    let hub = TestHub::start().await;
    let source = contributor(&hub, "Source", "NZ", "").await;
    let [one, two] = [contributor(&hub, "One", "FR", "").await, contributor(&hub, "Two", "DE", "").await];
    contribute(&source.client, "item", vec![pdq(1)]).await;
    let first = receipt(&one.client, 1).await;
    assert_eq!(receipt(&one.client, 1).await, first);
    assert_ne!(receipt(&two.client, 1).await, first);
    hub.clock.advance(Duration::from_hours(1));
    assert_ne!(receipt(&one.client, 1).await, first);
    let mut answers =
        one.client.checks().check_stream(tokio_stream::iter([check_of([pdq(1)])])).await.unwrap().into_inner();
    let Some(v1::check_stream_response::Answer::Response(streamed)) = answers.message().await.unwrap().unwrap().answer
    else {
        panic!("an error")
    };
    assert_eq!(streamed.matches[0].receipt, receipt(&one.client, 1).await);
    let key = one.key.clone();
    drop((source, one, two, answers));
    let hub = hub.restart().await;
    send(&hub.client(&key), report(&first, "confirmed")).await.unwrap();
    hub.check().await;
    crate::statistics::recounted(&hub).await;
}

#[tokio::test]
async fn a_receipt_of_anothers_forged_cut_off_or_too_old_reports_nothing_and_says_not_whose_it_is() {
    let hub = TestHub::start().await;
    let source = contributor(&hub, "Source", "NZ", "").await;
    let [one, two] = [contributor(&hub, "One", "FR", "").await, contributor(&hub, "Two", "DE", "").await];
    let entry = contribute(&source.client, "item", vec![pdq(1)]).await;
    let own = receipt(&one.client, 1).await;
    let foreign = receipt(&two.client, 1).await;
    let forged = MacSecret::new([7; 32])
        .match_receipt(one.id.parse().unwrap(), hashcommons::domain::EntryId(entry), hub.clock.now())
        .to_string();
    let changed = format!("{}{}", &own[..own.len() - 1], if own.ends_with('a') { 'b' } else { 'a' });
    let before = hub.check().await.events;
    let not_yours = "receipt: is not a receipt that this hub gave your organisation; was it cut off or mistyped?";
    let no_form = "receipt: is not a match's receipt: one looks like `hcm_…`, 52 characters";
    for (receipt, message) in [
        (foreign.as_str(), not_yours),
        (&forged, not_yours),
        (&changed, not_yours),
        (&own[..51], no_form),
        (&own.to_uppercase(), no_form),
        ("hcm_", no_form),
        ("", "receipt: is required"),
    ] {
        let refused = send(&one.client, report(receipt, "confirmed")).await.unwrap_err();
        assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, message), "{receipt}");
        let appeal =
            v1::OpenAppealRequest { receipt: receipt.to_owned(), ground: "other".to_owned(), ..Default::default() };
        let refused = one.client.feedback().open_appeal(appeal).await.unwrap_err();
        let message = if receipt.is_empty() { no_form } else { message };
        assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, message), "{receipt}");
    }
    hub.clock.advance(Duration::from_hours(90 * 24));
    send(&one.client, report(&own, "confirmed")).await.unwrap();
    hub.clock.advance(Duration::from_hours(1));
    let refused = send(&one.client, report(&own, "confirmed")).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.message()),
        (Code::InvalidArgument, "receipt: is of a match more than 90 days ago")
    );
    let still_not = send(&one.client, report(&foreign, "confirmed")).await.unwrap_err();
    assert_eq!(still_not.message(), not_yours, "of another's it is not said that it was too old");
    let (since, _) = crate::follow::events(&hub.admin(), before).await;
    let kinds: Vec<_> = since.iter().map(|event| event.opening.as_ref().unwrap().kind.as_str()).collect();
    assert_eq!(kinds, ["matches-tallied", "outcome-reported"]);
    hub.check().await;
}

#[tokio::test]
async fn an_entry_is_named_by_reviewers_alone_and_of_one_member_sixteen_outcomes_are_taken() {
    let hub = TestHub::start().await;
    let source = contributor(&hub, "Source", "NZ", "").await;
    let checker = contributor(&hub, "Checker", "FR", "").await;
    let [reviewer, other] = reviewers(&hub).await;
    let entry = contribute(&source.client, "item", vec![pdq(1)]).await;
    let named = |entry| v1::ReportOutcomeRequest { entry_id: Some(entry), ..report("", "confirmed") };
    for client in [&checker.client, &source.client] {
        let messages = [entry, 999].map(|entry| async move {
            let refused = send(client, named(entry)).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
            refused.message().to_owned()
        });
        let [known, absent] = messages;
        assert_eq!(known.await, absent.await, "which says nothing of the entry");
    }
    let both =
        v1::ReportOutcomeRequest { entry_id: Some(entry), ..report(&receipt(&checker.client, 1).await, "confirmed") };
    assert!(send(&checker.client, both).await.unwrap_err().message().starts_with("entry_id: is given beside"));
    for _ in 0..16 {
        send(&reviewer.client, named(entry)).await.unwrap();
    }
    let refused = send(&reviewer.client, named(entry)).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    send(&other.client, named(entry)).await.unwrap();
    assert_eq!(send(&reviewer.client, named(999)).await.unwrap_err().code(), Code::NotFound);
    let own = send(&source.client, report(&receipt(&source.client, 1).await, "confirmed")).await.unwrap_err();
    assert_eq!(own.message(), "entry_id: is an entry of yours: withdraw it instead");
    hub.check().await;
    crate::statistics::recounted(&hub).await;
}

#[tokio::test]
async fn sixteen_outcomes_at_once_are_no_more_than_sixteen_one_after_the_other() {
    let hub = TestHub::start().await;
    let source = contributor(&hub, "Source", "NZ", "").await;
    let checker = contributor(&hub, "Checker", "FR", "").await;
    contribute(&source.client, "item", vec![pdq(1)]).await;
    let receipt = receipt(&checker.client, 1).await;
    let sent = (0..40).map(|_| send(&checker.client, report(&receipt, "confirmed")));
    let answers = futures_util::future::join_all(sent).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 16);
    hub.check().await;
    crate::statistics::recounted(&hub).await;
}

#[tokio::test]
async fn a_contributor_sees_its_own_trust_and_reviewers_everybodys() {
    let hub = TestHub::start().await;
    let [one, two] = [contributor(&hub, "One", "FR", "").await, contributor(&hub, "Two", "DE", "").await];
    let [reviewer, _] = reviewers(&hub).await;
    assert_eq!(trust(&one.client, "").await.unwrap(), trust(&one.client, &one.id).await.unwrap());
    let absent = "m-aaaaaaaa";
    let [others, nobodys] =
        [trust(&one.client, &two.id).await.unwrap_err(), trust(&one.client, absent).await.unwrap_err()];
    assert_eq!((others.code(), nobodys.code()), (Code::NotFound, Code::NotFound));
    assert_eq!(others.message().replace(&two.id, absent), nobodys.message());
    assert_eq!(trust(&reviewer.client, &one.id).await.unwrap().percent, 80);
    assert_eq!(trust(&reviewer.client, absent).await.unwrap_err().code(), Code::NotFound);
    let (_, checker) = hub.enrol("Checker", "NZ", &[Role::Checker]).await;
    assert_eq!(trust(&hub.client(&checker), "").await.unwrap_err().code(), Code::PermissionDenied);
}
