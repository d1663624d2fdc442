//! `import`, cut off in the middle: the same command goes on, and every line is on the list exactly once.

use std::process::{Child, Stdio};
use std::time::Duration;

use crate::import::items;
use crate::process::{Ran, wait};
use crate::site::Site;

/// Large enough that an import takes longer than the note of its progress waits.
const LINES: usize = 30_000;

/// A file with one bad line in the middle, so that what was set aside must survive as well.
fn write_items(site: &Site) {
    let mut lines = items(site, LINES, 7);
    lines.insert(3, "bad".to_owned());
    site.write("items.ndjson", lines.join("\n"));
}

/// Starts an import and waits until it has noted some progress, or is done.
fn begin(site: &Site) -> Child {
    let mut command = site.command("member.key");
    command.args(["import", "items.ndjson", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut importer = command.spawn().unwrap();
    while !site.path("items.ndjson.import-state").exists() {
        assert!(importer.try_wait().unwrap().is_none(), "it ended before anything could interrupt it");
        std::thread::sleep(Duration::from_millis(2));
    }
    importer
}

/// That the last run ended with every line on the list once.
fn is_complete(site: &Site, ran: &Ran) {
    assert_eq!(ran.code, 1, "{ran:?}");
    let facts = &ran.json()[0];
    assert_eq!((&facts["lines"], &facts["rejected"]), (&(LINES as u64 + 1).into(), &1.into()), "{facts}");
    let answered = facts["imported"].as_u64().unwrap() + facts["already_there"].as_u64().unwrap();
    assert_eq!(answered, LINES as u64, "{facts}");
    assert_eq!(site.events("contributed"), LINES);
    assert_eq!(site.read("items.ndjson.rejected").lines().count(), 1);
    assert!(!site.path("items.ndjson.import-state").exists());
}

#[test]
fn an_importer_killed_in_the_middle_goes_on_and_every_line_is_there_once() {
    let site = Site::new();
    write_items(&site);
    let mut importer = begin(&site);
    importer.kill().unwrap();
    wait(&mut importer);
    assert!(site.events("contributed") < LINES, "it was done before it was killed");
    // A line more: it is another file.
    let text = site.read("items.ndjson");
    site.write("items.ndjson", format!("{text}\n"));
    let refused = site.ran(&["import", "items.ndjson"]);
    assert!(refused.code == 2 && refused.stderr.contains("--restart"), "{refused:?}");
    // As long, but another; and the same, but for another hub.
    site.write("items.ndjson", text.replacen('{', "[", 1));
    let refused = site.ran(&["import", "items.ndjson"]);
    assert!(refused.code == 2 && refused.stderr.contains("is another file"), "{refused:?}");
    let elsewhere = Site::new();
    elsewhere.write("items.ndjson", &text);
    elsewhere.write("items.ndjson.import-state", site.read("items.ndjson.import-state"));
    let refused = elsewhere.ran(&["import", "items.ndjson"]);
    assert!(refused.code == 2 && refused.stderr.contains("began with another hub"), "{refused:?}");
    site.write("items.ndjson", text);
    let ran = site.ran(&["import", "items.ndjson", "--json"]);
    is_complete(&site, &ran);
    let resumed = ran.json()[0]["already_there"].as_u64().unwrap();
    assert!(resumed < LINES as u64 / 2 + 5_000, "it began anew: {ran:?}");
}

#[test]
fn an_import_whose_hub_is_killed_goes_on_when_the_hub_is_back() {
    let mut site = Site::new();
    write_items(&site);
    let importer = begin(&site);
    site.hub.kill_now();
    let ran: Ran = importer.wait_with_output().unwrap().into();
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("run the same command again and it goes on where it was"), "{ran:?}");
    site.restart();
    // From the first line, too, nothing is there twice.
    let ran = site.ran(&["import", "items.ndjson", "--json", "--restart"]);
    is_complete(&site, &ran);
    assert!(ran.json()[0]["already_there"].as_u64().unwrap() > 0, "{ran:?}");
}

#[test]
fn an_import_whose_hub_is_stopped_sets_no_line_aside_for_it() {
    let mut site = Site::new();
    write_items(&site);
    let importer = begin(&site);
    site.hub.terminate();
    let ran: Ran = importer.wait_with_output().unwrap().into();
    assert!(ran.code == 2 && ran.stderr.contains("goes on where it was"), "{ran:?}");
    assert_eq!(site.hub.wait_now(), Some(0));
    site.restart();
    let ran = site.ran(&["import", "items.ndjson", "--json"]);
    is_complete(&site, &ran);
}
