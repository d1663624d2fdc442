//! `hash --out`: folders in, a file for `import` out, and a journal of what became of each file.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::pictures::{Desk, draw};
use crate::site::{PROVENANCE, Site};

/// A folder with pictures and other things, and what becomes of each.
const FILES: [(&str, &str); 6] = [
    ("in/1.png", "hashed"),
    ("in/2/cut.png", "damaged"),
    ("in/2/same.png", "hashed"),
    ("in/3.png", "hashed"),
    ("in/flat.png", "too-featureless"),
    ("in/notes", "unknown-format"),
];

fn fill(path: impl Fn(&str) -> std::path::PathBuf) {
    std::fs::create_dir_all(path("in/2")).unwrap();
    draw(&path("in/1.png"), 1, 40);
    draw(&path("in/2/same.png"), 1, 40);
    draw(&path("in/3.png"), 3, 40);
    std::fs::write(path("in/2/cut.png"), &std::fs::read(path("in/1.png")).unwrap()[..200]).unwrap();
    image::GrayImage::from_pixel(32, 32, image::Luma([90])).save(path("in/flat.png")).unwrap();
    std::fs::write(path("in/notes"), "text").unwrap();
}

fn export<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["hash", "in", "--out", "items"], &PROVENANCE[..], more].concat()
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

#[test]
fn what_a_folder_is_made_into_is_imported_and_every_picture_is_found() {
    let site = Site::new();
    fill(|name| site.path(name));
    let ran = site.ran(&export(&["--json"]));
    assert_eq!(ran.code, 1, "{ran:?}");
    let facts = &ran.json()[0];
    for (name, count) in [("files", 6), ("hashed", 3), ("items", 3), ("failed", 1), ("new_files", 6)] {
        assert_eq!(facts[name], count, "{name}: {facts}");
    }
    let expected: BTreeMap<_, _> =
        [("hashed", 3), ("damaged", 1), ("too-featureless", 1), ("unknown-format", 1)].into();
    assert_eq!(facts["outcomes"], serde_json::json!(expected), "{facts}");
    assert_eq!((&facts["out"], &facts["journal"]), (&"items".into(), &"items.files".into()));

    // Two files with the same bytes are one item.
    let imported = site.ran(&["import", "items", "--json"]);
    assert_eq!(imported.code, 0, "{imported:?}");
    let counts =
        ["lines", "imported", "already_there", "rejected"].map(|name| imported.json()[0][name].as_u64().unwrap());
    assert_eq!(counts, [3, 2, 1, 0]);
    for (file, outcome) in FILES {
        if outcome == "hashed" {
            let found = site.ran(&["check", file, "--json"]);
            assert_eq!(found.code, 0, "{found:?}");
            let entry = &found.json()[0]["matches"][0]["entry"];
            assert_eq!(entry["labels"][0], "glorification", "{found:?}");
        }
    }
}

