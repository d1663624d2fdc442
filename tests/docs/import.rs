//! The examples of `docs/import.md` go through the real import into a real hub, and the page's table of fields is complete.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::TestHub;
use hashcommons::domain::{Draft, Fact, Role};
use hashcommons::ledger::record::decode_event;
use hashcommons::store::StoredEvent;
use serde_json::Value;

const ITEMS: u64 = 5;

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)
}

/// Runs `hashcommons import`; gives the exit code and what it says at its end.
async fn import(hub: &TestHub, key: &str, file: &Path) -> (i32, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hashcommons"));
    command.args(["import", "--json", "--hub", &hub.url(), "--key", key]).arg(file);
    // No profile of whoever runs the tests.
    command.env_remove("HASHCOMMONS_PROFILE").env_remove("HASHCOMMONS_KEY_FILE").env("XDG_CONFIG_HOME", "/nonexistent");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let json = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), json)
}

/// What was contributed, in the order of the ledger.
fn contributed(hub: &TestHub) -> Vec<Draft> {
    let events = hub.running().use_cases().unwrap().store.events(0).unwrap();
    let drafts = events.filter_map(|row| match row.unwrap().1 {
        StoredEvent::Open { event, .. } => match decode_event(&event).unwrap().fact {
            Fact::Contributed { draft, .. } => Some(draft),
            _ => None,
        },
        StoredEvent::Erased { .. } => None,
    });
    drafts.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_examples_are_imported_whole_and_say_the_same_of_their_items() {
    let hub = TestHub::start().await;
    // Of which one of the examples is.
    hub.operators().open_incident("2026-11-harbour").await;
    let (_, key) = hub.enrol("Contributor", "NZ", &[Role::Contributor]).await;
    let folder = tempfile::tempdir().unwrap();
    for name in ["items.ndjson", "items.csv"] {
        let file = folder.path().join(name);
        std::fs::copy(docs("examples").join(name), &file).unwrap();
        let (code, end) = import(&hub, key.reveal(), &file).await;
        assert_eq!((code, &end["imported"], &end["rejected"]), (0, &ITEMS.into(), &0.into()), "{name}: {end}");
        let (code, end) = import(&hub, key.reveal(), &file).await;
        assert_eq!((code, &end["imported"], &end["already_there"]), (0, &0.into(), &ITEMS.into()), "{name}: {end}");
    }
    let drafts = contributed(&hub);
    let (ndjson, csv) = drafts.split_at(ITEMS as usize);
    assert_eq!(csv.len(), ITEMS as usize);
    for (ndjson, csv) in ndjson.iter().zip(csv) {
        let mut provenance = ndjson.provenance().clone();
        // CSV has no column for it.
        provenance.government_order = None;
        assert_eq!((ndjson.labels(), &provenance), (csv.labels(), csv.provenance()));
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_example_with_a_spoilt_line_has_that_line_set_aside_with_its_number_and_the_field() {
    let hub = TestHub::start().await;
    // Of which one of the examples is.
    hub.operators().open_incident("2026-11-harbour").await;
    let (_, key) = hub.enrol("Contributor", "NZ", &[Role::Contributor]).await;
    let folder = tempfile::tempdir().unwrap();
    for (name, good, bad) in
        [("items.ndjson", "\"confidence\":80", "\"confidence\":101"), ("items.csv", ",80,", ",101,")]
    {
        let file = folder.path().join(name);
        let text = std::fs::read_to_string(docs("examples").join(name)).unwrap();
        let at = text.lines().position(|line| line.contains(good)).unwrap() + 1;
        std::fs::write(&file, text.replace(good, bad)).unwrap();
        let (code, end) = import(&hub, key.reveal(), &file).await;
        assert_eq!((code, &end["imported"], &end["rejected"]), (1, &(ITEMS - 1).into(), &1.into()), "{name}: {end}");
        let set_aside = std::fs::read_to_string(folder.path().join(format!("{name}.rejected"))).unwrap();
        let set_aside: Value = serde_json::from_str(&set_aside).unwrap();
        assert_eq!(set_aside["line"], at);
        assert_eq!(set_aside["error"], "provenance.confidence: must be 0 to 100, got 101");
        assert!(set_aside["content"].as_str().unwrap().contains(bad));
    }
    hub.stop().await;
}

#[test]
fn the_pages_table_has_every_column_of_the_csv_example_and_every_field_of_the_other() {
    let page = std::fs::read_to_string(docs("import.md")).unwrap();
    let rows =
        page.lines().skip_while(|line| !line.starts_with("| NDJSON ")).skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|line| line.split('|').map(|cell| cell.trim().trim_matches('`')).collect::<Vec<_>>());
    let (mut fields, mut columns) = (BTreeSet::new(), BTreeSet::new());
    for row in cells {
        fields.insert(row[1].to_owned());
        columns.extend(Some(row[2].to_owned()).filter(|column| column != "none"));
    }
    let csv = std::fs::read_to_string(docs("examples/items.csv")).unwrap();
    assert_eq!(columns, csv.lines().next().unwrap().split(',').map(str::to_owned).collect());

    let ndjson = std::fs::read_to_string(docs("examples/items.ndjson")).unwrap();
    let mut used = BTreeSet::from(["provenance.supersedes".to_owned()]);
    for line in ndjson.lines() {
        let item: Value = serde_json::from_str(line).unwrap();
        used.extend(item.as_object().unwrap().keys().filter(|key| *key != "provenance").cloned());
        let provenance = item["provenance"].as_object().unwrap();
        used.extend(provenance.keys().filter(|key| *key != "basis").map(|key| format!("provenance.{key}")));
        used.extend(provenance["basis"].as_object().unwrap().keys().map(|key| format!("provenance.basis.{key}")));
    }
    assert_eq!(fields, used);
}
