//! What the two sides say to each other: frames of a 32-bit little-endian length and so many bytes.
//!
//! The parent opens with its [`Settings`], the worker answers with its [`Greeting`], both JSON. Then each job is a frame of a
//! number (64 bits, little-endian), a byte that says which [`Turns`], and the file; its answer is an
//! [`Answer`](super::answer::Answer) with that number, JSON. Neither side speaks out of turn.
//!
//! The worker's bytes are a stranger's: one who has taken over a decoder writes what he likes. So its frames are short and
//! read strictly. The parent's bytes are trusted.

use std::io::{self, Read};

use serde::{Deserialize, Serialize};

use super::Sandboxing;
use super::sandbox::{Held, ProcessLimits};
use crate::media::{DecodeLimits, Turns};

/// Both sides must be of one program.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The longest that a worker says. Eight readings, or a decoder's reason of 200 characters, are far below.
pub(super) const ANSWER_BYTES_MAX: usize = 8 << 10;
/// The longest first frame.
pub(super) const SETTINGS_BYTES_MAX: usize = 4 << 10;
/// The bytes of a job that are not the file's.
pub(super) const JOB_HEAD_BYTES: usize = 9;

const LENGTH_BYTES: usize = 4;

/// The parent's first frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) version: String,
    pub(super) limits: DecodeLimits,
    pub(super) process: ProcessLimits,
    pub(super) sandboxing: Sandboxing,
}

/// The worker's first frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) enum Greeting {
    Ready { version: String, held: Held },
    Unavailable { reason: String },
}

/// A job as the worker sees it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Job<'a> {
    pub(super) number: u64,
    pub(super) turns: Turns,
    pub(super) file: &'a [u8],
}

/// `payload` as a frame.
///
/// Only for what is short by its making; the length of a file is checked where it is handed in.
pub(super) fn frame(payload: &[u8]) -> Vec<u8> {
    [&(payload.len() as u32).to_le_bytes(), payload].concat()
}

/// All of a job's frame but the file, of which there are `bytes`.
pub(super) fn job_head(number: u64, turns: Turns, bytes: usize) -> [u8; LENGTH_BYTES + JOB_HEAD_BYTES] {
    let mut head = [0; LENGTH_BYTES + JOB_HEAD_BYTES];
    head[..4].copy_from_slice(&((JOB_HEAD_BYTES + bytes) as u32).to_le_bytes());
    head[4..12].copy_from_slice(&number.to_le_bytes());
    head[12] = match turns {
        Turns::Shown => 0,
        Turns::All => 1,
    };
    head
}

/// Reads what [`job_head`] and a file are together, without the length.
pub(super) fn job(frame: &[u8]) -> Option<Job<'_>> {
    let (number, rest) = frame.split_first_chunk()?;
    let (turns, file) = rest.split_first()?;
    let turns = match turns {
        0 => Turns::Shown,
        1 => Turns::All,
        _ => return None,
    };
    Some(Job { number: u64::from_le_bytes(*number), turns, file })
}

/// The next frame of a pipe that can be waited for; `None` at its end.
///
/// # Errors
/// The pipe's; `InvalidData` if the frame is longer than `bytes_max`; `UnexpectedEof` if the pipe ends within it.
pub(super) fn read_frame(pipe: &mut impl Read, bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; LENGTH_BYTES];
    match pipe.read(&mut length)? {
        0 => return Ok(None),
        got => pipe.read_exact(&mut length[got..])?,
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > bytes_max {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut frame = vec![0; length];
    pipe.read_exact(&mut frame)?;
    Ok(Some(frame))
}

/// A worker's frame as it arrives.
#[derive(Debug, Default)]
pub(super) struct Incoming(Vec<u8>);

/// A frame that is longer than a worker may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Incoming {
    /// What can be read at once without taking more than the longest frame, and a byte to notice what follows it.
    pub(super) const READ_BYTES: usize = LENGTH_BYTES + ANSWER_BYTES_MAX + 1;

    /// Whether nothing has come since the last frame was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what has come.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Takes the frame out, if all of it is there.
    ///
    /// # Errors
    /// [`TooLong`] as soon as its length says so.
    pub(super) fn take(&mut self) -> Result<Option<Vec<u8>>, TooLong> {
        let Some(length) = self.0.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
        let end = LENGTH_BYTES + u32::from_le_bytes(*length) as usize;
        if end > LENGTH_BYTES + ANSWER_BYTES_MAX {
            return Err(TooLong);
        }
        if self.0.len() < end {
            return Ok(None);
        }
        let rest = self.0.split_off(end);
        let mut frame = std::mem::replace(&mut self.0, rest);
        frame.drain(..LENGTH_BYTES);
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_reads_back_from_its_head_and_its_file() {
        for (turns, file) in [(Turns::Shown, &b"GIF89a"[..]), (Turns::All, b"")] {
            let head = job_head(u64::MAX - 7, turns, file.len());
            let mut pipe = io::Cursor::new([&head[..], file].concat());
            let frame = read_frame(&mut pipe, JOB_HEAD_BYTES + file.len()).unwrap().unwrap();
            assert_eq!(job(&frame), Some(Job { number: u64::MAX - 7, turns, file }));
            assert_eq!(read_frame(&mut pipe, 100).unwrap(), None);
        }
        assert_eq!(job(&[0; 8]), None);
        assert_eq!(job(&[2; 9]), None, "there is no such value of `Turns`");
    }

    #[test]
    fn a_frame_that_is_too_long_or_cut_short_is_an_error_and_no_memory_is_taken_for_its_length() {
        let read = |bytes: &[u8]| read_frame(&mut io::Cursor::new(bytes.to_vec()), 5).map_err(|error| error.kind());
        assert_eq!(read(&frame(b"hello")), Ok(Some(b"hello".to_vec())));
        assert_eq!(read(&frame(b"hellos")), Err(io::ErrorKind::InvalidData));
        assert_eq!(read(&u32::MAX.to_le_bytes()), Err(io::ErrorKind::InvalidData));
        assert_eq!(read(&frame(b"hello")[..8]), Err(io::ErrorKind::UnexpectedEof));
        assert_eq!(read(&[5, 0]), Err(io::ErrorKind::UnexpectedEof));
    }

    #[test]
    fn an_answer_is_taken_when_all_of_it_is_there_and_what_follows_it_stays() {
        let mut incoming = Incoming::default();
        for byte in frame(b"{}") {
            assert_eq!(incoming.take(), Ok(None));
            incoming.push(&[byte]);
        }
        incoming.push(b"more");
        assert_eq!(incoming.take(), Ok(Some(b"{}".to_vec())));
        assert!(!incoming.is_empty());

        let mut incoming = Incoming::default();
        incoming.push(&(ANSWER_BYTES_MAX as u32 + 1).to_le_bytes());
        assert_eq!(incoming.take(), Err(TooLong));
    }
}
