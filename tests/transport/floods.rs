//! Many frames of a kind: the connection ends, and says why where HTTP/2 has a word for it.

use std::net::SocketAddr;

use tokio_stream::wrappers::TcpListenerStream;

use crate::raw::{
    CONTINUATION, END_STREAM, ENHANCE_YOUR_CALM, Frame, HEADERS, REFUSED_STREAM, RST_STREAM, Raw, SETTINGS, WATCH,
    header, open, request_headers, reset, setting_in, window_update,
};
use crate::support::TestHub;
use crate::well_behaved::WellBehaved;

const MAX_CONCURRENT_STREAMS: u16 = 3;
const STREAMS_MAX: u32 = 8;

/// tonic's own server as it comes, for comparison.
async fn tonic_by_default() -> SocketAddr {
    let (_, health) = tonic_health::server::health_reporter();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tonic::transport::Server::builder().add_service(health);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

/// `count` requests, each with a window that overflows: the hub must break each off.
fn made_to_reset(count: u32) -> Vec<Frame> {
    (0..count).flat_map(|n| [open(2 * n + 1, WATCH), window_update(2 * n + 1, 0x7fff_ffff)]).collect()
}

#[tokio::test]
async fn a_rapid_reset_ends_the_connection() {
    let hub = TestHub::start().await;
    let beside = WellBehaved::start(&hub).await;
    let mut raw = Raw::connect(hub.address()).await;
    let flood: Vec<_> = (0..2_000).flat_map(|n| [open(2 * n + 1, WATCH), reset(2 * n + 1)]).collect();
    // It may end before it has read all.
    let _ = raw.send(&flood).await;
    assert_eq!(raw.farewell().await, Some(ENHANCE_YOUR_CALM));
    beside.finish().await;
    hub.stop().await;
}

#[tokio::test]
async fn requests_that_the_hub_is_made_to_reset_end_the_connection_and_with_tonics_defaults_they_do_not() {
    let hub = TestHub::start().await;
    let beside = WellBehaved::start(&hub).await;
    let mut raw = Raw::connect(hub.address()).await;
    let _ = raw.send(&made_to_reset(300)).await;
    assert_eq!(raw.farewell().await, Some(ENHANCE_YOUR_CALM));
    beside.finish().await;
    hub.stop().await;

    let mut raw = Raw::connect(tonic_by_default().await).await;
    raw.send(&made_to_reset(3_000)).await.unwrap();
    let resets = raw.until_pong().await.iter().filter(|frame| frame.kind == RST_STREAM).count();
    assert!(resets > 2_000, "only {resets}, and it goes on");
}

#[tokio::test]
async fn one_request_too_many_at_a_time_is_refused_and_with_tonics_defaults_none_is() {
    let hub = TestHub::start_with(|config| config.transport.streams_per_connection_max = STREAMS_MAX).await;
    let beside = WellBehaved::start(&hub).await;
    let mut raw = Raw::connect(hub.address()).await;
    let settings = raw.next_of(SETTINGS).await.unwrap();
    assert_eq!(setting_in(&settings, MAX_CONCURRENT_STREAMS), Some(STREAMS_MAX));
    let requests: Vec<_> = (0..=STREAMS_MAX).map(|n| open(2 * n + 1, WATCH)).collect();
    raw.send(&requests).await.unwrap();
    let refused: Vec<_> = raw.until_pong().await.into_iter().filter(|frame| frame.kind == RST_STREAM).collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!((refused[0].stream, refused[0].number(0)), (2 * STREAMS_MAX + 1, REFUSED_STREAM));
    // A place that comes free is there for the next.
    raw.send(&[reset(1), open(2 * STREAMS_MAX + 3, WATCH)]).await.unwrap();
    assert!(!raw.until_pong().await.iter().any(|frame| frame.kind == RST_STREAM));
    beside.finish().await;
    hub.stop().await;

    let mut raw = Raw::connect(tonic_by_default().await).await;
    let settings = raw.next_of(SETTINGS).await.unwrap();
    assert_eq!(setting_in(&settings, MAX_CONCURRENT_STREAMS), None);
    let requests: Vec<_> = (0..2_000).map(|n| open(2 * n + 1, WATCH)).collect();
    raw.send(&requests).await.unwrap();
    assert!(!raw.until_pong().await.iter().any(|frame| frame.kind == RST_STREAM), "all are open");
}

#[tokio::test]
async fn headers_that_do_not_end_end_the_connection() {
    let hub = TestHub::start().await;
    let beside = WellBehaved::start(&hub).await;
    let filler = header("x-filler", &"x".repeat(100)).repeat(50);
    for filler in [filler, Vec::new()] {
        let mut raw = Raw::connect(hub.address()).await;
        raw.send(&[Frame::new(HEADERS, END_STREAM, 1, request_headers(WATCH))]).await.unwrap();
        let more = Frame::new(CONTINUATION, 0, 1, filler).bytes().repeat(20);
        // 100 MB of headers, or as many empty frames, if it took them.
        let mut taken = 0;
        for _ in 0..1_000 {
            if raw.write(&more).await.is_err() {
                break;
            }
            taken += 1;
        }
        assert!(taken < 1_000, "the hub took all of it");
        raw.farewell().await;
    }
    beside.finish().await;
    hub.stop().await;
}

#[tokio::test]
async fn headers_that_are_too_long_are_refused_and_the_connection_goes_on() {
    let hub = TestHub::start().await;
    let mut raw = Raw::connect(hub.address()).await;
    let filler = header("x-filler", &"x".repeat(100)).repeat(140);
    let end = Frame::new(HEADERS, crate::raw::END_HEADERS | END_STREAM, 1, [request_headers(WATCH), filler].concat());
    raw.send(&[end]).await.unwrap();
    let answer = raw.next_of(HEADERS).await.unwrap();
    // The answer is whole, and is not HPACK's one byte for `:status: 200`, which every answer of a method begins with.
    assert!(answer.flags & END_STREAM == END_STREAM && answer.payload[0] != 0x88, "{answer:?}");
    raw.until_pong().await;
    hub.stop().await;
}
