//! Takes connections, and serves each for as long as it behaves: a socket, TLS if there is any, HTTP/2, requests.
//!
//! tonic's own server has no limit on connections, no deadline for a client that says nothing, and reads its certificate once.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tonic::Status;
use tonic::service::Routes;
use tower::Service;

use super::activity::{Activity, Doing, OpenRequest};
use super::door::{Door, Place};
use super::limits::TransportLimits;
use super::request::RequestBody;
use super::response::{ResponseBody, WatchedExecutor};
use super::seldom::Seldom;
use super::socket::Socket;
use super::stopped;
use super::tls::{Tls, fingerprint};
use crate::grpc::{AccessService, intake};
use crate::policy::Peer;

/// After a connection could not be taken, for want of descriptors or memory: there is nothing to gain by trying at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The table of headers that HPACK keeps of each connection, either way.
const HEADER_TABLE_BYTES: u32 = 4 << 10;
/// The least that HTTP/2 allows; a larger frame would only have to be kept whole.
const FRAME_BYTES_MAX: u32 = 16 << 10;

/// What every connection is served with.
pub(super) struct Acceptor {
    pub(super) door: Door,
    pub(super) tls: Option<Tls>,
    pub(super) services: AccessService<Routes>,
    pub(super) limits: TransportLimits,
    /// Places for what is scarce.
    pub(super) scarce: Arc<Semaphore>,
    pub(super) stopping: watch::Receiver<bool>,
}

impl Acceptor {
    /// Takes connections until `stopping`, then waits for those there are. Dropped, it cuts them.
    pub(super) async fn run(self, listener: TcpListener) {
        let this = Arc::new(self);
        let mut connections = JoinSet::new();
        let (mut turned_away, mut failing) = (Seldom::default(), Seldom::default());
        let mut stop = pin!(stopped(this.stopping.clone()));
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, address)) => match this.door.enter(address.ip()) {
                        Ok(place) => {
                            connections.spawn(this.clone().connection(stream, address, place));
                        }
                        // Closed by being dropped: whoever floods gets nothing, no handshake either.
                        Err(full) => turned_away.say(|more| {
                            tracing::warn!(address = %address.ip(), more, "a connection is turned away: {full}");
                        }),
                    },
                    Err(error) if is_of_one_connection(&error) => {}
                    // Those that are connected are served meanwhile; the others wait in the kernel's queue.
                    Err(error) => {
                        failing.say(|more| tracing::error!(%error, more, "cannot take connections"));
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, address: SocketAddr, _place: Place) {
        let address = address.ip().to_canonical();
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%address, %error, "a connection is gone already");
            return;
        }
        let socket = Socket::new(stream, self.limits.unread);
        match &self.tls {
            None => self.serve(socket, Peer { address, certificate: None }).await,
            Some(tls) => {
                let handshake = timeout(self.limits.handshake, TlsAcceptor::from(tls.config()).accept(socket));
                let shaken = tokio::select! {
                    shaken = handshake => shaken,
                    () = stopped(self.stopping.clone()) => return,
                };
                match shaken {
                    Ok(Ok(stream)) => {
                        let certificate = fingerprint(stream.get_ref().1);
                        self.serve(stream, Peer { address, certificate }).await;
                    }
                    Ok(Err(error)) => tracing::debug!(%address, %error, "no TLS handshake"),
                    Err(_) => tracing::debug!(%address, "a TLS handshake took too long"),
                }
            }
        }
    }

    /// Serves a connection until it ends, or has to.
    async fn serve<S>(&self, stream: S, peer: Peer)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        match peer.certificate {
            Some(certificate) => tracing::debug!(address = %peer.address, %certificate, "connected"),
            None => tracing::debug!(address = %peer.address, "connected"),
        }
        let activity = Activity::default();
        let service = service_fn(|request| {
            let services = self.services.clone();
            answer(services, request, peer, self.limits, self.scarce.clone(), activity.open())
        });
        let mut connection = pin!(self.http2().serve_connection(TokioIo::new(stream), service));
        let mut stop = pin!(stopped(self.stopping.clone()));
        let mut look = Instant::now() + self.limits.first_request;
        let mut leaving = false;
        loop {
            tokio::select! {
                served = connection.as_mut() => {
                    if let Err(error) = served {
                        tracing::debug!(address = %peer.address, %error, "a connection ended");
                    }
                    return;
                }
                () = &mut stop, if !leaving => {
                    // `Running::stop` sees to it that this ends.
                    leaving = true;
                    look = Instant::now() + self.limits.drain;
                    connection.as_mut().graceful_shutdown();
                }
                () = sleep_until(look) => match activity.look() {
                    _ if leaving => return,
                    Doing::Nothing => {
                        tracing::debug!(address = %peer.address, "a connection is cut: no request came");
                        return;
                    }
                    Doing::IdleSince(since) if since.elapsed() >= self.limits.idle => {
                        leaving = true;
                        look = Instant::now() + self.limits.drain;
                        connection.as_mut().graceful_shutdown();
                    }
                    Doing::IdleSince(since) => look = since + self.limits.idle,
                    Doing::Requests => look = Instant::now() + self.limits.idle,
                },
            }
        }
    }

    fn http2(&self) -> http2::Builder<WatchedExecutor> {
        let limits = &self.limits;
        let mut http2 = http2::Builder::new(WatchedExecutor { patience: limits.unread });
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams_per_connection_max)
            .max_pending_accept_reset_streams(limits.pending_reset_streams_max)
            .max_local_error_reset_streams(limits.local_reset_streams_max)
            .max_header_list_size(limits.header_bytes_max)
            .header_table_size(HEADER_TABLE_BYTES)
            .max_frame_size(FRAME_BYTES_MAX)
            .initial_stream_window_size(limits.stream_window_bytes)
            .initial_connection_window_size(limits.connection_window_bytes)
            .max_send_buf_size(limits.send_buffer_bytes)
            .keep_alive_interval(limits.keepalive_interval)
            .keep_alive_timeout(limits.keepalive_timeout);
        http2
    }
}

