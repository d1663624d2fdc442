//! Opening the data directory: its format is checked and its lock taken before RocksDB sees it.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, BottommostLevelCompaction, Cache, ColumnFamily, ColumnFamilyDescriptor,
    CompactOptions, DB, DBCompressionType, DBRecoveryMode, FlushOptions, LiveFile, LogLevel, Options,
};

use super::batch::Fault;
use super::{Family, StoreError, files, keys};

/// What `FORMAT` says in a directory of this version.
const FORMAT: &str = "hashcommons data, format 1\n";
const FORMAT_FILE: &str = "FORMAT";
const LOCK_FILE: &str = "LOCK";
const DATABASE_FOLDER: &str = "rocksdb";
const MIB: usize = 1 << 20;
/// What a start reads from the log again in a moment. More than that is written into files when the hub stops.
const REPLAYED_BYTES: u64 = 32 * MIB as u64;

/// RocksDB's list of files begins anew when it has so many bytes.
const MANIFEST_BYTES: usize = 64 << 10;
/// Families of at most so many bytes are written anew as a whole where something was erased.
const PURGED_BYTES: u64 = 256 * MIB as u64;

/// The keys of the first and the last of some leaves.
type Indexes = ([u8; 8], [u8; 8]);

/// A data directory, open. While it is, no other process can open it.
pub struct Store {
    pub(super) db: DB,
    pub(super) fault: Mutex<Option<Fault>>,
    directory: PathBuf,
    // Held, never read; after the database, which it is for.
    _lock: Lock,
}

/// The lock on a data directory.
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Said, not left to the file's being closed: a process that is being started at this moment has the file, too, until it is
        // another program. If it fails, closing does it.
        let _ = self.0.unlock();
    }
}

/// Why a data directory was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory or one of its small files cannot be made, read or written.
    #[error("cannot use the data directory {}: {source}", .path.display())]
    Directory { path: PathBuf, source: io::Error },
    /// Another hub has it.
    #[error("the data directory {} is in use by another hub: stop that one first, or name another directory", .path.display())]
    InUse { path: PathBuf },
    /// It holds something else.
    #[error("{} is not empty and not a hub's data directory: name an empty or absent one", .path.display())]
    Foreign { path: PathBuf },
    /// It was written by another version.
    #[error(
        "the data directory {} has the format `{found}`, and this program reads only `{}`: use the version that wrote it",
        .path.display(), FORMAT.trim_end()
    )]
    Format { path: PathBuf, found: String },
    /// RocksDB cannot open its part.
    #[error("cannot open the database in {}: {source}", .path.display())]
    Database { path: PathBuf, source: rocksdb::Error },
}

