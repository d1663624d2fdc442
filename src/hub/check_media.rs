//! Use case: hash a picture and look up its hashes. The picture lives in memory for as long as it takes, and nowhere else; and it
//! is decoded in a process of its own.

use super::check::{Check, CheckAnswer, CheckError, CheckQuery, Outcome, Query};
use crate::domain::FieldError;
use crate::media::{Fingerprint, OrientedSignal, Turns};
use crate::policy::{Exhausted, Full, Held, Meter, OpenStream, Permit, Places, operation};
use crate::worker::{JobError, Owner, Pool, SubmitError};

/// Uploads that may be on their way or waiting, for each picture that is being decoded.
const UPLOADS_PER_WORKER: usize = 16;
/// All uploads together take no more memory than so many of the longest.
const LONGEST_UPLOADS: usize = 8;
/// Memory for uploads is counted in pieces of so many bytes.
const MEMORY_UNIT: usize = 1 << 10;

/// Hashes pictures and looks them up.
#[derive(Clone)]
pub struct CheckMedia {
    check: Check,
    /// None if they cannot be sandboxed here.
    decoders: Option<Pool>,
    bytes_max: usize,
    places: Places,
    memory: Places,
}

/// A picture as it arrives.
pub struct Upload {
    check: Check,
    permit: Permit<operation::Check>,
    decoders: Pool,
    bytes_max: usize,
    file: File,
    _stream: OpenStream,
}

/// What has come of a picture, and what it holds of what all uploads share; that is given back when it is let go of, by
/// whoever has it then.
struct File {
    bytes: Vec<u8>,
    _place: Held,
    memory: Held,
}

