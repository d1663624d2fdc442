//! How rows are keyed: fixed-width big-endian numbers and raw bytes, so that RocksDB's order is the order we want.

use std::ops::RangeInclusive;

use crate::domain::{Date, EntryId, KeyId, MatchKey, MemberId, ReadKey, ReadKind, Signal, SignalKind, Timestamp};
use crate::ledger::NodeId;

pub(super) const META_CHECKPOINT: &[u8] = b"checkpoint";
pub(super) const META_FOLDED: &[u8] = b"folded";
pub(super) const META_PURGE: &[u8] = b"purge";
pub(super) const META_FOLD_VERSION: &[u8] = b"fold_version";

/// The first byte of a key of `register` says what the row is about.
pub(super) const REGISTER_RULES: &[u8] = b"p";
pub(super) const REGISTER_TRUST: u8 = b't';
pub(super) const REGISTER_INCIDENT: u8 = b'i';
pub(super) const REGISTER_DELISTED: u8 = b'd';
pub(super) const REGISTER_HOLD: u8 = b'h';

/// Leaf index: 8 bytes. Also the key of `entries`, whose ids are leaf indexes.
pub(super) fn index(index: u64) -> [u8; 8] {
    index.to_be_bytes()
}

/// Reads a key made by [`index`].
pub(super) fn read_index(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.try_into().ok()?))
}

/// The first and the last of some leaves, 8 bytes each.
pub(super) fn range(leaves: &RangeInclusive<u64>) -> [u8; 16] {
    history(EntryId(*leaves.start()), *leaves.end())
}

/// Reads what [`range`] wrote.
pub(super) fn read_range(bytes: &[u8]) -> Option<RangeInclusive<u64>> {
    let (first, last) = bytes.split_at_checked(8)?;
    Some(read_index(first)?..=read_index(last)?)
}

/// Something that happened to an entry: entry id (8 bytes), leaf index (8 bytes).
pub(super) fn history(entry: EntryId, event: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&index(entry.0));
    key[8..].copy_from_slice(&index(event));
    key
}

/// An entry of an incident, or one that rests on an entity's listing: code or reference, 0x00, entry id (8 bytes). Neither text
/// has a zero.
pub(super) fn grouped(group: &str, entry: EntryId) -> Vec<u8> {
    [&group_prefix(group)[..], &index(entry.0)].concat()
}

/// Beginning of the keys of all entries of an incident or entity.
pub(super) fn group_prefix(group: &str) -> Vec<u8> {
    [group.as_bytes(), &[0]].concat()
}

/// Reads a key made by [`grouped`].
pub(super) fn read_grouped(key: &[u8]) -> Option<(&str, EntryId)> {
    let (group, entry) = key.split_at_checked(key.len().checked_sub(8)?)?;
    Some((str::from_utf8(group.strip_suffix(&[0])?).ok()?, EntryId(read_index(entry)?)))
}

/// An entry contributed with a key: key id (5 bytes), entry id (8 bytes).
pub(super) fn key_entry(key: KeyId, entry: EntryId) -> [u8; 13] {
    let mut row = [0; 13];
    row[..5].copy_from_slice(&key.bytes());
    row[5..].copy_from_slice(&index(entry.0));
    row
}

/// Reads a key made by [`key_entry`].
pub(super) fn read_key_entry(row: &[u8]) -> Option<(KeyId, EntryId)> {
    let (key, entry) = row.split_at_checked(5)?;
    Some((KeyId::from_bytes(key.try_into().ok()?), EntryId(read_index(entry)?)))
}

/// Tree node: level (1 byte), index (8 bytes).
pub(super) fn node(node: NodeId) -> [u8; 9] {
    let mut key = [0; 9];
    key[0] = node.level;
    key[1..].copy_from_slice(&node.index.to_be_bytes());
    key
}

