//! Data directories that a hub must refuse: each with a message that names the file and says what to do, and nothing changed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::process::{HubProcess, program};
use crate::support::{TestHub, contribution, draft, pdq, start_alone};
use hashcommons::domain::Role;
use rocksdb::{DB, IteratorMode, Options};
use tempfile::TempDir;

/// Every row of every column family, and every small file.
type Content = (BTreeMap<(String, Vec<u8>), Vec<u8>>, BTreeMap<PathBuf, Vec<u8>>);

fn open_database(directory: &Path) -> DB {
    let path = directory.join("rocksdb");
    let families = DB::list_cf(&Options::default(), &path).unwrap();
    DB::open_cf(&Options::default(), &path, families).unwrap()
}

fn content(directory: &Path) -> Content {
    let mut rows = BTreeMap::new();
    let path = directory.join("rocksdb");
    if path.exists() {
        let db = open_database(directory);
        for family in DB::list_cf(&Options::default(), &path).unwrap() {
            for row in db.iterator_cf(db.cf_handle(&family).unwrap(), IteratorMode::Start) {
                let (key, value) = row.unwrap();
                rows.insert((family.clone(), key.into_vec()), value.into_vec());
            }
        }
    }
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    (rows, files.map(|path| (path.clone(), fs::read(path).unwrap())).collect())
}

/// Starts a hub on `directory`; gives why not.
fn refusal(directory: &Path) -> String {
    match start_alone(directory, false) {
        Ok(_) => panic!("the hub has started"),
        Err(error) => error.to_string(),
    }
}

/// That a hub refuses `directory` with all these words and leaves it as it is.
fn is_refused(directory: &Path, words: &[&str]) {
    let before = content(directory);
    let told = refusal(directory);
    for word in words {
        assert!(told.contains(word), "`{word}` is not in: {told}");
    }
    assert!(content(directory) == before, "the refusal changed something: {told}");
}

/// The directory of a hub that was stopped in good order, with a few events.
async fn stopped() -> TempDir {
    let hub = TestHub::start().await;
    hub.enrol("Contributor", "NZ", &[Role::Contributor]).await;
    hub.stop().await
}

fn put(directory: &Path, family: &str, key: &[u8], change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    let db = open_database(directory);
    let family = db.cf_handle(family).unwrap();
    let value = db.get_cf(family, key).unwrap().unwrap();
    db.put_cf(family, key, change(value)).unwrap();
}

#[tokio::test]
async fn a_directory_of_an_unknown_format_is_refused_whatever_is_in_it() {
    let directory = stopped().await;
    let format = directory.path().join("FORMAT");
    for text in ["hashcommons data, format 2\n", "", "hashcommons data, format 1"] {
        fs::write(&format, text).unwrap();
        let path = directory.path().to_str().unwrap();
        is_refused(directory.path(), &[path, "has the format", "format 1`", "use the version that wrote it"]);
    }
}

#[tokio::test]
async fn a_directory_that_another_hub_has_is_refused_to_a_second_one() {
    let hub = TestHub::start().await;
    let words = ["is in use by another hub: stop that one first, or name another directory"];
    assert!(refusal(hub.directory()).contains(words[0]));
    // And to another process.
    let data_dir = hub.directory().to_str().unwrap();
    let output = program().args(["serve", "--listen", "127.0.0.1:0", "--data-dir", data_dir]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(told.contains(words[0]) && told.contains(data_dir), "{told}");
    hub.check().await;
    let directory = hub.stop().await;

    let process = HubProcess::start(directory.path());
    assert!(refusal(directory.path()).contains(words[0]));
    process.stop();
}

#[test]
fn a_directory_of_something_else_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("thesis.txt"), "years of work").unwrap();
    let path = directory.path().to_str().unwrap();
    is_refused(directory.path(), &[path, "is not empty and not a hub's data directory: name an empty or absent one"]);
    let file = directory.path().join("thesis.txt");
    assert!(refusal(&file).contains("cannot use the data directory"));
    assert_eq!(fs::read(file).unwrap(), b"years of work");
}

