//! Writing: rows gathered into one batch, committed once and synced.

use rocksdb::{WriteBatch, WriteOptions};

use super::{Family, Store, StoreError, keys};
use crate::domain::{Date, EntryId, EntryState, Key, KeyId, Member, ReadKey, RequestDigest, Signal, Timestamp};
use crate::ledger::record::{self, v1};
use crate::ledger::{Hash, NodeId, Salt, SignedCheckpoint};

/// Rows that become durable together or not at all.
pub struct Batch<'a> {
    store: &'a Store,
    rows: WriteBatch,
}

/// What a test wants to go wrong with the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is written, and the commit fails.
    BeforeWrite,
    /// Everything is written, and the commit is reported as failed all the same.
    AfterWrite,
}

impl Store {
    /// An empty batch.
    pub fn batch(&self) -> Batch<'_> {
        Batch { store: self, rows: WriteBatch::default() }
    }

    /// Makes the next commit go wrong: for tests of what happens then.
    #[doc(hidden)]
    pub fn inject(&self, fault: Fault) {
        *self.fault.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(fault);
    }

    /// Deletes everything that is only a fold of the events. It is folded again at the next start.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    #[doc(hidden)]
    pub fn forget_folds(&self) -> Result<(), StoreError> {
        let mut batch = self.batch();
        for family in Family::FOLDED {
            let handle = self.family(family)?;
            batch.rows.delete_range_cf(handle, &[][..], &[0xff; 64][..]);
        }
        batch.set_folded(0)?;
        batch.commit()
    }
}

impl Batch<'_> {
    fn put(&mut self, family: Family, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.rows.put_cf(self.store.family(family)?, key, value);
        Ok(())
    }

    /// The event of a leaf and the salt that opens it.
    pub fn put_event(&mut self, index: u64, salt: &Salt, event: &[u8]) -> Result<(), StoreError> {
        let row = v1::EventRow { leaf: Vec::new(), salt: salt.to_bytes().to_vec(), event: event.to_vec() };
        self.put(Family::Events, &keys::index(index), &prost::Message::encode_to_vec(&row))
    }

    /// The hash of a complete subtree.
    pub fn put_node(&mut self, node: NodeId, hash: Hash) -> Result<(), StoreError> {
        self.put(Family::Tree, &keys::node(node), &hash.to_bytes())
    }

    /// What has become of an entry.
    pub fn put_entry(&mut self, entry: EntryId, state: &EntryState) -> Result<(), StoreError> {
        self.put(Family::Entries, &keys::index(entry.0), &record::encode_entry_state(state))
    }

    /// A signal that checks can meet.
    pub fn put_signal(&mut self, signal: &Signal, entry: EntryId, until: Option<Timestamp>) -> Result<(), StoreError> {
        let value = until.map(|until| until.millis().to_be_bytes());
        self.put(Family::Signals, &keys::signal(signal, entry), value.as_ref().map_or(&[], |bytes| &bytes[..]))
    }

    /// Takes a signal away.
    pub fn delete_signal(&mut self, signal: &Signal, entry: EntryId) -> Result<(), StoreError> {
        self.rows.delete_cf(self.store.family(Family::Signals)?, keys::signal(signal, entry));
        Ok(())
    }

    /// A member as it stands now.
    pub fn put_member(&mut self, member: &Member) -> Result<(), StoreError> {
        self.put(Family::Members, &member.id.bytes(), &record::encode_member(member))
    }

    /// A key as it stands now.
    pub fn put_key(&mut self, key: &Key) -> Result<(), StoreError> {
        self.put(Family::Keys, &key.id.bytes(), &record::encode_key(key))
    }

    /// Which event a request led to.
    pub fn put_request(&mut self, request: &RequestDigest, index: u64) -> Result<(), StoreError> {
        self.put(Family::Requests, &request.0, &keys::index(index))
    }

    /// That an event is about no entry, and when it happened.
    pub fn put_administrative(&mut self, index: u64, at: Timestamp) -> Result<(), StoreError> {
        self.put(Family::Audit, &keys::index(index), &at.millis().to_be_bytes())
    }

    /// How much a member read.
    pub fn put_reads(&mut self, key: &ReadKey, count: u64) -> Result<(), StoreError> {
        self.put(Family::Reads, &keys::reads(key), &count.to_be_bytes())
    }

    /// Forgets how much was read before `day`.
    pub fn delete_reads_before(&mut self, day: Date) -> Result<(), StoreError> {
        self.rows.delete_range_cf(self.store.family(Family::Reads)?, &[][..], keys::day(day).as_bytes());
        Ok(())
    }

    /// The beginning of the hour in which a key was last used.
    pub fn put_last_used(&mut self, key: KeyId, hour: Timestamp) -> Result<(), StoreError> {
        self.put(Family::LastUsed, &key.bytes(), &hour.millis().to_be_bytes())
    }

    /// The newest checkpoint: the ledger's size and root.
    pub fn set_checkpoint(&mut self, checkpoint: &SignedCheckpoint) -> Result<(), StoreError> {
        self.put(Family::Meta, keys::META_CHECKPOINT, checkpoint.to_string().as_bytes())
    }

    /// How many events, from the first, the folded families hold.
    pub fn set_folded(&mut self, events: u64) -> Result<(), StoreError> {
        self.put(Family::Meta, keys::META_FOLDED, &keys::index(events))
    }

    /// Writes it all and returns when it is on disk.
    ///
    /// # Errors
    /// [`StoreError`]; whether the rows were written is then unknown until the store is opened again.
    pub fn commit(self) -> Result<(), StoreError> {
        let fault = self.store.fault.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if fault == Some(Fault::BeforeWrite) {
            return Err(StoreError::Injected);
        }
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.store.db.write_opt(self.rows, &options)?;
        if fault == Some(Fault::AfterWrite) { Err(StoreError::Injected) } else { Ok(()) }
    }
}
