//! `docs/storage.md` is what is on the disk: a hub's database is opened with RocksDB alone and read by that page, with
//! nothing of the program but the hub that wrote it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::protobuf::{bytes, fields, number};
use crate::support::{TestHub, check_of, contribution, draft, pdq};
use hashcommons::domain::{Role, Timestamp};
use hashcommons::wire::v1;
use hmac::{Hmac, KeyInit, Mac};
use rocksdb::{DB, IteratorMode, Options};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// A hub's directory after it has stopped, and what was done before.
struct Stopped {
    directory: TempDir,
    families: BTreeMap<String, Rows>,
    member: String,
    key: String,
    withdrawn: u64,
    live: u64,
    until: u64,
    /// Of a match of the member's with the live entry.
    receipt: String,
}

fn signal(kind: v1::SignalKind, value: &str) -> v1::Signal {
    v1::Signal { kind: kind.into(), value: value.to_owned(), quality: None }
}

/// A hub with one live entry of five kinds, a withdrawn one, and a key that was revoked.
async fn stopped() -> Stopped {
    let hub = TestHub::start().await;
    let (member, key) = hub.enrol("Contributor", "NZ", &[Role::Contributor]).await;
    let client = hub.client(&key);
    let mut ids = Vec::new();
    let until: Timestamp = "2027-11-22T00:00:00Z".parse().unwrap();
    for name in ["withdrawn", "live"] {
        let mut item = draft(vec![
            pdq(ids.len() as u64),
            signal(v1::SignalKind::Phash, "0102030405060708"),
            signal(v1::SignalKind::Dhash, "1112131415161718"),
            signal(v1::SignalKind::Md5, &"ab".repeat(16)),
            signal(v1::SignalKind::Sha256, &"cd".repeat(32)),
        ]);
        item.provenance.as_mut().unwrap().valid_until = Some(hashcommons::wire::timestamp(until));
        let answer = client.contributions().contribute(contribution(name, item)).await.unwrap().into_inner();
        let Some(v1::contribute_response::Outcome::Accepted(accepted)) = answer.outcome else { panic!("{answer:?}") };
        ids.push(accepted.entry_id);
    }
    let mut receipt = String::new();
    for _ in 0..2 {
        let found = client.checks().check(check_of([pdq(1)])).await.unwrap().into_inner().matches;
        receipt = found.into_iter().find(|found| found.entry.as_ref().unwrap().entry_id == ids[1]).unwrap().receipt;
    }
    client.contributions().withdraw(v1::WithdrawRequest { entry_id: ids[0], reason: 0 }).await.unwrap();
    let revoke = v1::RevokeKeyRequest { key_id: key.id().to_string() };
    hub.admin().admin().revoke_key(revoke).await.unwrap();
    // Which is counted, and, as names are among what it shows, an event.
    let follow = v1::FollowRequest { from: 0, until_now: true, incident_first: false };
    let mut feed = hub.admin().ledger().follow(follow).await.unwrap().into_inner();
    while feed.message().await.unwrap().is_some() {}
    // So that the tree is a whole one.
    for _ in 0..4 {
        let request = v1::IssueKeyRequest { member_id: member.clone(), ..Default::default() };
        hub.admin().admin().issue_key(request).await.unwrap();
    }
    drop(client);
    let directory = hub.stop().await;
    let families = read_all(&directory.path().join("rocksdb"));
    let key = key.reveal().to_owned();
    Stopped { directory, families, member, key, withdrawn: ids[0], live: ids[1], until: until.millis(), receipt }
}

/// Every row of every family.
fn read_all(path: &Path) -> BTreeMap<String, Rows> {
    let names = DB::list_cf(&Options::default(), path).unwrap();
    let db = DB::open_cf_for_read_only(&Options::default(), path, &names, false).unwrap();
    let rows = |name: &str| {
        let rows = db.iterator_cf(db.cf_handle(name).unwrap(), IteratorMode::Start);
        rows.map(|row| row.map(|(key, value)| (key.into_vec(), value.into_vec())).unwrap()).collect()
    };
    names.iter().map(|name| (name.clone(), rows(name))).collect()
}

/// The rows of a table of the page: every line's cells, from the line after the one that begins with `head`.
fn table(head: &str) -> Vec<Vec<String>> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/storage.md")).unwrap();
    let lines =
        page.lines().skip_while(|line| !line.starts_with(head)).skip(2).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
    let rows: Vec<_> = lines.map(cells).collect();
    assert!(!rows.is_empty(), "the page has no table `{head}`");
    rows
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    parts.iter().fold(Sha256::new(), |state, part| state.chain_update(part)).finalize().into()
}

fn index(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(bytes.try_into().unwrap())
}