#[tokio::test]
async fn a_missing_or_damaged_secret_is_named_and_never_made_anew() {
    for name in ["ledger.key", "api-keys.secret"] {
        let directory = stopped().await;
        let path = directory.path().join(name);
        let kept = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let path_text = path.to_str().unwrap();
        is_refused(directory.path(), &[path_text, "is missing", "restore it from your backup"]);
        fs::write(&path, "nonsense\n").unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        is_refused(directory.path(), &[path_text, "does not hold what the hub wrote there"]);
        fs::write(&path, &kept).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        is_refused(directory.path(), &[path_text, "others may read it (mode 644)", "chmod 600"]);
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        HubProcess::start(directory.path()).stop();
    }
}

#[tokio::test]
async fn a_key_of_another_ledger_is_refused() {
    let (directory, other) = (stopped().await, tempfile::tempdir().unwrap());
    HubProcess::start(other.path()).stop();
    fs::copy(other.path().join("ledger.key"), directory.path().join("ledger.key")).unwrap();
    is_refused(directory.path(), &["the stored checkpoint is not this hub's"]);
}

#[tokio::test]
async fn a_ledger_whose_database_is_gone_is_not_begun_anew_under_the_same_key() {
    let directory = stopped().await;
    let kept = directory.path().join("elsewhere");
    fs::rename(directory.path().join("rocksdb"), &kept).unwrap();
    let path = directory.path().to_str().unwrap();
    is_refused(directory.path(), &[path, "its database is missing: restore the folder `rocksdb` from your backup"]);
    assert!(!directory.path().join("rocksdb").exists());
    fs::rename(kept, directory.path().join("rocksdb")).unwrap();
    HubProcess::start(directory.path()).stop();
}

#[tokio::test]
async fn a_ledger_whose_checkpoint_is_gone_is_not_begun_anew_under_the_same_key() {
    let directory = stopped().await;
    let database = open_database(directory.path());
    database.delete_cf(database.cf_handle("meta").unwrap(), b"checkpoint").unwrap();
    drop(database);
    is_refused(directory.path(), &["had a ledger (ledger.pub is there), but its database has none"]);
}

#[tokio::test]
async fn a_checkpoint_that_was_changed_is_refused() {
    let directory = stopped().await;
    put(directory.path(), "meta", b"checkpoint", |text| {
        // Another size: the signature is no longer over this text.
        String::from_utf8(text).unwrap().replacen("\n7\n", "\n6\n", 1).into_bytes()
    });
    is_refused(directory.path(), &["the stored checkpoint is not this hub's"]);
    put(directory.path(), "meta", b"checkpoint", |_| b"nonsense".to_vec());
    is_refused(directory.path(), &["the stored checkpoint is damaged"]);
}

#[tokio::test]
async fn a_tree_that_does_not_lead_to_its_signed_root_is_refused() {
    let directory = stopped().await;
    // The root of the first four of seven leaves: level 2, number 0.
    let root = [2, 0, 0, 0, 0, 0, 0, 0, 0];
    put(directory.path(), "tree", &root, |hash| hash.iter().map(|byte| byte ^ 1).collect());
    is_refused(directory.path(), &["does not have the root that its checkpoint signs", "was changed"]);
    put(directory.path(), "tree", &root, |hash| hash[..31].to_vec());
    is_refused(directory.path(), &["`tree` is damaged: must be 32 bytes"]);
}

#[tokio::test]
async fn a_last_event_cut_short_is_refused_by_number() {
    let directory = stopped().await;
    put(directory.path(), "events", &6_u64.to_be_bytes(), |row| row[..row.len() - 5].to_vec());
    is_refused(directory.path(), &["row 6 of `events` is damaged"]);
}

#[tokio::test]
async fn a_damaged_signal_is_refused_wherever_it_stands_among_the_rows() {
    let hub = TestHub::start().await;
    let member = hub.member("Contributor", &[Role::Contributor]).await;
    for n in 0..50 {
        member.contributions().contribute(contribution(&n.to_string(), draft(vec![pdq(n)]))).await.unwrap();
    }
    drop(member);
    let directory = hub.stop().await;
    let signals = content(directory.path()).0.into_keys().filter(|(family, _)| family == "signals");
    let keys: Vec<_> = signals.map(|(_, key)| key).collect();
    assert_eq!(keys.len(), 50);
    for key in [&keys[0], &keys[25], &keys[49]] {
        put(directory.path(), "signals", key, |_| vec![0; 7]);
        is_refused(directory.path(), &["`signals` is damaged: must be empty or 8 bytes"]);
        put(directory.path(), "signals", key, |_| Vec::new());
    }
    HubProcess::start(directory.path()).stop();
}
