//! A hub's life as a process: alive and ready, told to stop, gone.

use hashcommons::wire::v1;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::site::Site;

fn asked(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_told_to_stop_finishes_what_it_has_tells_followers_and_goes() {
    let site = Site::new();
    let (url, address) = (site.hub.url(), site.hub.address.clone());
    let client = site.client().await;
    let request = v1::FollowRequest { from: 0, until_now: false, incident_first: false };
    let mut feed = client.ledger().follow(request).await.unwrap().into_inner();
    // Everything so far, so that it waits for more when the end comes.
    while !matches!(feed.next().await.unwrap().unwrap().item, Some(v1::follow_response::Item::Checkpoint(_))) {}
    let mut health = HealthClient::new(Endpoint::from_shared(url).unwrap().connect().await.unwrap());
    let mut ready = health.watch(asked("hashcommons.v1.CheckService")).await.unwrap().into_inner();
    assert_eq!(ready.next().await.unwrap().unwrap().status(), ServingStatus::Serving);
    assert_eq!(health.check(asked("")).await.unwrap().into_inner().status(), ServingStatus::Serving);
    // Many contributions, of which none has been answered when the signal comes.
    let items = site.ran(&["bench", "entries", "--count", "300"]);
    site.write("items.ndjson", &items.stdout);
    let (sender, receiver) = tokio::sync::mpsc::channel(1_000);
    for item in items.json() {
        let signal = v1::Signal {
            kind: v1::SignalKind::Pdq.into(),
            value: item["signals"][0]["value"].as_str().unwrap().to_owned(),
            quality: Some(100),
        };
        sender.send(contribution(signal)).await.unwrap();
    }
    let mut answers =
        client.contributions().contribute_stream(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    let mut acknowledged = Vec::new();
    acknowledged.push(entry(answers.next().await.unwrap().unwrap()));
    site.hub.terminate();
    let end = loop {
        match answers.next().await.unwrap() {
            Ok(answer) => acknowledged.push(entry(answer)),
            Err(status) => break status,
        }
    };
    assert_eq!(end.code(), Code::Unavailable, "{end}");
    let end = loop {
        if let Err(status) = feed.next().await.expect("a feed that was cut must not look complete") {
            break status;
        }
    };
    assert_eq!(end.code(), Code::Unavailable, "{end}");
    if let Some(Ok(status)) = ready.next().await {
        assert_eq!(status.status(), ServingStatus::NotServing);
    }
    drop((sender, client, health, ready, feed, answers));
    // The bound of what an orchestrator allows is inside `wait`.
    let mut site = site;
    let code = site.hub.wait_now();
    assert_eq!(code, Some(0));
    assert!(std::net::TcpStream::connect(&address).is_err(), "the port still takes connections");
    site.restart();
    let client = site.client().await;
    for entry in acknowledged {
        client.reviews().trace(v1::TraceRequest { entry_id: entry, against: vec![] }).await.unwrap();
    }
}

fn entry(answer: v1::ContributeStreamResponse) -> u64 {
    match answer.outcome.unwrap() {
        v1::contribute_stream_response::Outcome::Accepted(accepted) => accepted.entry_id,
        other => panic!("{other:?}"),
    }
}

fn contribution(signal: v1::Signal) -> v1::ContributeRequest {
    v1::ContributeRequest {
        request_id: signal.value.clone(),
        draft: Some(v1::Draft {
            signals: vec![signal],
            labels: vec!["glorification".to_owned()],
            provenance: Some(v1::Provenance {
                origin: v1::Origin::Human.into(),
                reviewers: v1::Reviewers::One.into(),
                basis: Some(v1::Basis { basis: Some(v1::basis::Basis::Behaviour(v1::basis::Behaviour {})) }),
                producer: v1::Producer::Unknown.into(),
                confidence: Some(50),
                tlp: v1::Tlp::Green.into(),
                action_max: v1::Action::Review.into(),
                ..Default::default()
            }),
        }),
        without_receipt: true,
    }
}

#[test]
fn serve_speaks_json_when_asked_and_stops_at_once_with_nothing_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = crate::process::program()
        .args(["serve", "--json", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.path().join("hub"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut said = Vec::new();
    for line in lines {
        let value: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        said.push(value.as_object().unwrap().keys().next().unwrap().clone());
        if value["ready"] == true {
            break;
        }
    }
    assert_eq!(said, ["listening", "admin_key_file", "ready"]);
    let sent = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    assert_eq!(crate::process::wait(&mut child), Some(0));
}
