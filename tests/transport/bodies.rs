//! Requests' bodies: too slow, too long, packed.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use h2::client::{ResponseFuture, SendRequest};
use hashcommons::domain::Role;
use hashcommons::grpc::intake;
use http::{Method, Request, StatusCode};
use hyper::body::Bytes;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::Code;

use crate::raw::{BOUND, CHECK};
use crate::support::{TestHub, check_of, pdq};
use crate::well_behaved::WellBehaved;

const SOON: Duration = Duration::from_millis(300);
const CHECK_STREAM: &str = "/hashcommons.v1.CheckService/CheckStream";

/// Requests over a connection of their own.
async fn connect(hub: &TestHub) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(hub.address()).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn post(path: &str) -> http::request::Builder {
    Request::post(format!("http://localhost{path}")).header("content-type", "application/grpc").header("te", "trailers")
}

/// A message's head.
fn head(packed: u8, length: usize) -> Vec<u8> {
    [&[packed][..], &u32::try_from(length).unwrap().to_be_bytes()].concat()
}

/// The status that an answer ends with.
async fn status(answer: ResponseFuture) -> Code {
    let answer = timeout(BOUND, answer).await.expect("an answer").unwrap();
    let code = |headers: &http::HeaderMap| {
        let status = headers.get("grpc-status")?;
        Some(Code::from_bytes(status.as_bytes()))
    };
    if let Some(code) = code(answer.headers()) {
        return code;
    }
    let mut body = answer.into_body();
    while let Some(data) = timeout(BOUND, body.data()).await.expect("the end of an answer") {
        let _ = body.flow_control().release_capacity(data.unwrap().len());
    }
    let trailers = timeout(BOUND, body.trailers()).await.expect("trailers").unwrap().expect("trailers");
    code(&trailers).expect("a status")
}

/// The status of a request with this body, which has no end.
async fn ask(hub: &TestHub, request: http::request::Builder, body: Vec<u8>) -> Code {
    let mut sender = connect(hub).await.ready().await.unwrap();
    let (answer, mut stream) = sender.send_request(request.body(()).unwrap(), false).unwrap();
    stream.send_data(body.into(), false).unwrap();
    status(answer).await
}

#[tokio::test]
async fn a_request_that_does_not_arrive_is_given_up_however_it_trickles() {
    let hub = TestHub::start_with(|config| config.transport.message = SOON).await;
    let beside = WellBehaved::start(&hub).await;
    // Nothing; a part of a head; a part of a message; a message, but no end.
    for body in [vec![], vec![0, 0], [head(0, 100), vec![0; 10]].concat(), head(0, 0)] {
        assert_eq!(ask(&hub, post(CHECK), body.clone()).await, Code::DeadlineExceeded, "{body:?}");
    }
    // Byte by byte.
    let mut sender = connect(&hub).await.ready().await.unwrap();
    let (answer, mut stream) = sender.send_request(post(CHECK).body(()).unwrap(), false).unwrap();
    let trickle = tokio::spawn(async move {
        stream.send_data(head(0, 4_000).into(), false).unwrap();
        while stream.send_data(vec![0].into(), false).is_ok() {
            tokio::time::sleep(SOON / 10).await;
        }
    });
    assert_eq!(status(answer).await, Code::DeadlineExceeded);
    trickle.await.unwrap();
    beside.finish().await;
    hub.stop().await;
}

#[tokio::test]
async fn a_stream_may_pause_between_messages_but_not_inside_one() {
    let hub = TestHub::start_with(|config| config.transport.message = SOON).await;
    let (_, key) = hub.enrol("Checker", "NZ", &[Role::Checker]).await;
    let authorized = || post(CHECK_STREAM).header("authorization", format!("Bearer {}", key.reveal()));
    let message = {
        use prost::Message;
        let message = check_of([pdq(1)]).encode_to_vec();
        [head(0, message.len()), message].concat()
    };
    let mut sender = connect(&hub).await.ready().await.unwrap();
    let (answer, mut pausing) = sender.send_request(authorized().body(()).unwrap(), false).unwrap();
    pausing.send_data(message.clone().into(), false).unwrap();
    let mut answers = timeout(BOUND, answer).await.unwrap().unwrap().into_body();
    assert!(answers.data().await.unwrap().is_ok());
    // This takes longer than a message may.
    let half = message[..message.len() - 1].to_vec();
    assert_eq!(ask(&hub, authorized(), [message.clone(), half].concat()).await, Code::DeadlineExceeded);
    pausing.send_data(message.into(), false).unwrap();
    assert!(timeout(BOUND, answers.data()).await.unwrap().unwrap().is_ok(), "the stream goes on");
    hub.stop().await;
}