/// Answers one request.
async fn answer(
    mut services: AccessService<Routes>,
    request: Request<Incoming>,
    peer: Peer,
    limits: TransportLimits,
    scarce: Arc<Semaphore>,
    mut open: OpenRequest,
) -> Result<Response<ResponseBody>, Infallible> {
    let intake = intake(request.uri().path());
    let response = if request.method() != Method::POST {
        // gRPC has no other; CONNECT would make a tunnel.
        let mut refusal = Response::new(tonic::body::Body::empty());
        *refusal.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        refusal
    } else if intake.scarce && !open.take_place(scarce) {
        Status::resource_exhausted("too many ask this at the same time: try again in a moment").into_http()
    } else {
        let patience = asked_patience(&request).map_or(limits.answer, |asked| asked.min(limits.answer));
        let mut request = request.map(|body| RequestBody::new(body, intake, limits.message));
        request.extensions_mut().insert(peer);
        match timeout(patience, services.call(request)).await {
            Ok(Ok(response)) => response,
            Err(_) => Status::deadline_exceeded("the answer took too long").into_http(),
        }
    };
    Ok(response.map(|body| ResponseBody::new(body, open)))
}

/// How long the client says that it will wait: at most eight digits and a unit.
fn asked_patience<B>(request: &Request<B>) -> Option<Duration> {
    let text = request.headers().get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3_600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

/// Whether only the connection that was to be taken is at fault, and the next may be taken at once.
fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_a_client_gives_is_read_as_grpc_writes_it() {
        let asked = |text: &str| {
            let request = Request::builder().header("grpc-timeout", text).body(()).unwrap();
            asked_patience(&request)
        };
        assert_eq!(asked("2H"), Some(Duration::from_secs(7_200)));
        assert_eq!(asked("3M"), Some(Duration::from_secs(180)));
        assert_eq!(asked("99999999S"), Some(Duration::from_secs(99_999_999)));
        assert_eq!(asked("100m"), Some(Duration::from_millis(100)));
        assert_eq!(asked("7u"), Some(Duration::from_micros(7)));
        assert_eq!(asked("0n"), Some(Duration::ZERO));
        for bad in ["", "S", "5", "+5S", "-5S", "123456789S", "5s", "5 S"] {
            assert_eq!(asked(bad), None, "{bad}");
        }
    }

    #[test]
    fn want_of_descriptors_is_not_one_connections_fault() {
        assert!(is_of_one_connection(&std::io::Error::from_raw_os_error(103)), "ECONNABORTED");
        assert!(!is_of_one_connection(&std::io::Error::from_raw_os_error(24)), "EMFILE");
    }
}
