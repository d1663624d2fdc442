//! A data directory that somebody changed behind the hub's back: the audit must notice. Without this the audits of the crash
//! test would prove nothing.

use std::path::Path;

use hashcommons::client::Client;
use hashcommons::hub::AuditError;
use rocksdb::{DB, IteratorMode, Options};

use crate::book::Book;
use crate::process::{HubProcess, copy_directory};
use crate::{audit, contributor};

type Row = (Box<[u8]>, Box<[u8]>);

/// Changes rows of a directory that no hub has open: `change` is given the first row of `family`.
fn tamper(directory: &Path, family: &str, change: impl FnOnce(&DB, &rocksdb::ColumnFamily, Row)) {
    let path = directory.join("rocksdb");
    let families = DB::list_cf(&Options::default(), &path).unwrap();
    let db = DB::open_cf(&Options::default(), &path, families).unwrap();
    let handle = db.cf_handle(family).unwrap();
    let first = db.iterator_cf(handle, IteratorMode::Start).next().unwrap().unwrap();
    change(&db, handle, first);
}

/// What the audit of a tampered copy of `directory` says does not agree.
fn found(directory: &Path, family: &str, change: impl FnOnce(&DB, &rocksdb::ColumnFamily, Row)) -> &'static str {
    let copy = tempfile::tempdir().unwrap();
    copy_directory(directory, copy.path());
    audit(copy.path()).unwrap();
    tamper(copy.path(), family, change);
    match audit(copy.path()) {
        Err(AuditError::Disagreement { what, .. }) => what,
        Err(AuditError::Unreadable(_)) => "unreadable",
        Ok(report) => panic!("the audit saw nothing: {report:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_finds_rows_that_were_changed_behind_the_hubs_back() {
    let directory = tempfile::tempdir().unwrap();
    let hub = HubProcess::start(directory.path());
    let key = contributor(&hub, directory.path()).await;
    let client = Client::connect(&hub.url(), Some(&key), None).await.unwrap();
    let book = Book::default();
    let first = book.contribute(&client).await;
    for _ in 0..4 {
        book.contribute(&client).await;
    }
    book.withdraw(&client, first).await;
    hub.stop();
    let directory = directory.path();

    let delete = |db: &DB, family: &rocksdb::ColumnFamily, (key, _): Row| db.delete_cf(family, key).unwrap();
    let flip = |db: &DB, family: &rocksdb::ColumnFamily, (key, value): Row| {
        let mut value = value.into_vec();
        *value.last_mut().unwrap() ^= 1;
        db.put_cf(family, key, value).unwrap();
    };
    assert_eq!(found(directory, "signals", delete), "signals");
    let bit = |db: &DB, family: &rocksdb::ColumnFamily, (key, value): Row| {
        let mut near = key.to_vec();
        near[1] ^= 1;
        db.delete_cf(family, key).unwrap();
        db.put_cf(family, near, value).unwrap();
    };
    assert_eq!(found(directory, "signals", bit), "signals");
    // Leaf 0's hash, which no later commit reads again.
    assert_eq!(found(directory, "tree", flip), "tree");
    assert_eq!(found(directory, "tree", delete), "unreadable");
    assert_eq!(found(directory, "events", flip), "tree");
    assert_eq!(found(directory, "events", delete), "events");
    assert_eq!(found(directory, "entries", delete), "entries");
    assert_eq!(found(directory, "requests", delete), "requests");
    assert_eq!(found(directory, "audit", delete), "audit");
    assert_eq!(found(directory, "audit", flip), "audit");
    assert_eq!(found(directory, "keys", delete), "members and keys");
    assert_eq!(found(directory, "members", delete), "members and keys");
}
