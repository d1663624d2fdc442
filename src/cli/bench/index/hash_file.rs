//! Files of hashes, 32 bytes each, one after another: read as they are needed, never held as a whole.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::domain::Pdq;

/// Bytes of a hash.
const BYTES: u64 = 32;

/// A file that has at least one hash and nothing but hashes.
pub(super) struct HashFile {
    path: PathBuf,
    count: u64,
}

impl HashFile {
    /// Looks at a file's size.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        let facts = path.metadata().with_context(|| format!("cannot read {name}"))?;
        ensure!(facts.is_file(), "{name} is not a file");
        let length = facts.len();
        ensure!(length > 0, "{name} is empty: it must hold hashes of {BYTES} bytes, one after another");
        ensure!(
            length.is_multiple_of(BYTES),
            "{name} has {length} bytes, which is not a multiple of {BYTES}: it must hold hashes of {BYTES} bytes, one \
             after another"
        );
        Ok(Self { path: path.to_owned(), count: length / BYTES })
    }

    /// How many hashes there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Gives all hashes to `take`, in order.
    ///
    /// # Errors
    /// If the file cannot be read or is shorter than it was.
    pub(super) fn read<T>(&self, take: impl FnOnce(&mut dyn Iterator<Item = [u64; 4]>) -> T) -> anyhow::Result<T> {
        let context = || format!("cannot read {}", self.path.display());
        let file = File::open(&self.path).with_context(context)?;
        let mut hashes = Hashes { file: BufReader::with_capacity(1 << 16, file), left: self.count, failed: None };
        let taken = take(&mut hashes);
        hashes.failed.map_or(Ok(taken), |error| Err(error).with_context(context))
    }
}

struct Hashes {
    file: BufReader<File>,
    left: u64,
    failed: Option<io::Error>,
}

impl Iterator for Hashes {
    type Item = [u64; 4];

    fn next(&mut self) -> Option<[u64; 4]> {
        self.left = self.left.checked_sub(1)?;
        let mut bytes = [0; BYTES as usize];
        if let Err(error) = self.file.read_exact(&mut bytes) {
            self.failed = Some(error);
            self.left = 0;
            return None;
        }
        Some(Pdq::from_bytes(bytes).words())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}
