//! An answer's body as it goes out: in small pieces, and given up when nobody takes them.
//!
//! HTTP/2 lets a client say how much of an answer it will take. One that asks for much and takes nothing would have the hub keep
//! all of it for as long as the connection lives, and hyper has no deadline for that. So each request's task is watched from
//! outside ([`WatchedExecutor`]): it notes here when it hands a piece to hyper and when hyper asks for the next.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::rt::Executor;
use tokio::time::sleep;
use tonic::Status;

use super::activity::OpenRequest;

/// The last piece of an answer is out of sight once hyper has it, until the client takes it or the connection ends. So pieces
/// are small: a connection's requests together keep no more than 256 of them there.
const PIECE_BYTES: usize = 4 << 10;

tokio::task_local! {
    static READER: Arc<Reader>;
}

/// How far the client is with one answer: even while the hub is to say more, odd while the client is to take what it has.
#[derive(Debug, Default)]
struct Reader(AtomicU64);

impl Reader {
    fn asked(&self) {
        self.0.fetch_add(self.0.load(Ordering::Relaxed) & 1, Ordering::Relaxed);
    }

    fn handed(&self) {
        self.0.fetch_or(1, Ordering::Relaxed);
    }

    /// Resolves when the client has taken nothing for at least `patience`, and at most twice that.
    async fn gone(&self, patience: Duration) {
        let mut before = 0;
        loop {
            sleep(patience).await;
            let now = self.0.load(Ordering::Relaxed);
            if now & 1 == 1 && now == before {
                return;
            }
            before = now;
        }
    }
}

/// Runs each request of a connection in a task of its own, and ends those whose answer is not taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct WatchedExecutor {
    /// How long the client may take none of an answer.
    pub(super) patience: Duration,
}

impl<F> Executor<F> for WatchedExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, request: F) {
        let reader = Arc::new(Reader::default());
        let patience = self.patience;
        tokio::spawn(READER.scope(reader.clone(), async move {
            tokio::select! {
                biased;
                () = request => {}
                // Dropping the request resets its stream, and frees what was kept for it.
                () = reader.gone(patience) => tracing::debug!("an answer is given up: its client takes nothing of it"),
            }
        }));
    }
}

/// The body of an answer, watched.
pub(super) struct ResponseBody {
    inner: tonic::body::Body,
    /// What is left of the piece that came last.
    rest: Bytes,
    reader: Option<Arc<Reader>>,
    /// The request is open as long as this is.
    _open: OpenRequest,
}

impl ResponseBody {
    /// Must be made in the task that a [`WatchedExecutor`] runs.
    pub(super) fn new(inner: tonic::body::Body, open: OpenRequest) -> Self {
        let reader = READER.try_with(Arc::clone).ok();
        debug_assert!(reader.is_some(), "an answer outside a watched task");
        Self { inner, rest: Bytes::new(), reader, _open: open }
    }

    fn next_piece(&mut self) -> Frame<Bytes> {
        if self.rest.len() <= PIECE_BYTES {
            return Frame::data(std::mem::take(&mut self.rest));
        }
        // A copy: a part of the whole would keep the whole.
        Frame::data(Bytes::copy_from_slice(&self.rest.split_to(PIECE_BYTES)))
    }

    fn poll_inner(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(self.next_piece())));
        }
        Pin::new(&mut self.inner).poll_frame(context).map_ok(|frame| match frame.into_data() {
            Ok(data) => {
                self.rest = data;
                self.next_piece()
            }
            Err(trailers) => trailers,
        })
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        if let Some(reader) = &this.reader {
            reader.asked();
        }
        let polled = this.poll_inner(context);
        if let (Some(reader), Poll::Ready(_)) = (&this.reader, &polled) {
            reader.handed();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.rest.is_empty() { self.inner.size_hint() } else { SizeHint::default() }
    }
}