impl AsRef<[u8]> for File {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// How to check a picture.
#[derive(Clone, Copy, Debug, Default)]
pub struct MediaOptions {
    /// At most so many matches; `None`: as many as a check gives that names no limit.
    pub limit: Option<u32>,
    /// Which orientations to look up.
    pub turns: Turns,
}

/// A picture's hashes and what they found.
#[derive(Clone, Debug)]
pub struct CheckMediaAnswer {
    pub fingerprint: Fingerprint,
    /// The signals that were looked up.
    pub signals: Vec<OrientedSignal>,
    /// One outcome a signal; one more, [`Outcome::TooFeatureless`], if the picture is.
    pub check: CheckAnswer,
}

/// Why a picture was not checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckMediaError {
    /// The caller has sent as much as it may for now.
    #[error(transparent)]
    Quota(#[from] Exhausted),
    /// The log says why.
    #[error(
        "this hub takes no pictures, because it has no sandbox to decode them in: hash the picture yourself (`hashcommons \
         hash` and `hashcommons check` do) and send its hashes"
    )]
    NoDecoder,
    /// It is longer than the hub takes.
    #[error("media: must be at most {max} bytes")]
    TooLong { max: usize },
    /// A field is not as it must be.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// Too many are on their way, or they are too large.
    #[error("the hub is taking as many pictures as it can: send it again in a moment")]
    Busy,
    /// The same, of this member's.
    #[error(
        "the hub is taking as many pictures of this member as it can while others may come: send it again in a moment"
    )]
    BusyForOne,
    /// It was not given to a decoder.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// It has no fingerprint.
    #[error(transparent)]
    Decoder(#[from] JobError),
    /// The look-up failed.
    #[error(transparent)]
    Check(#[from] CheckError),
}

impl From<Full> for CheckMediaError {
    fn from(full: Full) -> Self {
        match full {
            Full::ForAll => Self::Busy,
            Full::ForOne => Self::BusyForOne,
        }
    }
}

impl CheckMedia {
    /// Takes pictures of at most `bytes_max` bytes, for so many workers; none at all without decoders.
    pub(super) fn new(check: Check, decoders: Option<Pool>, bytes_max: usize, workers: usize) -> Self {
        Self {
            check,
            decoders,
            bytes_max,
            places: Places::new(workers.max(1) * UPLOADS_PER_WORKER),
            memory: Places::new((LONGEST_UPLOADS * bytes_max).div_ceil(MEMORY_UNIT)),
        }
    }

    /// A place for one picture. It counts as one signal looked up, until it is known how many it has, and as a stream.
    ///
    /// # Errors
    /// At once: [`CheckMediaError::NoDecoder`]; [`CheckMediaError::Quota`]; [`CheckMediaError::Busy`] if too many are on their way.
    pub fn begin(&self, permit: Permit<operation::Check>) -> Result<Upload, CheckMediaError> {
        let decoders = self.decoders.clone().ok_or(CheckMediaError::NoDecoder)?;
        self.check.watch.admit(permit.principal().member).map_err(CheckError::from)?;
        let quotas = &self.check.quotas;
        let stream = quotas.open_stream(permit.principal())?;
        quotas.take(permit.principal(), Meter::Checks, 1, self.check.viewer.clock.now())?;
        let member = permit.principal().member;
        let place = self.places.take(member, 1)?;
        let memory = self.memory.take(member, 0)?;
        Ok(Upload {
            check: self.check.clone(),
            permit,
            decoders,
            bytes_max: self.bytes_max,
            file: File { bytes: Vec::new(), _place: place, memory },
            _stream: stream,
        })
    }

    /// Ends the decoders; pictures that wait for them are answered. Takes as long as it takes to end a process.
    pub fn stop(&self) {
        if let Some(decoders) = &self.decoders {
            decoders.stop();
        }
    }
}

impl Upload {
    /// Takes the next piece.
    ///
    /// # Errors
    /// [`CheckMediaError::TooLong`] as soon as the pieces are more than a picture may have; [`CheckMediaError::Quota`];
    /// [`CheckMediaError::Busy`] if others take the memory that it would need.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), CheckMediaError> {
        let max = self.bytes_max;
        let needed = self.file.bytes.len() + piece.len();
        if needed > max {
            return Err(CheckMediaError::TooLong { max });
        }
        let now = self.check.viewer.clock.now();
        self.check.quotas.take(self.permit.principal(), Meter::MediaBytes, piece.len() as u64, now)?;
        if needed > self.file.bytes.capacity() {
            self.grow(needed.max(2 * self.file.bytes.capacity()).min(max))?;
        }
        self.file.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// Makes room for so many bytes.
    fn grow(&mut self, capacity: usize) -> Result<(), CheckMediaError> {
        let File { bytes, memory, .. } = &mut self.file;
        memory.take(capacity.div_ceil(MEMORY_UNIT).saturating_sub(memory.count()))?;
        bytes.reserve_exact(capacity - bytes.len());
        Ok(())
    }

    /// Takes the permit as it is now: much may have happened since the upload began.
    pub fn renew(&mut self, permit: Permit<operation::Check>) {
        self.permit = permit;
    }

    /// Hashes the picture and looks up its signals, each at its kind's default radius; each counts.
    ///
    /// # Errors
    /// [`CheckMediaError`].
    pub async fn finish(self, options: MediaOptions) -> Result<CheckMediaAnswer, CheckMediaError> {
        // The stream goes on counting until there is an answer.
        let Self { check, permit, decoders, file, _stream, .. } = self;
        // The file takes its place with it, and gives it back when it is hashed, or when the caller has gone away.
        let owner = Owner(permit.principal().member.number());
        let fingerprint = decoders.submit_for(owner, file, options.turns)?.await?;
        let signals = fingerprint.signals();
        let queries = signals.iter().map(|turned| Query::new(turned.signal, None)).collect::<Result<_, _>>()?;
        // One was counted when it began.
        let more = signals.len().saturating_sub(1) as u64;
        check.quotas.take(permit.principal(), Meter::Checks, more, check.viewer.clock.now())?;
        let mut check = check.look_up(&permit, &CheckQuery::new(queries, options.limit)?).await?;
        if fingerprint.is_featureless() {
            check.outcomes.push(Outcome::TooFeatureless);
        }
        Ok(CheckMediaAnswer { fingerprint, signals, check })
    }
}