#[cfg(unix)]
#[tokio::test]
async fn the_directory_holds_the_documented_files_with_the_documented_modes() {
    use std::os::unix::fs::PermissionsExt;
    let hub = stopped().await;
    let path = hub.directory.path();
    let documented = table("| file ");
    let names: BTreeSet<_> = documented.iter().map(|row| row[0].trim_end_matches('/').to_owned()).collect();
    let found: BTreeSet<_> =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(found, names);
    for row in documented.iter().filter(|row| row[1].parse::<u32>().is_ok()) {
        let mode = std::fs::metadata(path.join(&row[0])).unwrap().permissions().mode() & 0o777;
        assert_eq!(format!("{mode:o}"), row[1], "{}", row[0]);
    }
    let read = |name: &str| std::fs::read_to_string(path.join(name)).unwrap();
    assert_eq!(read("FORMAT"), "hashcommons data, format 1\n");
    assert_eq!(read("LOCK"), "");
    assert_eq!(read("admin.key").len(), 53);
    let secret = data_encoding::BASE64.decode(read("api-keys.secret").trim_end().as_bytes()).unwrap();
    assert_eq!(secret.len(), 32);
    let (public, private) = (read("ledger.pub"), read("ledger.key"));
    let id = |name: &str, key: &[u8]| data_encoding::HEXLOWER.encode(&sha256(&[name.as_bytes(), b"\n", key])[..4]);
    let fields: Vec<_> = public.trim_end().splitn(3, '+').collect();
    let key = data_encoding::BASE64.decode(fields[2].as_bytes()).unwrap();
    assert_eq!((fields[0], fields[1], key[0], key.len()), ("test.example/ledger", &*id(fields[0], &key), 1, 33));
    assert!(private.starts_with(&format!("PRIVATE+KEY+{}+{}+", fields[0], fields[1])));
}

#[tokio::test]
async fn every_family_is_documented_and_holds_rows_of_the_documented_form() {
    let hub = stopped().await;
    let documented: BTreeSet<_> =
        table("| family ").iter().map(|row| row[0].clone()).chain(["default".to_owned()]).collect();
    assert_eq!(hub.families.keys().cloned().collect::<BTreeSet<_>>(), documented);
    let family = |name: &str| &hub.families[name];
    assert!(family("default").is_empty());

    // Entries: when a live one ends, event and time of a withdrawal.
    let entries = family("entries");
    let keys: Vec<_> = entries.keys().map(|key| index(key)).collect();
    assert_eq!(keys, [hub.withdrawn, hub.live]);
    let live = fields(&entries[&hub.live.to_be_bytes().to_vec()]);
    assert_eq!((live.len(), number(&live, 2)), (1, hub.until));
    let withdrawal = fields(&bytes(&fields(&entries[&hub.withdrawn.to_be_bytes().to_vec()]), 1));
    let event = number(&withdrawal, 1);
    let events = family("events");
    assert_eq!(number(&fields(&bytes(&fields(&events[&event.to_be_bytes().to_vec()]), 3)), 1), number(&withdrawal, 2));

    // History: the withdrawal. What standing rests on: a contributor's trust.
    let rows = |key: Vec<u8>| Rows::from([(key, vec![])]);
    assert_eq!(*family("history"), rows([hub.withdrawn.to_be_bytes(), event.to_be_bytes()].concat()));
    let register: Vec<_> = family("register").keys().map(|key| (key[0], key.len())).collect();
    assert_eq!(register, [(b't', 6)]);
    assert!(["attention", "appeals", "benign"].iter().all(|name| family(name).is_empty()));

    // Signals: the withdrawn entry's are gone.
    let of = |kind: u8, value: &[u8]| [&[kind], value, &hub.live.to_be_bytes()].concat();
    let pdq = data_encoding::HEXLOWER.decode(pdq(1).value.as_bytes()).unwrap();
    let expected = [
        of(1, &pdq),
        of(2, &[1, 2, 3, 4, 5, 6, 7, 8]),
        of(3, &[0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18]),
        of(4, &[0xab; 16]),
        of(5, &[0xcd; 32]),
    ];
    assert_eq!(family("signals").keys().cloned().collect::<Vec<_>>(), expected);
    assert_eq!(expected.each_ref().map(Vec::len), [41, 17, 17, 25, 41]);
    assert!(family("signals").values().all(|value| index(value) == hub.until));

    // Members and keys: under their ids, as they stand now.
    let base32 = |id: &str| data_encoding::BASE32_NOPAD.decode(id[2..].to_uppercase().as_bytes()).unwrap();
    let member = base32(&hub.member);
    let row = fields(&family("members")[&member]);
    assert_eq!((bytes(&row, 1), bytes(&row, 2)), (member.clone(), b"Contributor".to_vec()));
    let key_id = data_encoding::BASE32_NOPAD.decode(hub.key[4..12].to_uppercase().as_bytes()).unwrap();
    let row = fields(&family("keys")[&key_id]);
    assert_eq!((bytes(&row, 1), bytes(&row, 2)), (key_id, member.clone()));
    assert!(number(&row, 8) > 0, "it was revoked");
    let secret = std::fs::read_to_string(hub.directory.path().join("api-keys.secret")).unwrap();
    let secret = data_encoding::BASE64.decode(secret.trim_end().as_bytes()).unwrap();
    let mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap().chain_update(&hub.key).finalize().into_bytes();
    assert_eq!(bytes(&row, 5), mac.to_vec());

    // Receipts: two matches in an hour, and what they are told by.
    let hour = "2026-11-22T12:00:00Z".parse::<Timestamp>().unwrap().millis();
    let met = |count: u64| {
        let key = [&hub.live.to_be_bytes()[..], &member, &hour.to_be_bytes()].concat();
        Rows::from([(key, count.to_be_bytes().to_vec())])
    };
    assert_eq!(*family("receipts"), met(2));
    let body = [&[1], &hub.live.to_be_bytes()[..], &((hour / 3_600_000) as u32).to_be_bytes()].concat();
    let mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    let mac = mac.chain_update(b"hashcommons/v1/match\n").chain_update(&member).chain_update(&body);
    let receipt = [&body[..], &mac.finalize().into_bytes()[..17]].concat();
    assert_eq!(hub.receipt, format!("hcm_{}", data_encoding::BASE32_NOPAD.encode(&receipt).to_lowercase()));
    let reversal = (event.to_be_bytes().to_vec(), hub.withdrawn.to_be_bytes().to_vec());
    assert_eq!(*family("reversals"), Rows::from([reversal]));

    // Requests: the digest of member and request id leads to the event.
    let mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    let mac = mac.chain_update(b"hashcommons/v1/request\n").chain_update(&member).chain_update(b"live");
    assert_eq!(index(&family("requests")[&mac.finalize().into_bytes().to_vec()]), hub.live);
    assert_eq!(family("requests").len(), 2);

    // Audit: what is about members, keys, rules and incidents, and when it happened.
    let administrative = events.iter().filter_map(|(key, value)| {
        let event = fields(&bytes(&fields(value), 3));
        // Contributions, withdrawals, and what matches came to.
        let is_of_entries = event.iter().any(|(tag, _)| [4, 5, 40].contains(tag));
        (!is_of_entries).then(|| (key.clone(), number(&event, 1).to_be_bytes().to_vec()))
    });
    assert_eq!(*family("audit"), administrative.collect::<Rows>());

    // Reads: what the operator was opened as a follower, of events and, with the enrolments, of names.
    let operator = bytes(&fields(&bytes(&fields(&bytes(&fields(&events[&0_u64.to_be_bytes().to_vec()]), 3)), 6)), 1);
    let row = |kind: u8, count: u64| ([b"2026-11-22", &operator[..], &[kind]].concat(), count.to_be_bytes().to_vec());
    // The hub's own founding, and the member's two contributions and withdrawal; not what the operator did itself.
    assert_eq!(*family("reads"), Rows::from([row(2, 3 + 3), row(3, 2)]));

    let meta = family("meta");
    assert_eq!(
        meta.keys().collect::<Vec<_>>(),
        [&b"checkpoint".to_vec(), &b"fold_version".to_vec(), &b"folded".to_vec()]
    );
    assert_eq!(index(&meta[&b"folded".to_vec()]), events.len() as u64);
}

