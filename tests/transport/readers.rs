//! Clients that ask and do not take the answer.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic_health::pb::HealthCheckRequest;

use crate::raw::{
    BOUND, DATA, END_STREAM, Frame, HEADERS, PING, RST_STREAM, Raw, empty_message, open, setting, window_update,
};
use crate::support::TestHub;
use crate::well_behaved::WellBehaved;

const SOON: Duration = Duration::from_millis(300);
const INITIAL_WINDOW_SIZE: u16 = 4;
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

/// Asks for the file that has everything: an answer of many KiB, without a key.
pub fn ask_for_much(stream: u32) -> [Frame; 2] {
    // ServerReflectionRequest { file_containing_symbol: 4 }
    let symbol = b"hashcommons.v1.AdminService";
    let message = [&[0x22, u8::try_from(symbol.len()).unwrap()][..], symbol].concat();
    let head = [&[0][..], &u32::try_from(message.len()).unwrap().to_be_bytes()].concat();
    [open(stream, REFLECTION), Frame::new(DATA, END_STREAM, stream, [head, message].concat())]
}

/// Answers that nobody takes are given up one by one, and the connection goes on.
async fn given_up(window: u32) {
    let hub = TestHub::start_with(|config| config.transport.unread = SOON).await;
    let beside = WellBehaved::start(&hub).await;
    let mut raw = Raw::connect(hub.address()).await;
    raw.send(&[setting(INITIAL_WINDOW_SIZE, window)]).await.unwrap();
    for n in 0..10 {
        raw.send(&ask_for_much(2 * n + 1)).await.unwrap();
    }
    let mut resets = 0;
    let mut taken = 0;
    while resets < 10 {
        let frame = raw.next().await.expect("the connection is open");
        resets += u32::from(frame.kind == RST_STREAM);
        taken += if frame.kind == DATA { frame.payload.len() } else { 0 };
    }
    assert_eq!(taken, 10 * window as usize);
    // All have gone, and their places with them.
    raw.send(&[setting(INITIAL_WINDOW_SIZE, 1 << 20)]).await.unwrap();
    raw.send(&ask_for_much(21)).await.unwrap();
    let data = raw.next_of(DATA).await.unwrap();
    assert_eq!(data.stream, 21);
    beside.finish().await;
    hub.stop().await;
}

#[tokio::test]
async fn answers_for_a_window_of_nothing_are_given_up() {
    given_up(0).await;
}

#[tokio::test]
async fn answers_for_a_window_of_a_byte_are_given_up() {
    given_up(1).await;
}

#[tokio::test]
async fn a_connection_that_takes_no_byte_at_all_is_cut() {
    let hub = TestHub::start_with(|config| config.transport.unread = SOON).await;
    let beside = WellBehaved::start(&hub).await;
    let mut raw = Raw::narrow(hub.address()).await;
    raw.begin().await;
    raw.send(&[setting(INITIAL_WINDOW_SIZE, 0x7fff_ffff), window_update(0, 0x7000_0000)]).await.unwrap();
    // As much as a socket takes, and more; then signs of life, so that the hub's own PING is never due.
    let mut stream = 1;
    let closed = async {
        loop {
            let frames =
                if stream < 401 { ask_for_much(stream).to_vec() } else { vec![Frame::new(PING, 0, 0, [0; 8])] };
            stream += 2;
            if raw.send(&frames).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(BOUND, closed).await.expect("the hub closes the connection");
    beside.finish().await;
    hub.stop().await;
}

#[tokio::test]
async fn a_stream_that_has_nothing_to_say_is_not_taken_for_one_that_is_not_read() {
    let hub = TestHub::start_with(|config| config.transport.unread = SOON).await;
    let stream = TcpStream::connect(hub.address()).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut sender = sender.ready().await.unwrap();
    let request = http::Request::post("http://localhost/grpc.health.v1.Health/Watch")
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let (answer, mut body) = sender.send_request(request.body(()).unwrap(), false).unwrap();
    let message = prost::Message::encode_to_vec(&HealthCheckRequest::default());
    body.send_data([vec![0; 5], message].concat().into(), true).unwrap();
    let mut answers = answer.await.unwrap().into_body();
    assert!(answers.data().await.unwrap().is_ok());
    // One that is not read is given up meanwhile, and this is not.
    let mut raw = Raw::connect(hub.address()).await;
    raw.send(&[setting(INITIAL_WINDOW_SIZE, 0)]).await.unwrap();
    raw.send(&[open(1, crate::raw::WATCH), empty_message(1)]).await.unwrap();
    raw.next_of(RST_STREAM).await.unwrap();
    let more = timeout(SOON, answers.data()).await;
    assert!(more.is_err(), "{more:?}");
    hub.stop().await;
}

#[tokio::test]
async fn long_answers_without_a_key_are_for_a_few_at_a_time() {
    let hub = TestHub::start_with(|config| config.transport.reflections_max = 3).await;
    let mut raw = Raw::connect(hub.address()).await;
    raw.send(&[setting(INITIAL_WINDOW_SIZE, 1)]).await.unwrap();
    for n in 0..5 {
        raw.send(&ask_for_much(2 * n + 1)).await.unwrap();
    }
    // An answer's beginning comes without its end, a refusal is whole.
    let mut refused = Vec::new();
    for _ in 0..5 {
        let headers = raw.next_of(HEADERS).await.unwrap();
        refused.push(headers.flags & END_STREAM == END_STREAM);
    }
    assert_eq!(refused.iter().filter(|refused| **refused).count(), 2, "{refused:?}");
    // What is asked with a key, or has a short answer, is not held up.
    raw.send(&[open(11, crate::raw::CHECK), empty_message(11)]).await.unwrap();
    assert_eq!(raw.next_of(HEADERS).await.unwrap().flags & END_STREAM, 0);
    // A place that is given back is there for the next.
    raw.send(&[crate::raw::reset(1), crate::raw::reset(3), crate::raw::reset(5)]).await.unwrap();
    raw.until_pong().await;
    let mut stream = 13;
    loop {
        raw.send(&ask_for_much(stream)).await.unwrap();
        if raw.next_of(HEADERS).await.unwrap().flags & END_STREAM == 0 {
            break;
        }
        stream += 2;
    }
    hub.stop().await;
}
