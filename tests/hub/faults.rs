//! A commit that fails, in both ways in which one can: with nothing written, and written but reported as failed. The caller is told
//! the same, and sending the same request again when the hub is back comes out right both times.

use std::sync::Arc;

use crate::support::{TestHub, check_of, contribution, draft, pdq};
use hashcommons::client::Client;
use hashcommons::domain::{Role, SystemClock, SystemEntropy};
use hashcommons::hub::ADMIN_KEY_FILE;
use hashcommons::serve;
use hashcommons::store::Fault;
use hashcommons::wire::v1;
use tokio_stream::StreamExt;
use tonic::Code;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

async fn contribute(client: &Client, n: u64) -> Result<v1::Accepted, tonic::Status> {
    let request = contribution(&format!("request-{n}"), draft(vec![pdq(n)]));
    match client.contributions().contribute(request).await?.into_inner().outcome.unwrap() {
        v1::contribute_response::Outcome::Accepted(accepted) => Ok(accepted),
        other => panic!("{other:?}"),
    }
}

async fn matches(client: &Client, n: u64) -> usize {
    client.checks().check(check_of([pdq(n)])).await.unwrap().into_inner().matches.len()
}

/// Lets the commit of item 2 fail with `fault`; gives the hub, started again, a member's client, and whether the item was on
/// the list before it was sent again.
async fn failed_commit(fault: Fault) -> (TestHub, Client, bool) {
    let hub = TestHub::start().await;
    let (_, key) = hub.enrol("Contributor", "NZ", &[Role::Contributor, Role::Checker]).await;
    let member = hub.client(&key);
    contribute(&member, 1).await.unwrap();
    hub.running().use_cases().unwrap().store.inject(fault);
    for item in [2, 3] {
        let status = contribute(&member, item).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert!(status.message().contains("send the same request again when it is back"), "{status}");
    }
    let request = contribution("request-4", draft(vec![pdq(4)]));
    let stream = member.contributions().contribute_stream(tokio_stream::once(request)).await.unwrap();
    match stream.into_inner().next().await.unwrap().unwrap().outcome.unwrap() {
        v1::contribute_stream_response::Outcome::Rejected(rejected) => {
            assert_eq!(Code::from(rejected.code), Code::Unavailable);
        }
        other => panic!("{other:?}"),
    }
    let status = member.contributions().withdraw(v1::WithdrawRequest { entry_id: 3, reason: 0 }).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    // What was there is there, and what was not acknowledged is not shown, whatever the disk holds.
    assert_eq!((matches(&member, 1).await, matches(&member, 2).await), (1, 0));

    let hub = hub.restart().await;
    hub.check().await;
    let member = hub.client(&key);
    assert_eq!((matches(&member, 1).await, matches(&member, 3).await), (1, 0));
    let there = matches(&member, 2).await == 1;
    (hub, member, there)
}

#[tokio::test]
async fn a_contribution_that_was_not_written_is_made_by_the_same_request_after_a_restart() {
    let (hub, member, there) = failed_commit(Fault::BeforeWrite).await;
    assert!(!there);
    let accepted = contribute(&member, 2).await.unwrap();
    assert!(!accepted.repeated);
    assert_eq!(matches(&member, 2).await, 1);
    hub.check().await;
    hub.stop().await;
}

#[tokio::test]
async fn a_contribution_written_but_reported_as_failed_is_there_and_the_same_request_finds_it() {
    let (hub, member, there) = failed_commit(Fault::AfterWrite).await;
    assert!(there);
    let events = hub.check().await.events;
    let accepted = contribute(&member, 2).await.unwrap();
    assert!(accepted.repeated);
    let key = hub.running().use_cases().unwrap().prove.verifier().clone();
    let receipt: hashcommons::ledger::Receipt = accepted.receipt.unwrap().tlog_proof.parse().unwrap();
    assert_eq!(receipt.verify(&key).unwrap().index(), accepted.entry_id);
    assert_eq!(hub.check().await.events, events);
    hub.stop().await;
}

#[tokio::test]
async fn health_says_that_a_hub_whose_commit_failed_takes_no_more_changes_and_still_checks() {
    let directory = tempfile::tempdir().unwrap();
    let config = crate::support::config(directory.path());
    let mut running = serve::start(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.unwrap();
    running.ready().await.unwrap();
    let url = format!("http://{}", running.address());
    let key = std::fs::read_to_string(directory.path().join(ADMIN_KEY_FILE)).unwrap().trim().parse().unwrap();
    let admin = Client::connect(&url, Some(&key), None).await.unwrap();
    let store = running.use_cases().unwrap().store.clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let hub = tokio::spawn(running.run_until(async move { stopped.await.unwrap() }));

    let mut health = HealthClient::new(Endpoint::from_shared(url).unwrap().connect().await.unwrap());
    let asked = |service: &str| HealthCheckRequest { service: service.to_owned() };
    let mut writing = health
        .watch(asked("hashcommons.v1.ContributeService"))
        .await
        .unwrap()
        .into_inner()
        .map(|answer| answer.unwrap());
    assert_eq!(writing.next().await.unwrap().status(), ServingStatus::Serving);
    store.inject(Fault::BeforeWrite);
    let request = v1::EnrolMemberRequest { name: "X".to_owned(), jurisdiction: "NZ".to_owned(), ..Default::default() };
    assert_eq!(admin.admin().enrol_member(request).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(writing.next().await.unwrap().status(), ServingStatus::NotServing);
    let mut status = async |service| health.check(asked(service)).await.unwrap().into_inner().status();
    assert_eq!(status("hashcommons.v1.AdminService").await, ServingStatus::NotServing);
    assert_eq!(status("hashcommons.v1.CheckService").await, ServingStatus::Serving);
    assert_eq!(status("").await, ServingStatus::Serving);
    drop((store, writing, admin, health));
    stop.send(()).unwrap();
    hub.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_met_by_a_failed_commit_stops_and_sets_no_line_aside() {
    let hub = TestHub::start().await;
    let (_, key) = hub.enrol("Contributor", "NZ", &[Role::Contributor]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("items.ndjson");
    std::fs::write(&file, crate::process::run(&["bench", "entries", "--count", "5"]).stdout).unwrap();
    let import = |url: String| -> crate::process::Ran {
        let mut command = crate::process::program();
        // Not among the arguments, which others can see: as an operator would do it.
        command.args(["import", "--json", "--hub", &url]).arg(&file).env("HASHCOMMONS_KEY", key.reveal());
        command.output().unwrap().into()
    };
    hub.running().use_cases().unwrap().store.inject(Fault::BeforeWrite);
    let ran = import(hub.url());
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("goes on where it was") && ran.stderr.contains("stopped taking changes"), "{ran:?}");
    assert!(!folder.path().join("items.ndjson.rejected").exists());
    let hub = hub.restart().await;
    let ran = import(hub.url());
    assert_eq!((ran.code, &ran.json()[0]["imported"]), (0, &5.into()), "{ran:?}");
    hub.check().await;
    hub.stop().await;
}