#[tokio::test]
async fn nothing_packed_is_taken_however_small_it_is_packed() {
    let hub = TestHub::start().await;
    let beside = WellBehaved::start(&hub).await;
    // 256 MiB of nothing in 256 KiB.
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..256 {
        bomb.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    let small = &bomb[..1_000];
    for (request, packed) in [
        (post(CHECK).header("grpc-encoding", "gzip"), small),
        (post(CHECK).header("grpc-encoding", "gzip"), &bomb),
        (post(CHECK), small),
        (post(CHECK), &bomb),
        (post("/hashcommons.v1.CheckService/Check"), small),
        (post("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo").header("grpc-encoding", "gzip"), &bomb),
        (post(CHECK).header("grpc-encoding", "zstd"), small),
    ] {
        let code = ask(&hub, request, [head(1, packed.len()), packed.to_vec()].concat()).await;
        // What needs a key is refused before that.
        assert!(matches!(code, Code::Unimplemented | Code::Unauthenticated), "{code:?}");
    }
    let (_, key) = hub.enrol("Checker", "NZ", &[Role::Checker]).await;
    let request = post(CHECK_STREAM).header("authorization", format!("Bearer {}", key.reveal()));
    assert_eq!(ask(&hub, request, [head(1, small.len()), small.to_vec()].concat()).await, Code::Unimplemented);
    beside.finish().await;
    hub.stop().await;
}

#[tokio::test]
async fn a_message_longer_than_its_method_takes_is_refused_by_its_head() {
    let hub = TestHub::start().await;
    for (path, code) in [
        (CHECK, Code::OutOfRange),
        (crate::raw::WATCH, Code::OutOfRange),
        // Reflection says nothing of what was wrong with a stream: it only ends.
        ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Code::Ok),
        ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Code::Ok),
    ] {
        let longest = intake(path).message_bytes_max;
        assert_eq!(longest, 4 << 10);
        assert_eq!(ask(&hub, post(path), head(0, longest + 1)).await, code, "{path}");
        assert_eq!(ask(&hub, post(path), head(0, u32::MAX as usize)).await, code, "{path}");
    }
    // As long as may be: an unknown field, then the end.
    let longest = intake(CHECK).message_bytes_max;
    let field = [vec![0x7a, 0xfd, 0x1f], vec![0; longest - 3]].concat();
    let mut sender = connect(&hub).await.ready().await.unwrap();
    let (answer, mut stream) = sender.send_request(post(CHECK).body(()).unwrap(), false).unwrap();
    stream.send_data([head(0, longest), field].concat().into(), true).unwrap();
    assert_eq!(status(answer).await, Code::Ok);
    hub.stop().await;
}

#[tokio::test]
async fn only_post_is_answered() {
    let hub = TestHub::start().await;
    for method in [Method::GET, Method::PUT, Method::OPTIONS] {
        let request = Request::builder().method(method).uri(format!("http://localhost{CHECK}")).body(()).unwrap();
        let mut sender = connect(&hub).await.ready().await.unwrap();
        let (answer, _) = sender.send_request(request, true).unwrap();
        assert_eq!(answer.await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    }
    let request = Request::builder().method(Method::CONNECT).uri("localhost:443").body(()).unwrap();
    let mut sender = connect(&hub).await.ready().await.unwrap();
    let (answer, _) = sender.send_request(request, false).unwrap();
    assert_eq!(answer.await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    hub.stop().await;
}

#[tokio::test]
async fn a_client_that_waits_for_a_shorter_time_is_answered_then() {
    // Its message never comes, and the hub would wait for it for longer than the test does.
    let hub = TestHub::start_with(|config| config.transport.message = 10 * BOUND).await;
    let code = ask(&hub, post(CHECK).header("grpc-timeout", "100m"), head(0, 10)).await;
    assert_eq!(code, Code::DeadlineExceeded);
    hub.stop().await;
}
