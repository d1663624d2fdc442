//! Streams of checks and of contributions: answers in order, and what is wrong with one request is said in its place.

use hashcommons::client::Client;
use hashcommons::domain::Role;
use hashcommons::wire::v1;
use tonic::{Code, Status};
use v1::check_stream_response::Answer;
use v1::contribute_stream_response::Outcome;

use crate::items::contribute;
use crate::support::{TestHub, check_of, contribution, draft, pdq};

async fn check_all(client: &Client, requests: Vec<v1::CheckRequest>) -> Vec<Answer> {
    let mut answers = client.checks().check_stream(tokio_stream::iter(requests)).await.unwrap().into_inner();
    let mut all = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        all.push(answer.answer.unwrap());
    }
    all
}

async fn contribute_all(client: &Client, requests: Vec<v1::ContributeRequest>) -> Vec<(String, Outcome)> {
    let requests = tokio_stream::iter(requests);
    let mut answers = client.contributions().contribute_stream(requests).await.unwrap().into_inner();
    let mut all = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        all.push((answer.request_id, answer.outcome.unwrap()));
    }
    all
}

fn tagged(tag: &str, request: v1::CheckRequest) -> v1::CheckRequest {
    v1::CheckRequest { tag: tag.to_owned(), ..request }
}

#[tokio::test]
async fn a_check_stream_answers_in_order_and_goes_on_after_a_bad_request() {
    let hub = TestHub::start().await;
    let member = hub.member("Both", &[Role::Contributor, Role::Checker]).await;
    let entry = contribute(&member, "one", vec![pdq(1)]).await;

    let no_queries = check_of([]);
    let answers = check_all(
        &member,
        vec![
            tagged("known", check_of([pdq(1)])),
            tagged("bad", no_queries.clone()),
            tagged("unknown", check_of([pdq(2)])),
            tagged(&"é".repeat(65), check_of([pdq(1)])),
            tagged("", check_of([pdq(1)])),
        ],
    )
    .await;

    let response = |answer: &Answer| match answer {
        Answer::Response(response) => response.clone(),
        Answer::Error(error) => panic!("{error:?}"),
    };
    assert_eq!(answers.len(), 5);
    let known = response(&answers[0]);
    assert_eq!((known.tag.as_str(), known.matches[0].entry.as_ref().unwrap().entry_id), ("known", entry));
    let unary: Status = member.checks().check(no_queries).await.unwrap_err();
    let (message, code) = (unary.message().to_owned(), unary.code().into());
    let bad = v1::CheckError { tag: "bad".to_owned(), message, code, retry_after: None };
    assert_eq!(answers[1], Answer::Error(bad), "as the unary call says it");
    let unknown = response(&answers[2]);
    assert_eq!((unknown.tag.as_str(), unknown.matches.len()), ("unknown", 0));
    let Answer::Error(long) = &answers[3] else { panic!("{:?}", answers[3]) };
    assert_eq!(long.message, "tag: must be at most 64 bytes, got 130");
    assert!(long.tag.len() <= 64 && long.tag.starts_with("éé"), "as much of the tag as a tag may have: {}", long.tag);
    assert_eq!(response(&answers[4]).matches, known.matches);
    hub.stop().await;
}

#[tokio::test]
async fn a_check_stream_of_many_keeps_every_answer_with_its_question() {
    let hub = TestHub::start().await;
    let member = hub.member("Both", &[Role::Contributor, Role::Checker]).await;
    let mut entries = Vec::new();
    for n in 0..5 {
        entries.push(contribute(&member, &format!("item-{n}"), vec![pdq(n)]).await);
    }
    let requests = (0..2_000).map(|n| tagged(&n.to_string(), check_of([pdq(n % 10)]))).collect();
    let answers = check_all(&member, requests).await;
    assert_eq!(answers.len(), 2_000);
    for (n, answer) in answers.iter().enumerate() {
        let Answer::Response(response) = answer else { panic!("{answer:?}") };
        let found: Vec<_> = response.matches.iter().map(|found| found.entry.as_ref().unwrap().entry_id).collect();
        let expected: Vec<_> = entries.get(n % 10).copied().into_iter().collect();
        assert_eq!((&response.tag, found), (&n.to_string(), expected));
    }
    hub.stop().await;
}

#[tokio::test]
async fn a_contribute_stream_answers_each_item_in_its_place_whatever_becomes_of_it() {
    let hub = TestHub::start().await;
    let member = hub.member("Contributor", &[Role::Contributor, Role::Checker]).await;
    let before = hub.check().await;
    let item = |id: &str, n| contribution(id, draft(vec![pdq(n)]));
    let featureless = v1::Signal { quality: Some(49), ..pdq(3) };
    let bare = v1::ContributeRequest { without_receipt: true, ..item("bare", 4) };
    let bad = contribution("bad", draft(vec![]));
    let answers = contribute_all(
        &member,
        vec![
            item("first", 1),
            item("first", 1),
            contribution("flat", draft(vec![pdq(9), featureless])),
            bad.clone(),
            item("first", 2),
            bare,
            item("not an id", 5),
            item("last", 6),
        ],
    )
    .await;

    let ids: Vec<_> = answers.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["first", "first", "flat", "bad", "first", "bare", "not an id", "last"]);
    let accepted = |at: usize| match &answers[at].1 {
        Outcome::Accepted(accepted) => accepted.clone(),
        other => panic!("{other:?}"),
    };
    let rejected = |at: usize| match &answers[at].1 {
        Outcome::Rejected(rejected) => (Code::from(rejected.code), rejected.message.clone()),
        other => panic!("{other:?}"),
    };
    let (first, again) = (accepted(0), accepted(1));
    assert_eq!((first.repeated, again.repeated), (false, true));
    assert_eq!((again.entry_id, first.receipt.unwrap().index), (first.entry_id, first.entry_id));
    let Outcome::Declined(declined) = &answers[2].1 else { panic!("{:?}", answers[2]) };
    assert_eq!(declined.reason(), v1::declined::Reason::TooFeatureless);
    assert_eq!(declined.message, "draft.signals[1]: the picture is too featureless to share or match");
    let unary = member.contributions().contribute(bad).await.unwrap_err();
    assert_eq!(rejected(3), (unary.code(), unary.message().to_owned()), "as the unary call says it");
    assert_eq!(rejected(3), (Code::InvalidArgument, "draft.signals: must be 1 to 16, got 0".to_owned()));
    assert_eq!(rejected(4).0, Code::AlreadyExists);
    assert_eq!(accepted(5).receipt, None);
    assert!(rejected(6).1.starts_with("request_id: "));
    assert!(accepted(7).entry_id > accepted(5).entry_id);

    let after = hub.check().await;
    assert_eq!((after.events - before.events, after.entries), (3, 3), "three of the eight were written");
    hub.stop().await;
}

#[tokio::test]
async fn what_a_declined_contribution_held_does_not_match_and_its_request_id_is_free() {
    let hub = TestHub::start().await;
    let member = hub.member("Contributor", &[Role::Contributor, Role::Checker]).await;
    let flat = draft(vec![pdq(1), v1::Signal { quality: Some(0), ..pdq(2) }]);
    let outcome = member.contributions().contribute(contribution("id", flat)).await.unwrap().into_inner().outcome;
    assert!(matches!(outcome, Some(v1::contribute_response::Outcome::Declined(_))), "{outcome:?}");
    let response = member.checks().check(check_of([pdq(1), pdq(2)])).await.unwrap().into_inner();
    assert_eq!(response.matches, []);
    contribute(&member, "id", vec![pdq(1)]).await;
    hub.stop().await;
}
