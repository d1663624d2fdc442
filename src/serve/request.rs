//! A request's body as it comes in: each message no longer than its method takes, not packed, and not slower than one that is
//! meant to arrive.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;

use crate::grpc::Intake;

/// The body of a request, watched. Ends with a [`Status`] that says what is wrong with it.
pub(super) struct RequestBody {
    inner: Incoming,
    messages: Messages,
    intake: Intake,
    /// How long a message may take to arrive, or the whole request if it is not a stream.
    patience: Duration,
    deadline: Option<Instant>,
    /// Made when there is something to wait for: most requests are there at once.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl RequestBody {
    pub(super) fn new(inner: Incoming, intake: Intake, patience: Duration) -> Self {
        let deadline = (!intake.streams).then(|| Instant::now() + patience);
        let messages = Messages::new(intake.message_bytes_max);
        Self { inner, messages, intake, patience, deadline, alarm: None }
    }

    /// Looks at what came, and until when the next must.
    fn take(&mut self, data: &[u8]) -> Result<(), Status> {
        let begun = self.messages.begun;
        self.messages.read(data)?;
        if self.intake.streams && self.messages.begun != begun {
            self.alarm = None;
            self.deadline = self.messages.is_inside().then(|| Instant::now() + self.patience);
        } else if self.intake.streams && !self.messages.is_inside() {
            self.deadline = None;
        }
        Ok(())
    }

    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<Status> {
        let Some(deadline) = self.deadline else { return Poll::Pending };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        alarm.as_mut().poll(context).map(|()| {
            let what = if self.intake.streams { "a message" } else { "the request" };
            Status::deadline_exceeded(format!("{what} must arrive within {} s", self.patience.as_secs_f32()))
        })
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.inner).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                let taken = frame.data_ref().map_or(Ok(()), |data| this.take(data));
                Poll::Ready(Some(taken.map(|()| frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(Status::from_error(Box::new(error))))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => this.poll_late(context).map(|status| Some(Err(status))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A message's head: whether it is packed, and its length in four bytes.
const HEAD: usize = 5;

/// Where in the messages a body is.
struct Messages {
    bytes_max: usize,
    head: [u8; HEAD],
    head_read: usize,
    left: usize,
    /// How many have begun.
    begun: u64,
}

impl Messages {
    fn new(bytes_max: usize) -> Self {
        Self { bytes_max, head: [0; HEAD], head_read: 0, left: 0, begun: 0 }
    }

    /// Whether a message has begun that is not all there.
    fn is_inside(&self) -> bool {
        self.left > 0 || self.head_read > 0
    }

    /// Goes over the next bytes.
    fn read(&mut self, mut data: &[u8]) -> Result<(), Status> {
        while !data.is_empty() {
            if self.left > 0 {
                let skipped = self.left.min(data.len());
                self.left -= skipped;
                data = &data[skipped..];
                continue;
            }
            if self.head_read == 0 {
                self.begun += 1;
            }
            let (head, rest) = data.split_at(data.len().min(HEAD - self.head_read));
            self.head[self.head_read..][..head.len()].copy_from_slice(head);
            self.head_read += head.len();
            data = rest;
            if self.head_read == HEAD {
                self.head_read = 0;
                self.left = self.length()?;
            }
        }
        Ok(())
    }

    /// What a whole head says.
    fn length(&self) -> Result<usize, Status> {
        let [packed, length @ ..] = self.head;
        if packed != 0 {
            return Err(Status::unimplemented("messages must not be compressed"));
        }
        let length = u32::from_be_bytes(length) as usize;
        if length > self.bytes_max {
            let said = format!("a message of this method must be at most {} bytes, got {length}", self.bytes_max);
            return Err(Status::out_of_range(said));
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    fn message(length: u32) -> Vec<u8> {
        [&[0][..], &length.to_be_bytes(), &vec![7; length as usize]].concat()
    }

    #[test]
    fn messages_are_told_apart_however_their_bytes_arrive() {
        let bytes = [message(3), message(0), message(300), message(1)].concat();
        for step in 1..bytes.len() {
            let mut messages = Messages::new(300);
            for piece in bytes.chunks(step) {
                messages.read(piece).unwrap();
            }
            assert_eq!((messages.begun, messages.is_inside()), (4, false), "by {step}");
        }
        for end in 0..bytes.len() {
            let mut messages = Messages::new(300);
            messages.read(&bytes[..end]).unwrap();
            let between = [0, 8, 13, 318].contains(&end);
            assert_eq!(messages.is_inside(), !between, "{end}");
        }
    }

    #[test]
    fn a_message_that_is_too_long_or_packed_is_refused_by_its_head() {
        let head = |packed, length: u32| [&[packed][..], &length.to_be_bytes()].concat();
        let code = |bytes: &[u8]| Messages::new(300).read(bytes).map_err(|status| status.code());
        assert_eq!(code(&head(0, 300)), Ok(()));
        assert_eq!(code(&head(0, 301)), Err(Code::OutOfRange));
        assert_eq!(code(&head(0, u32::MAX)), Err(Code::OutOfRange));
        assert_eq!(code(&head(1, 3)), Err(Code::Unimplemented));
        assert_eq!(code(&[message(5), head(1, 3)].concat()), Err(Code::Unimplemented));
    }
}