/// The kind's number in a key. Never changes.
const fn kind_byte(kind: SignalKind) -> u8 {
    match kind {
        SignalKind::Pdq => 1,
        SignalKind::Phash => 2,
        SignalKind::Dhash => 3,
        SignalKind::Md5 => 4,
        SignalKind::Sha256 => 5,
    }
}

/// Beginning of the keys of all rows of a kind.
pub(super) fn kind_prefix(kind: SignalKind) -> [u8; 1] {
    [kind_byte(kind)]
}

/// Beginning of the keys of all rows of a value: kind (1 byte), value (the kind's length).
pub(super) fn signal_prefix(signal: &Signal) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + 32 + 8);
    key.push(kind_byte(signal.kind()));
    key.extend_from_slice(&signal.value());
    key
}

/// One signal of one entry: kind (1 byte), value (the kind's length), entry id (8 bytes).
pub(super) fn signal(signal: &Signal, entry: EntryId) -> Vec<u8> {
    let mut key = signal_prefix(signal);
    key.extend_from_slice(&index(entry.0));
    key
}

/// Reads a key made by [`signal`]. The quality is not part of it.
pub(super) fn read_signal(key: &[u8]) -> Option<(Signal, EntryId)> {
    let (&byte, rest) = key.split_first()?;
    let kind = SignalKind::ALL.iter().copied().find(|kind| kind_byte(*kind) == byte)?;
    let (value, entry) = rest.split_at_checked(kind.bytes())?;
    Some((Signal::from_bytes(kind, value)?, EntryId(read_index(entry)?)))
}

/// The kind's number in a key. Never changes.
const fn read_kind_byte(kind: ReadKind) -> u8 {
    match kind {
        ReadKind::Entries => 1,
        ReadKind::Events => 2,
        ReadKind::Names => 3,
    }
}

/// What one member read of one kind on one day: the day as in `2026-11-22` (10 bytes), member id (5 bytes), kind (1 byte).
pub(super) fn reads(key: &ReadKey) -> Vec<u8> {
    [day(key.day).as_bytes(), &key.member.bytes(), &[read_kind_byte(key.kind)]].concat()
}

/// Beginning of the keys of a day, and before those of every later one.
pub(super) fn day(day: Date) -> String {
    day.to_string()
}

/// Reads a key made by [`reads`].
pub(super) fn read_reads(key: &[u8]) -> Option<ReadKey> {
    let (day, rest) = key.split_at_checked(10)?;
    let (member, kind) = rest.split_at_checked(5)?;
    let kind = ReadKind::ALL.iter().copied().find(|other| [read_kind_byte(*other)] == kind)?;
    let day = str::from_utf8(day).ok()?.parse().ok()?;
    Some(ReadKey { day, member: MemberId::from_bytes(member.try_into().ok()?), kind })
}

/// Beginning of the keys of all that a member met of an entry: entry id (8 bytes), member id (5 bytes).
pub(super) fn met_prefix(entry: EntryId, member: MemberId) -> [u8; 13] {
    let mut key = [0; 13];
    key[..8].copy_from_slice(&index(entry.0));
    key[8..].copy_from_slice(&member.bytes());
    key
}

/// How often a member met an entry in an hour: entry id (8 bytes), member id (5 bytes), the hour's beginning in milliseconds (8 bytes).
pub(super) fn matches(key: &MatchKey) -> [u8; 21] {
    let mut bytes = [0; 21];
    bytes[..13].copy_from_slice(&met_prefix(key.entry, key.member));
    bytes[13..].copy_from_slice(&index(key.hour.millis()));
    bytes
}

/// Reads a key made by [`matches`].
pub(super) fn read_matches(key: &[u8]) -> Option<MatchKey> {
    let (entry, rest) = key.split_at_checked(8)?;
    let (member, hour) = rest.split_at_checked(5)?;
    let hour = Timestamp::from_millis(read_index(hour)?).ok()?;
    Some(MatchKey { entry: EntryId(read_index(entry)?), member: MemberId::from_bytes(member.try_into().ok()?), hour })
}
