//! Organisations, reviewers and what they do, for tests of standing.

use std::time::Duration;

use hashcommons::client::Client;
use hashcommons::domain::{Role, Status};
use hashcommons::policy::ApiKey;
use hashcommons::wire::v1::{self, Ruling, RulingReason};
use hashcommons::wire::{Coded, roles_to_wire};
use tonic::Status as Answer;

use crate::support::{TestHub, check_of};

/// An organisation and a key of its.
pub struct Party {
    pub id: String,
    pub key: ApiKey,
    pub client: Client,
}

/// Enrols an organisation of this owner, which may contribute and check.
pub async fn contributor(hub: &TestHub, name: &str, country: &str, owner: &str) -> Party {
    let request = v1::EnrolMemberRequest {
        name: name.to_owned(),
        jurisdiction: country.to_owned(),
        control_group: owner.to_owned(),
        ..Default::default()
    };
    let id = hub.admin().admin().enrol_member(request).await.unwrap().into_inner().member_id;
    hub.operators().approve(&id, Status::Contributor).await;
    let key = issue(&hub.admin(), &id, &[Role::Contributor, Role::Checker]).await;
    let client = hub.client(&key);
    Party { id, key, client }
}

/// Two people who review, of organisations in France and Germany, with keys of two descents.
pub async fn reviewers(hub: &TestHub) -> [Party; 2] {
    let operators = hub.operators();
    let [mut first, mut second] = [None, None];
    for (place, name, country, operator) in
        [(&mut first, "First desk", "FR", &operators.first), (&mut second, "Second desk", "DE", &operators.second)]
    {
        *place = Some(reviewer(hub, name, country, "", operator).await);
    }
    [first.unwrap(), second.unwrap()]
}

/// Enrols an organisation that reviews, of this owner, with a key that `operator` issues.
pub async fn reviewer(hub: &TestHub, name: &str, country: &str, owner: &str, operator: &Client) -> Party {
    let request = v1::EnrolMemberRequest {
        name: name.to_owned(),
        jurisdiction: country.to_owned(),
        control_group: owner.to_owned(),
        duties: vec![Role::Reviewer.to_wire()],
    };
    let id = operator.admin().enrol_member(request).await.unwrap().into_inner().member_id;
    let key = issue(operator, &id, &[Role::Reviewer]).await;
    let client = hub.client(&key);
    Party { id, key, client }
}

/// A key with these roles.
pub async fn issue(operator: &Client, member_id: &str, roles: &[Role]) -> ApiKey {
    let roles = roles_to_wire(&roles.iter().copied().collect());
    let request = v1::IssueKeyRequest { member_id: member_id.to_owned(), roles, ..Default::default() };
    operator.admin().issue_key(request).await.unwrap().into_inner().secret.parse().unwrap()
}

/// Lets so much time pass that nobody is new any more.
pub fn a_month_passes(hub: &TestHub) {
    hub.clock.advance(Duration::from_hours(31 * 24));
}

/// A decision as it is sent.
pub fn decision(entry_id: u64, ruling: Ruling) -> v1::DecideRequest {
    v1::DecideRequest { entry_id, ruling: ruling.into(), reason: RulingReason::EvidenceSound.into(), labels: vec![] }
}

/// Has `reviewer` decide.
pub async fn decide(reviewer: &Client, entry: u64, ruling: Ruling) -> Result<v1::DecideResponse, Answer> {
    reviewer.reviews().decide(decision(entry, ruling)).await.map(tonic::Response::into_inner)
}

/// What an entry counts for.
pub async fn assessment(reviewer: &Client, entry_id: u64) -> v1::Assessment {
    let request = v1::TraceRequest { entry_id, against: vec![] };
    reviewer.reviews().trace(request).await.unwrap().into_inner().assessment.unwrap()
}

/// The words of one rule of an assessment.
pub fn words<'a>(assessment: &'a v1::Assessment, rule: &str) -> Option<&'a str> {
    assessment.reasons.iter().find(|reason| reason.rule == rule).map(|reason| reason.words.as_str())
}

/// What a check finds.
pub async fn matches(checker: &Client, signals: impl IntoIterator<Item = v1::Signal>) -> Vec<v1::Match> {
    checker.checks().check(check_of(signals)).await.unwrap().into_inner().matches
}

/// Puts one item on the benign list; gives its id.
pub async fn add_benign(reviewer: &Client, signals: Vec<v1::Signal>) -> u64 {
    let item = v1::BenignItem { signals, class: v1::BenignClass::News.into(), reference: String::new() };
    let answers = add_all_benign(reviewer, vec![item]).await;
    match answers.into_iter().next().unwrap() {
        v1::add_benign_response::answer::Outcome::Added(added) => added.benign_id,
        v1::add_benign_response::answer::Outcome::Rejected(rejected) => panic!("{}", rejected.message),
    }
}

/// What becomes of several.
pub async fn add_all_benign(
    reviewer: &Client,
    items: Vec<v1::BenignItem>,
) -> Vec<v1::add_benign_response::answer::Outcome> {
    let request = v1::AddBenignRequest { items };
    let answers = reviewer.reviews().add_benign(request).await.unwrap().into_inner().answers;
    answers.into_iter().map(|answer| answer.outcome.unwrap()).collect()
}

/// Takes one off.
pub async fn remove_benign(reviewer: &Client, benign_id: u64) {
    reviewer.reviews().remove_benign(v1::RemoveBenignRequest { benign_id }).await.unwrap();
}

/// The whole queue.
pub async fn queue(reviewer: &Client) -> v1::ListQueueResponse {
    reviewer.reviews().list_queue(v1::ListQueueRequest::default()).await.unwrap().into_inner()
}
