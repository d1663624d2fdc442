//! What a request is told by: in its answer, and in the ledger.

use hashcommons::client::Client;
use hashcommons::domain::Role;
use hashcommons::wire::v1;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::{Code, Request, Status};

use crate::follow::events;
use crate::items::contribute;
use crate::support::{TestHub, check_of, pdq};

const HEADER: &str = "x-request-id";

/// A request with these ids.
pub fn with_ids<T>(message: T, ids: &[&str]) -> Request<T> {
    let mut request = Request::new(message);
    for id in ids {
        let value = MetadataValue::<Ascii>::try_from(*id).unwrap();
        request.metadata_mut().append(HEADER, value);
    }
    request
}

fn told(metadata: &MetadataMap) -> &str {
    let mut values = metadata.get_all(HEADER).iter();
    let id = values.next().expect("an id").to_str().unwrap();
    assert!(values.next().is_none(), "one id");
    id
}

async fn checkpoint(client: &Client, ids: &[&str]) -> Result<MetadataMap, Status> {
    let request = with_ids(v1::GetCheckpointRequest {}, ids);
    client.ledger().get_checkpoint(request).await.map(|answer| answer.metadata().clone())
}

fn is_made(id: &str) -> bool {
    id.len() == 26 && id.chars().all(|c| matches!(c, 'a'..='z' | '2'..='7'))
}

#[tokio::test]
async fn an_answer_has_the_callers_id_or_one_that_the_hub_made_each_time_another() {
    let hub = TestHub::start().await;
    let member = hub.member("Member", &[Role::Checker]).await;
    let longest = "~".repeat(64);
    for id in ["a", "0198-7c:/<>\"\\", &longest] {
        assert_eq!(told(&checkpoint(&member, &[id]).await.unwrap()), id);
    }
    let made = [checkpoint(&member, &[]).await.unwrap(), checkpoint(&member, &[]).await.unwrap()];
    let made = made.each_ref().map(told);
    assert!(made.iter().all(|id| is_made(id)) && made[0] != made[1], "{made:?}");

    // So has an answer that is an error: of a method, of the check before it, and to nobody.
    let check = with_ids(v1::CheckRequest::default(), &["bad-field"]);
    assert_eq!(told(member.checks().check(check).await.unwrap_err().metadata()), "bad-field");
    let trace = with_ids(v1::TraceRequest::default(), &["no-role"]);
    assert_eq!(told(member.reviews().trace(trace).await.unwrap_err().metadata()), "no-role");
    assert_eq!(told(checkpoint(&hub.anonymous(), &["nobody"]).await.unwrap_err().metadata()), "nobody");
    // And a stream's, from its beginning on.
    let requests = with_ids(tokio_stream::once(check_of([pdq(1)])), &["stream"]);
    assert_eq!(told(member.checks().check_stream(requests).await.unwrap().metadata()), "stream");
    hub.stop().await;
}

#[tokio::test]
async fn an_id_that_is_not_as_it_must_be_is_told_so_by_the_headers_name() {
    let hub = TestHub::start().await;
    let member = hub.member("Member", &[Role::Checker]).await;
    let long = "x".repeat(65);
    for (ids, problem) in [
        (&["a b"][..], "x-request-id: must be 1 to 64 characters of visible ASCII"),
        (&[""], "x-request-id: must be 1 to 64 characters of visible ASCII"),
        (&["tab\there"], "x-request-id: must be 1 to 64 characters of visible ASCII"),
        (&[&long], "x-request-id: must be 1 to 64 characters of visible ASCII"),
        (&["a", "a"], "x-request-id: must be sent once at most"),
    ] {
        let status = checkpoint(&member, ids).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::InvalidArgument, problem), "{ids:?}");
        assert!(status.metadata().get(HEADER).is_none());
    }
    hub.stop().await;
}

#[tokio::test]
async fn an_event_about_members_and_keys_has_the_id_and_one_about_an_entry_only_a_digest() {
    let hub = TestHub::start().await;
    let (member_id, key) = hub.enrol("Member", "NZ", &[Role::Contributor]).await;
    let member = hub.client(&key);
    let entry = contribute(&member, "contribution-name", vec![pdq(1)]).await;
    let withdraw = with_ids(v1::WithdrawRequest { entry_id: entry, reason: 0 }, &["withdrawal-name"]);
    member.contributions().withdraw(withdraw).await.unwrap();
    let issue = v1::IssueKeyRequest { member_id, ..Default::default() };
    hub.admin().admin().issue_key(with_ids(issue.clone(), &["issue-name"])).await.unwrap();
    let made = hub.admin().admin().issue_key(issue).await.unwrap();

    let (events, _) = events(&hub.admin(), entry).await;
    let ids: Vec<_> = events.iter().map(|event| event.opening.as_ref().unwrap().request_id.as_str()).collect();
    assert_eq!(ids, ["", "", "issue-name", told(made.metadata())]);
    for event in &events {
        let record = &event.opening.as_ref().unwrap().record;
        for name in ["contribution-name", "withdrawal-name"] {
            let found = record.windows(name.len()).any(|part| part == name.as_bytes());
            assert!(!found, "what members write there stays theirs");
        }
    }
    // Recognized by who has the hub's secret: the same request again would have the same digest.
    let digest = |event: &v1::LedgerEvent| match hashcommons::ledger::record::decode_event(
        &event.opening.as_ref().unwrap().record,
    )
    .unwrap()
    .fact
    {
        hashcommons::domain::Fact::Withdrawn { request, .. } => request,
        other => panic!("{other:?}"),
    };
    let secret = std::fs::read_to_string(hub.directory().join("api-keys.secret")).unwrap();
    let secret = data_encoding::BASE64.decode(secret.trim().as_bytes()).unwrap().try_into().unwrap();
    let principal = hub.principal(&key);
    let expected =
        hashcommons::policy::MacSecret::new(secret).call_digest(principal.member, &"withdrawal-name".parse().unwrap());
    assert_eq!(digest(&events[1]), expected);
    hub.stop().await;
}