impl Store {
    /// Opens the data directory at `directory`, making it if it is absent or empty.
    ///
    /// # Errors
    /// [`OpenError`]; nothing that was there is changed then.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let io = |source| OpenError::Directory { path: directory.to_owned(), source };
        create_private(directory).map_err(io)?;
        check_format(directory)?;
        let lock = File::create(directory.join(LOCK_FILE)).map_err(io)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse { path: directory.to_owned() },
            TryLockError::Error(source) => io(source),
        })?;
        if !directory.join(FORMAT_FILE).exists() {
            files::write_secret(&directory.join(FORMAT_FILE), FORMAT).map_err(io)?;
        }
        let path = directory.join(DATABASE_FOLDER);
        // RocksDB makes files that all may read, and the data directory may be one that somebody else made.
        create_private(&path).map_err(io)?;
        let cache = Cache::new_lru_cache(64 * MIB);
        let families = Family::ALL.map(|family| ColumnFamilyDescriptor::new(family.name(), family_options(&cache)));
        let db = DB::open_cf_descriptors(&database_options(), &path, families)
            .map_err(|source| OpenError::Database { path, source })?;
        Ok(Self { db, fault: Mutex::new(None), directory: directory.to_owned(), _lock: Lock(lock) })
    }

    /// Whether there is a database in `directory`, sound or not.
    pub fn has_database(directory: &Path) -> bool {
        // RocksDB's own file, without which it would begin anew.
        directory.join(DATABASE_FOLDER).join("CURRENT").exists()
    }

    /// Spares the next start most of the log: it reads a hundred megabytes a second or two, and twice that follows in the
    /// background. Nothing depends on it: what is in the log is durable.
    ///
    /// # Errors
    /// [`StoreError`] if the files cannot be written.
    pub fn shorten_log(&self) -> Result<(), StoreError> {
        let families = Family::ALL.map(|family| self.family(family)).into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut only_in_log = 0;
        for family in &families {
            only_in_log +=
                self.db.property_int_value_cf(family, "rocksdb.cur-size-all-mem-tables")?.unwrap_or_default();
        }
        if only_in_log > REPLAYED_BYTES {
            self.db.flush_cfs_opt(&families, &FlushOptions::default())?;
        }
        Ok(())
    }

    /// Writes the files anew in which these leaves lie, from the first to the last of them, and what followed from them, so that what was
    /// there before is gone. Takes long; reading and writing go on.
    ///
    /// Families whose keys are values, as signals', are written anew as a whole, unless they are large: then RocksDB does so by itself
    /// within thirty days after a row was deleted.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails, or was told to stop meanwhile.
    pub fn purge(&self, leaves: RangeInclusive<u64>) -> Result<(), StoreError> {
        // The log goes when nothing in it is needed any more.
        let families = Family::ALL.map(|family| self.family(family)).into_iter().collect::<Result<Vec<_>, _>>()?;
        self.db.flush_cfs_opt(&families, &FlushOptions::default())?;
        let mut options = CompactOptions::default();
        options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        let some = Some((keys::index(*leaves.start()), keys::index(leaves.end().saturating_add(1))));
        let mut wanted: Vec<_> = [Family::Events, Family::Entries, Family::History].map(|family| (family, some)).into();
        for family in [Family::Signals, Family::Listed] {
            let bytes = self.db.property_int_value_cf(self.family(family)?, "rocksdb.total-sst-files-size")?;
            if bytes.unwrap_or_default() <= PURGED_BYTES {
                wanted.push((family, None));
            }
        }
        let before = self.files_of(&wanted)?;
        for (family, range) in &wanted {
            let (first, last) = (range.map(|(first, _)| first), range.map(|(_, last)| last));
            self.db.compact_range_cf_opt(self.family(*family)?, first, last, &options);
        }
        // It says nothing of whether it did so.
        let files = self.files_of(&wanted)?.intersection(&before).count();
        if files == 0 { Ok(()) } else { Err(StoreError::NotPurged { files }) }
    }

    /// The names of the files that may have rows in these ranges of these families.
    fn files_of(&self, wanted: &[(Family, Option<Indexes>)]) -> Result<BTreeSet<String>, StoreError> {
        let is_wanted = |file: &LiveFile| {
            wanted.iter().any(|(family, range)| {
                let is_near = |(first, last): Indexes| {
                    file.start_key.as_ref().is_none_or(|key| key[..] <= last[..])
                        && file.end_key.as_ref().is_none_or(|key| key[..] >= first[..])
                };
                file.column_family_name == family.name() && range.is_none_or(is_near)
            })
        };
        Ok(self.db.live_files()?.into_iter().filter(is_wanted).map(|file| file.name).collect())
    }

    /// Ends what RocksDB does in the background, for good: before the end, and nothing is lost by it.
    pub fn stop_purging(&self) {
        self.db.cancel_all_background_work(true);
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn family(&self, family: Family) -> Result<&ColumnFamily, StoreError> {
        // `open` opens every family: an absent one is a damaged database.
        self.db
            .cf_handle(family.name())
            .ok_or_else(|| StoreError::damaged(family, "*", "there is no such column family"))
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("directory", &self.directory).finish_non_exhaustive()
    }
}