#[tokio::test]
async fn the_tree_is_the_hash_of_the_leaves_that_the_events_commit_to() {
    let hub = stopped().await;
    let (events, tree) = (&hub.families["events"], &hub.families["tree"]);
    let mut level: Vec<[u8; 32]> = Vec::new();
    for (expected, (key, value)) in events.iter().enumerate() {
        assert_eq!(index(key), expected as u64);
        let row = fields(value);
        assert_eq!((bytes(&row, 1).len(), bytes(&row, 2).len()), (0, 32));
        let commitment = sha256(&[b"hashcommons/v1/leaf\n", &bytes(&row, 2), &bytes(&row, 3)]);
        level.push(sha256(&[&[0], &[1], &commitment]));
    }
    // Operator, its two keys, member, two approvals, its key, two entries, a withdrawal, a revocation, that names were shown, four keys,
    // and how many matches there were.
    assert_eq!(level.len(), 17);
    let mut nodes = 0;
    for height in 0_u8..=4 {
        for (index, hash) in level.iter().enumerate() {
            let key = [&[height][..], &(index as u64).to_be_bytes()].concat();
            assert_eq!(tree[&key], hash, "level {height}, index {index}");
            nodes += 1;
        }
        level = level.chunks_exact(2).map(|pair| sha256(&[&[1], &pair[0], &pair[1]])).collect();
    }
    assert_eq!(tree.len(), nodes);
    let node = |height: u8, index: u64| &tree[&[&[height][..], &index.to_be_bytes()].concat()][..];
    let root = sha256(&[&[1], node(4, 0), node(0, 16)]);
    let checkpoint = std::str::from_utf8(&hub.families["meta"][&b"checkpoint".to_vec()]).unwrap();
    let lines: Vec<_> = checkpoint.lines().take(3).collect();
    assert_eq!(lines, ["test.example/ledger", "17", &data_encoding::BASE64.encode(&root)]);
}