#[test]
fn the_journal_has_each_file_in_order_with_its_outcome_and_its_line() {
    let desk = Desk::new();
    fill(|name| desk.path(name));
    let ran = desk.ran(&export(&[]));
    assert_eq!(ran.code, 1, "{ran:?}");
    for words in [
        "6 files: 3 hashed, 1 too featureless, 1 damaged, 1 of unknown format\n",
        "  damaged: in/2/cut.png\n",
        "3 items for `hashcommons import`: items; what became of each file: items.files\n",
    ] {
        assert!(ran.stdout.contains(words), "`{words}` is not in {ran:?}");
    }
    let (items, journal) = (desk.read("items"), lines(&desk.read("items.files")));
    let records = &journal[1..journal.len() - 1];
    let told: Vec<_> =
        records.iter().map(|record| (record["file"].as_str().unwrap(), record["outcome"].as_str().unwrap())).collect();
    assert_eq!(told, FILES);
    assert_eq!(journal.last().unwrap(), &serde_json::json!({ "complete": true }));
    let mut begin = 0;
    for (record, (file, outcome)) in records.iter().zip(FILES) {
        assert_eq!(record["bytes"], desk.read(file).len(), "{record}");
        assert_eq!(record["error"].is_string(), !matches!(outcome, "hashed" | "too-featureless"), "{record}");
        if outcome != "hashed" {
            assert!(record.get("line").is_none() && record.get("end").is_none(), "{record}");
            continue;
        }
        let end = record["end"].as_u64().unwrap() as usize;
        let line: Value = serde_json::from_slice(&items[begin..end]).unwrap();
        assert_eq!(items[..end].iter().filter(|byte| **byte == b'\n').count() as u64, record["line"].as_u64().unwrap());
        let printed = desk.ran(&["hash", file, "--json"]).json();
        assert_eq!(line["signals"], printed[0]["signals"], "{file}");
        assert_eq!(line["signals"].as_array().unwrap().len(), 5);
        assert_eq!((&line["labels"][0], &line["provenance"]["confidence"]), (&"glorification".into(), &90.into()));
        begin = end;
    }
    assert_eq!(begin, items.len());
    for name in ["items", "items.files"] {
        // It holds hashes.
        assert_eq!(std::fs::metadata(desk.path(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn flags_that_are_not_as_they_must_be_are_told_before_anything_is_hashed() {
    let desk = Desk::new();
    fill(|name| desk.path(name));
    let without = |flag: &str| {
        let at = PROVENANCE.iter().position(|other| *other == flag).unwrap();
        [&["hash", "in", "--out", "items"], &PROVENANCE[..at], &PROVENANCE[at + 2..]].concat()
    };
    let with = |flag: &'static str, value: &'static str| [without(flag), vec![flag, value]].concat();
    for (arguments, words) in [
        (vec!["hash", "in", "--out", "items"], "--label <CODE>"),
        (without("--tlp"), "--tlp <TLP>"),
        (vec!["hash", "in", "--restart"], "--out <FILE>"),
        (vec!["hash", "in", "--content-type", "x"], "--out <FILE>"),
        (vec!["hash", "in", "--action-max", "review"], "--out <FILE>"),
        (export(&["--dihedral"]), "cannot be used with"),
        (with("--label", "glorificatoin"), "labels[0]: unknown code `glorificatoin`: must be one of imminent-"),
        (with("--basis", "incident"), "provenance.basis.incident: is required by this basis"),
        (with("--confidence", "101"), "provenance.confidence: must be 0 to 100, got 101"),
        (with("--tlp", "TLP:BLUE"), "provenance.tlp: "),
        (export(&["--content-type", "nonsense"]), "provenance.content_types[0]: unknown code `nonsense`"),
        (export(&["--valid-until", "2020-01-01T00:00:00Z"]), "provenance.valid_until: must be in the future"),
        (export(&["--government-order", "FR"]), "--government-order: must be STATE:YYYY-MM-DD"),
    ] {
        let ran = desk.ran(&arguments);
        assert!(ran.code == 2 && ran.stderr.contains(words), "{arguments:?}: {ran:?}");
    }
    assert!(!desk.path("items").exists() && !desk.path("items.files").exists());
}

#[test]
fn a_file_that_was_not_made_by_hash_is_never_overwritten() {
    let desk = Desk::new();
    fill(|name| desk.path(name));
    desk.write("items", "mine\n");
    for more in [&[][..], &["--restart"]] {
        let ran = desk.ran(&export(more));
        assert!(ran.code == 2 && ran.stderr.contains("items exists, and no items.files beside it"), "{ran:?}");
        assert!(!desk.path("items.files").exists());
    }
    desk.write("items.files", "{\"made_by\":\"somebody else\"}\n");
    for more in [&[][..], &["--restart"]] {
        let ran = desk.ran(&export(more));
        assert!(ran.code == 2 && ran.stderr.contains("items.files is not what `hash --out` leaves"), "{ran:?}");
    }
    desk.write("items.files", "{\"made_by\":\"hash");
    let ran = desk.ran(&export(&[]));
    assert!(ran.code == 2 && ran.stderr.contains("items.files has lost its beginning"), "{ran:?}");
    assert_eq!(desk.read("items"), b"mine\n");
}

#[test]
fn a_file_is_gone_on_with_by_the_same_command_alone_and_restart_begins_it_anew() {
    let desk = Desk::new();
    fill(|name| desk.path(name));
    assert_eq!(desk.ran(&export(&[])).code, 1);
    let before = (desk.read("items"), desk.read("items.files"));
    let other = |flag: &str, value: &'static str| {
        let mut arguments = export(&[]);
        let at = arguments.iter().position(|argument| *argument == flag).unwrap();
        arguments[at + 1] = value;
        arguments
    };
    std::fs::create_dir_all(desk.path("elsewhere/in")).unwrap();
    let mut elsewhere = desk.command(&other("--out", "../items"));
    for (ran, words) in [
        (desk.ran(&other("hash", "in/2")), "with other paths"),
        (desk.ran(&other("--label", "graphic-violence")), "with other labels"),
        (desk.ran(&other("--confidence", "91")), "with other flags"),
        (elsewhere.current_dir(desk.path("elsewhere")).output().unwrap().into(), "in another directory"),
    ] {
        assert!(ran.code == 2 && ran.stderr.contains(words) && ran.stderr.contains("--restart"), "{ran:?}");
    }
    assert_eq!((desk.read("items"), desk.read("items.files")), before);

    // Changed by hand: a line is gone.
    let cut = before.0.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    desk.write("items", [&b"{}\n"[..], &before.0[cut..]].concat());
    let ran = desk.ran(&export(&[]));
    assert!(ran.code == 2 && ran.stderr.contains("items was changed since"), "{ran:?}");

    let ran = desk.ran(&[other("--confidence", "91"), vec!["--restart"]].concat());
    assert_eq!(ran.code, 1, "{ran:?}");
    let items = lines(&desk.read("items"));
    assert!(items.len() == 3 && items.iter().all(|item| item["provenance"]["confidence"] == 91), "{items:?}");
    assert_eq!(desk.ran(&export(&["--restart"])).code, 1);
    assert_eq!((desk.read("items"), desk.read("items.files")), before);
}

#[test]
fn complete_it_changes_nothing_and_takes_up_only_what_is_new() {
    let desk = Desk::new();
    fill(|name| desk.path(name));
    let inside =
        |more: &[&'static str]| [&["hash", "in", "--out", "in/items", "--json"], &PROVENANCE[..], more].concat();
    let counts = |arguments: &[&str]| {
        let ran = desk.ran(arguments);
        assert_eq!(ran.code, 1, "{ran:?}");
        ["files", "items", "new_files"].map(|name| ran.json()[0][name].as_u64().unwrap())
    };
    // The two files themselves are in the folder, and are not tried.
    assert_eq!(counts(&inside(&[])), [6, 3, 6]);
    let before = (desk.read("in/items"), desk.read("in/items.files"));
    assert_eq!(counts(&inside(&[])), [6, 3, 0]);
    assert_eq!((desk.read("in/items"), desk.read("in/items.files")), before);

    desk.draw("in/0.png", 10, 40);
    desk.write("in/zero", "text");
    assert_eq!(counts(&inside(&[])), [8, 4, 2]);
    let (items, journal) = (desk.read("in/items"), lines(&desk.read("in/items.files")));
    assert!(items.starts_with(&before.0));
    let names: Vec<_> = journal[journal.len() - 3..].iter().map(|record| record["file"].as_str()).collect();
    assert_eq!(names, [Some("in/0.png"), Some("in/zero"), None]);
}

#[test]
fn a_file_that_is_named_twice_is_one_item() {
    let desk = Desk::new();
    fill(|name| desk.path(name));
    let ran =
        desk.ran(&[&["hash", "in/1.png", "in", "in/1.png", "--out", "items", "--json"], &PROVENANCE[..]].concat());
    assert_eq!(["files", "items"].map(|name| ran.json()[0][name].as_u64().unwrap()), [6, 3], "{ran:?}");
}
