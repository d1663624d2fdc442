//! Clients that take their time: every wait has an end.

use std::time::Duration;

use tokio::time::timeout;

use crate::raw::{
    BOUND, CHECK, DATA, END_STREAM, Frame, HEADERS, Raw, WATCH, empty_message, open, request_headers, reset,
};
use crate::support::TestHub;
use crate::well_behaved::WellBehaved;

/// Short enough for a test.
const SOON: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_connection_that_says_nothing_or_only_the_beginning_is_cut() {
    let hub = TestHub::start_with(|config| config.transport.first_request = SOON).await;
    let beside = WellBehaved::start(&hub).await;
    let mut silent = Raw::silent(hub.address()).await;
    let mut begun = Raw::connect(hub.address()).await;
    silent.farewell().await;
    begun.farewell().await;
    beside.finish().await;
    hub.stop().await;
}

#[tokio::test]
async fn headers_byte_by_byte_are_cut() {
    let hub = TestHub::start_with(|config| config.transport.first_request = SOON).await;
    let beside = WellBehaved::start(&hub).await;
    let mut raw = Raw::connect(hub.address()).await;
    let headers = open(1, WATCH).bytes();
    let mut sent = 0;
    for byte in &headers {
        tokio::time::sleep(SOON / 10).await;
        if raw.write(&[*byte]).await.is_err() {
            break;
        }
        sent += 1;
    }
    assert!(sent < headers.len(), "the hub waited for all of it");
    raw.farewell().await;
    beside.finish().await;
    hub.stop().await;
}

#[tokio::test]
async fn headers_that_do_not_come_to_an_end_after_a_good_request_are_cut_by_the_ping() {
    let hub = TestHub::start_with(|config| {
        config.transport.keepalive_interval = SOON;
        config.transport.keepalive_timeout = SOON;
    })
    .await;
    let mut raw = Raw::connect(hub.address()).await;
    raw.send(&[open(1, CHECK), empty_message(1)]).await.unwrap();
    raw.next_of(DATA).await.unwrap();
    raw.send(&[Frame::new(HEADERS, END_STREAM, 3, request_headers(WATCH))]).await.unwrap();
    raw.farewell().await;
    hub.stop().await;
}

#[tokio::test]
async fn an_idle_connection_is_told_to_go_and_one_with_an_open_request_is_not() {
    let hub = TestHub::start_with(|config| {
        config.transport.idle = SOON;
        config.transport.drain = SOON;
    })
    .await;
    let mut watching = Raw::connect(hub.address()).await;
    watching.send(&[open(1, WATCH), empty_message(1)]).await.unwrap();
    let mut idle = Raw::connect(hub.address()).await;
    idle.send(&[open(1, CHECK), empty_message(1)]).await.unwrap();
    assert_eq!(idle.farewell().await, Some(0), "NO_ERROR");
    watching.until_pong().await;
    hub.stop().await;
}

#[tokio::test]
async fn requests_that_are_abandoned_give_their_places_back() {
    const STREAMS: u32 = 16;
    let hub = TestHub::start_with(|config| {
        config.transport.streams_per_connection_max = STREAMS;
        config.transport.connections_max = 3;
    })
    .await;
    let beside = WellBehaved::start(&hub).await;
    // By resets, of requests that have been answered and are open.
    let mut raw = Raw::connect(hub.address()).await;
    for round in 0..20 {
        let streams = (0..STREAMS).map(|n| 2 * (round * STREAMS + n) + 1);
        for stream in streams.clone() {
            raw.send(&[open(stream, WATCH), empty_message(stream)]).await.unwrap();
            while raw.next_of(DATA).await.unwrap().stream != stream {}
        }
        raw.send(&streams.map(reset).collect::<Vec<_>>()).await.unwrap();
        raw.until_pong().await;
    }
    drop(raw);
    // By going away without a word.
    for _ in 0..50 {
        let answered = async {
            loop {
                let mut raw = Raw::silent(hub.address()).await;
                let streams = (0..STREAMS).map(|n| 2 * n + 1);
                let frames: Vec<_> = streams.flat_map(|stream| [open(stream, WATCH), empty_message(stream)]).collect();
                if raw.try_begin().await.is_err() || raw.send(&frames).await.is_err() {
                    continue;
                }
                // Turned away, if the hub has not noticed yet that the last one is gone.
                if let Some(frame) = raw.next_of(DATA).await {
                    break frame;
                }
            }
        };
        let answered = timeout(BOUND, answered).await.expect("a place comes free");
        assert_eq!(answered.payload[0], 0);
    }
    beside.finish().await;
    hub.stop().await;
}
