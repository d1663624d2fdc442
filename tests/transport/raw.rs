//! HTTP/2 by hand (RFC 9113): frames that no client library would send.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;
pub const ACK: u8 = 1;

pub const REFUSED_STREAM: u32 = 7;
pub const CANCEL: u32 = 8;
pub const ENHANCE_YOUR_CALM: u32 = 11;

pub const WATCH: &str = "/grpc.health.v1.Health/Watch";
pub const CHECK: &str = "/grpc.health.v1.Health/Check";

/// No test waits longer than this for what must come. It proves nothing: it only ends a test that would hang.
pub const BOUND: Duration = Duration::from_secs(60);

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn new(kind: u8, flags: u8, stream: u32, payload: impl Into<Vec<u8>>) -> Self {
        Self { kind, flags, stream, payload: payload.into() }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[self.kind, self.flags], &self.stream.to_be_bytes(), &self.payload].concat()
    }

    /// The four bytes at `at` of the payload: an error's code, as a rule.
    pub fn number(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

/// One header, as HPACK's literal that is not to be remembered.
pub fn header(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| {
        assert!(text.len() < 127, "longer ones are written in another way");
        [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
    };
    [vec![0], text(name), text(value)].concat()
}

/// The headers of a gRPC request.
pub fn request_headers(path: &str) -> Vec<u8> {
    [
        header(":method", "POST"),
        header(":scheme", "http"),
        header(":path", path),
        header(":authority", "localhost"),
        header("content-type", "application/grpc"),
        header("te", "trailers"),
    ]
    .concat()
}

/// A request's headers in one frame, with more to come of its body.
pub fn open(stream: u32, path: &str) -> Frame {
    Frame::new(HEADERS, END_HEADERS, stream, request_headers(path))
}

/// A body of one empty message.
pub fn empty_message(stream: u32) -> Frame {
    Frame::new(DATA, END_STREAM, stream, [0; 5])
}

pub fn reset(stream: u32) -> Frame {
    Frame::new(RST_STREAM, 0, stream, CANCEL.to_be_bytes())
}

pub fn window_update(stream: u32, by: u32) -> Frame {
    Frame::new(WINDOW_UPDATE, 0, stream, by.to_be_bytes())
}

/// A setting of ours.
pub fn setting(id: u16, value: u32) -> Frame {
    Frame::new(SETTINGS, 0, 0, [&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
}

/// A connection on which anything can be said.
pub struct Raw {
    stream: TcpStream,
}

impl Raw {
    /// Connects, and says nothing.
    pub async fn silent(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap() }
    }

    /// The same, from another address of this machine.
    pub async fn silent_from(from: &str, address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(from.parse().unwrap(), 0)).unwrap();
        Self { stream: socket.connect(address).await.unwrap() }
    }

    /// The same, with little room for what comes.
    pub async fn narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 << 10).unwrap();
        Self { stream: socket.connect(address).await.unwrap() }
    }

    /// Connects and begins as HTTP/2 does.
    pub async fn connect(address: SocketAddr) -> Self {
        let mut this = Self::silent(address).await;
        this.begin().await;
        this
    }

    /// The beginning of HTTP/2, with settings that say nothing.
    pub async fn begin(&mut self) {
        self.try_begin().await.unwrap();
    }

    /// The same, to a hub that may have closed the connection already.
    pub async fn try_begin(&mut self) -> io::Result<()> {
        self.write(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &Frame::new(SETTINGS, 0, 0, []).bytes()[..]].concat()).await
    }

    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(BOUND, self.stream.write_all(bytes)).await.expect("the hub neither takes bytes nor closes")
    }

    pub async fn send(&mut self, frames: &[Frame]) -> io::Result<()> {
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
        self.write(&bytes).await
    }

    /// The next frame; `None` when the hub has closed the connection.
    pub async fn next(&mut self) -> Option<Frame> {
        timeout(BOUND, self.read()).await.expect("the hub neither answers nor closes").ok()
    }

    async fn read(&mut self) -> io::Result<Frame> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        self.stream.read_exact(&mut payload).await?;
        let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
        Ok(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// The next frame of this kind.
    pub async fn next_of(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }

    /// Reads until the hub closes the connection; gives the code of its GOAWAY, if it said one.
    pub async fn farewell(&mut self) -> Option<u32> {
        let mut code = None;
        while let Some(frame) = self.next().await {
            if frame.kind == GOAWAY {
                code = Some(frame.number(4));
            }
        }
        code
    }

    /// What the hub has sent when it answers a PING of ours: it is still there, and has read everything before that.
    pub async fn until_pong(&mut self) -> Vec<Frame> {
        self.send(&[Frame::new(PING, 0, 0, *b"are you?")]).await.unwrap();
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await.expect("the connection is open");
            if frame.kind == PING && frame.flags == ACK && frame.payload == b"are you?" {
                return frames;
            }
            frames.push(frame);
        }
    }
}

/// The value of a setting in a SETTINGS frame.
pub fn setting_in(frame: &Frame, id: u16) -> Option<u32> {
    let settings = frame.payload.as_chunks::<6>().0.iter();
    settings
        .filter(|setting| u16::from_be_bytes([setting[0], setting[1]]) == id)
        .map(|setting| u32::from_be_bytes(setting[2..].try_into().unwrap()))
        .next_back()
}
