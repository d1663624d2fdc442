//! Use case: hash a picture and look up its hashes. The picture lives in memory for as long as it takes, and nowhere else.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::check::{Check, CheckAnswer, CheckError, CheckQuery, Outcome, Query};
use crate::domain::FieldError;
use crate::media::{DecodeLimits, Fingerprint, FingerprintError, OrientedSignal, Turns, fingerprint};
use crate::policy::{Permit, operation};

/// Uploads that may be on their way or waiting, for each picture that is being decoded.
const UPLOADS_PER_WORKER: usize = 16;

/// Hashes pictures and looks them up.
#[derive(Clone)]
pub struct CheckMedia {
    check: Check,
    limits: DecodeLimits,
    workers: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
}

/// A picture as it arrives.
pub struct Upload {
    check_media: CheckMedia,
    bytes: Vec<u8>,
    /// Its place among the uploads, given back when it is done with or dropped.
    _place: OwnedSemaphorePermit,
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
    /// It is longer than the hub takes.
    #[error("media: must be at most {max} bytes")]
    TooLong { max: usize },
    /// It cannot be hashed.
    #[error(transparent)]
    Picture(#[from] FingerprintError),
    /// A field is not as it must be.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// Too many others are on their way.
    #[error("the hub is taking as many pictures as it can: send it again in a moment")]
    Busy,
    /// The decoder gave up in a way that it should not.
    #[error("the decoder failed")]
    Decoder,
    /// The look-up failed.
    #[error(transparent)]
    Check(#[from] CheckError),
}

impl CheckMedia {
    pub(super) fn new(check: Check, limits: DecodeLimits, workers: usize) -> Self {
        let workers = workers.max(1);
        Self {
            check,
            limits,
            workers: Arc::new(Semaphore::new(workers)),
            uploads: Arc::new(Semaphore::new(workers * UPLOADS_PER_WORKER)),
        }
    }

    /// A place for one picture.
    ///
    /// # Errors
    /// [`CheckMediaError::Busy`], at once, if too many are on their way.
    pub fn begin(&self) -> Result<Upload, CheckMediaError> {
        let place = self.uploads.clone().try_acquire_owned().map_err(|_| CheckMediaError::Busy)?;
        Ok(Upload { check_media: self.clone(), bytes: Vec::new(), _place: place })
    }
}

impl Upload {
    /// Takes the next piece.
    ///
    /// # Errors
    /// [`CheckMediaError::TooLong`] as soon as the pieces are more than a picture may have.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), CheckMediaError> {
        let max = self.check_media.limits.bytes_max;
        if self.bytes.len() + piece.len() > max {
            return Err(CheckMediaError::TooLong { max });
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// Hashes the picture and looks up its signals, each at its kind's default radius.
    ///
    /// # Errors
    /// [`CheckMediaError`].
    pub async fn finish(
        self,
        permit: &Permit<operation::Check>,
        options: MediaOptions,
    ) -> Result<CheckMediaAnswer, CheckMediaError> {
        let Self { check_media, bytes, _place } = self;
        let worker = check_media.workers.acquire_owned().await.map_err(|_| CheckMediaError::Busy)?;
        let limits = check_media.limits;
        // The permit to work goes with the work: it is given back when the decoder ends, also if the caller has gone away.
        let hashed = tokio::task::spawn_blocking(move || {
            let fingerprint = fingerprint(&bytes, &limits, options.turns);
            drop(worker);
            fingerprint
        });
        let fingerprint = hashed.await.map_err(|_| CheckMediaError::Decoder)??;
        let signals = fingerprint.signals();
        let queries = signals.iter().map(|turned| Query::new(turned.signal, None)).collect::<Result<_, _>>()?;
        let mut check = check_media.check.run(permit, &CheckQuery::new(queries, options.limit)?).await?;
        if fingerprint.is_featureless() {
            check.outcomes.push(Outcome::TooFeatureless);
        }
        Ok(CheckMediaAnswer { fingerprint, signals, check })
    }
}
