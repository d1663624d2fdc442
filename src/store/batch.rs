//! Writing: rows gathered into one batch, committed once and synced.

use std::ops::RangeInclusive;

use rocksdb::{WriteBatch, WriteOptions};

use super::{Family, RegisterRow, Store, StoreError, StoredEvent, keys};
use crate::domain::{
    Appeal, Code, Date, EntryId, EntryState, Key, KeyId, MatchKey, Member, ReadKey, Reference, RequestDigest, Signal,
    Timestamp,
};
use crate::ledger::record::{self, v1};
use crate::ledger::{Hash, NodeId, Salt, SignedCheckpoint};

/// What events change in which rows: 2 since entries' rows hold what their standing is judged by; 3 since those that can be found no
/// more hold nothing of others.
pub const FOLD_VERSION: u64 = 3;

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

    /// Deletes everything that is only a fold of the events, so that it is folded again.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub fn forget_folds(&self) -> Result<(), StoreError> {
        let mut batch = self.batch();
        for family in Family::FOLDED {
            let handle = self.family(family)?;
            batch.rows.delete_range_cf(handle, &[][..], &[0xff; 64][..]);
        }
        batch.set_folded(0)?;
        batch.set_fold_version(FOLD_VERSION)?;
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
        self.put_stored(index, &StoredEvent::Open { salt: *salt, event: event.to_vec() })
    }

    /// A leaf as it is to be stored.
    pub fn put_stored(&mut self, index: u64, stored: &StoredEvent) -> Result<(), StoreError> {
        let (leaf, erased_by) = match stored {
            StoredEvent::Open { .. } => (Vec::new(), None),
            StoredEvent::Erased { leaf, by, .. } => (leaf.to_bytes().to_vec(), Some(*by)),
        };
        let (salt, event) = stored.opening();
        let row = v1::EventRow { leaf, salt: salt.to_bytes().to_vec(), event: event.to_vec(), erased_by };
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

    /// How often a member met an entry in an hour.
    pub fn put_matches(&mut self, key: &MatchKey, count: u64) -> Result<(), StoreError> {
        self.put(Family::Receipts, &keys::matches(key), &count.to_be_bytes())
    }

    /// Forgets how often a member met an entry in an hour.
    pub fn delete_matches(&mut self, key: &MatchKey) -> Result<(), StoreError> {
        self.rows.delete_cf(self.store.family(Family::Receipts)?, keys::matches(key));
        Ok(())
    }

    /// The beginning of the hour in which a key was last used.
    pub fn put_last_used(&mut self, key: KeyId, hour: Timestamp) -> Result<(), StoreError> {
        self.put(Family::LastUsed, &key.bytes(), &hour.millis().to_be_bytes())
    }

    /// That an event is about an entry.
    pub fn put_history(&mut self, entry: EntryId, event: u64) -> Result<(), StoreError> {
        self.put(Family::History, &keys::history(entry, event), &[])
    }

    /// Forgets which events are about an entry.
    pub fn delete_history(&mut self, entry: EntryId) -> Result<(), StoreError> {
        let all = (keys::history(entry, 0), keys::history(EntryId(entry.0 + 1), 0));
        self.rows.delete_range_cf(self.store.family(Family::History)?, all.0, all.1);
        Ok(())
    }

    /// Whether reviewers are to look at an entry.
    pub fn set_attention(&mut self, entry: EntryId, wanted: bool) -> Result<(), StoreError> {
        let key = keys::index(entry.0);
        if wanted {
            return self.put(Family::Attention, &key, &[]);
        }
        self.rows.delete_cf(self.store.family(Family::Attention)?, key);
        Ok(())
    }

    /// That an entry belongs to an incident.
    pub fn put_incident_entry(&mut self, incident: &Code, entry: EntryId) -> Result<(), StoreError> {
        self.put(Family::IncidentEntries, &keys::grouped(incident.as_str(), entry), &[])
    }

    /// That an entry rests on a list's naming an entity.
    pub fn put_listed(&mut self, entity: &Reference, entry: EntryId) -> Result<(), StoreError> {
        self.put(Family::Listed, &keys::grouped(entity.as_str(), entry), &[])
    }

    /// That it no longer does.
    pub fn delete_listed(&mut self, entity: &Reference, entry: EntryId) -> Result<(), StoreError> {
        self.rows.delete_cf(self.store.family(Family::Listed)?, keys::grouped(entity.as_str(), entry));
        Ok(())
    }

    /// That an entry was contributed with a key.
    pub fn put_key_entry(&mut self, key: KeyId, entry: EntryId) -> Result<(), StoreError> {
        self.put(Family::KeyEntries, &keys::key_entry(key, entry), &[])
    }

    /// An appeal as it stands now.
    pub fn put_appeal(&mut self, appeal: &Appeal) -> Result<(), StoreError> {
        self.put(Family::Appeals, &keys::index(appeal.id), &record::encode_appeal(appeal))
    }

    /// That an event reverses what an entry stood for.
    pub fn put_reversal(&mut self, index: u64, entry: EntryId) -> Result<(), StoreError> {
        self.put(Family::Reversals, &keys::index(index), &keys::index(entry.0))
    }

    /// A signal of the benign item `benign`.
    pub fn put_benign(&mut self, signal: &Signal, benign: u64) -> Result<(), StoreError> {
        self.put(Family::Benign, &keys::signal(signal, EntryId(benign)), &[])
    }

    /// Takes a signal of a benign item away.
    pub fn delete_benign(&mut self, signal: &Signal, benign: u64) -> Result<(), StoreError> {
        self.rows.delete_cf(self.store.family(Family::Benign)?, keys::signal(signal, EntryId(benign)));
        Ok(())
    }

    /// Whether there is a benign item of this leaf.
    pub fn set_benign_item(&mut self, benign: u64, present: bool) -> Result<(), StoreError> {
        let key = keys::index(benign);
        if present {
            return self.put(Family::BenignItems, &key, &[]);
        }
        self.rows.delete_cf(self.store.family(Family::BenignItems)?, key);
        Ok(())
    }

    /// Something that standing rests on beside entries.
    pub fn put_register(&mut self, row: &RegisterRow) -> Result<(), StoreError> {
        let (key, value) = row.encode();
        self.put(Family::Register, &key, &value)
    }

    /// By which version of the fold the folded families were made.
    pub fn set_fold_version(&mut self, version: u64) -> Result<(), StoreError> {
        self.put(Family::Meta, keys::META_FOLD_VERSION, &keys::index(version))
    }

    /// The newest checkpoint: the ledger's size and root.
    pub fn set_checkpoint(&mut self, checkpoint: &SignedCheckpoint) -> Result<(), StoreError> {
        self.put(Family::Meta, keys::META_CHECKPOINT, checkpoint.to_string().as_bytes())
    }

    /// How many events, from the first, the folded families hold.
    pub fn set_folded(&mut self, events: u64) -> Result<(), StoreError> {
        self.put(Family::Meta, keys::META_FOLDED, &keys::index(events))
    }

    /// Among which leaves erased ones may be in the files still.
    pub fn set_purge(&mut self, leaves: Option<RangeInclusive<u64>>) -> Result<(), StoreError> {
        match leaves {
            Some(leaves) => self.put(Family::Meta, keys::META_PURGE, &keys::range(&leaves)),
            None => {
                self.rows.delete_cf(self.store.family(Family::Meta)?, keys::META_PURGE);
                Ok(())
            }
        }
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