fn create_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Refuses a directory of another format, and one that holds anything but a hub's data.
fn check_format(directory: &Path) -> Result<(), OpenError> {
    let path = directory.to_owned();
    match fs::read_to_string(directory.join(FORMAT_FILE)) {
        Ok(text) if text == FORMAT => Ok(()),
        Ok(text) => {
            Err(OpenError::Format { path, found: text.lines().next().unwrap_or_default().chars().take(60).collect() })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut names =
                fs::read_dir(directory).map_err(|source| OpenError::Directory { path: path.clone(), source })?;
            // What a first start leaves that was stopped before it had written the format.
            let ours = |name: &str| name == LOCK_FILE || name.starts_with(files::PARTIAL_PREFIX);
            let foreign = names.any(|entry| entry.is_ok_and(|entry| !entry.file_name().to_str().is_some_and(ours)));
            if foreign { Err(OpenError::Foreign { path }) } else { Ok(()) }
        }
        Err(source) => Err(OpenError::Directory { path, source }),
    }
}

fn database_options() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    // After a crash the last record of the log may be half written: it was never acknowledged, so it may go. The default mode
    // (point in time) would also stop quietly at a hole in the middle.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_track_and_verify_wals_in_manifest(true);
    options.set_paranoid_checks(true);
    options.set_max_total_wal_size(256 * MIB as u64);
    // It has the first and the last key of every file, also of those that are gone: a hash, where the keys are signals.
    options.set_max_manifest_file_size(MANIFEST_BYTES);
    options.set_bytes_per_sync(MIB as u64);
    options.set_max_background_jobs(2);
    options.set_max_open_files(512);
    options.set_keep_log_file_num(4);
    options.set_log_level(LogLevel::Warn);
    options
}

fn family_options(cache: &Cache) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    blocks.set_format_version(6);
    // Most look-ups of `requests` and of exact signals are for what is not there.
    blocks.set_bloom_filter(10.0, false);
    // In pieces of a block's size. Whole, the filter of a large file (a million keys and more) has 2 MB and does not fit into one of
    // the cache's 64 shards: every look-up would read it from the file again, and an import would slow down to a few thousand a second.
    blocks.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    blocks.set_partition_filters(true);
    blocks.set_pin_top_level_index_and_filter(true);
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    let mut options = Options::default();
    options.set_block_based_table_factory(&blocks);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_write_buffer_size(32 * MIB);
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Salt;

    /// A child of this process has its files until it has become another program. Hubs that were stopped and started in one
    /// process, while others started their decoders, found their directory in use.
    #[test]
    fn a_store_that_is_closed_gives_its_directory_back_even_if_a_child_still_has_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let the_childs = store._lock.0.try_clone().unwrap();
        assert!(matches!(Store::open(directory.path()), Err(OpenError::InUse { .. })));
        drop(store);
        Store::open(directory.path()).unwrap();
        drop(the_childs);
    }

    /// Bytes of log that an opening would read, after `bytes` of events were written.
    fn log_bytes(bytes: usize, shorten: bool) -> u64 {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let mut batch = store.batch();
        batch.put_event(0, &Salt::from_bytes([1; 32]), &vec![7; bytes]).unwrap();
        batch.commit().unwrap();
        if shorten {
            store.shorten_log().unwrap();
        }
        drop(store);
        let files = fs::read_dir(directory.path().join(DATABASE_FOLDER)).unwrap().map(|file| file.unwrap());
        let logs = files.filter(|file| file.path().extension().is_some_and(|ending| ending == "log"));
        let left = logs.map(|file| file.metadata().unwrap().len()).sum();
        let store = Store::open(directory.path()).unwrap();
        assert!(store.event(0).unwrap().is_some(), "{bytes} bytes");
        left
    }

    #[test]
    fn a_long_log_is_not_left_to_the_next_start_and_a_short_one_is_left_alone() {
        let long = 2 * REPLAYED_BYTES as usize;
        assert!(log_bytes(long, false) > REPLAYED_BYTES);
        assert!(log_bytes(long, true) < 1_000);
        assert!(log_bytes(5_000, true) > 5_000);
    }
}
