//! `hashcommons mirror`, killed again and again.

use std::process::Stdio;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::process::run;
use crate::site::Site;

const ROUNDS: usize = 6;
const ITEMS: usize = 40;

#[test]
fn a_mirror_that_is_killed_at_any_moment_goes_on_and_ends_with_the_same_file() {
    let site = Site::new();
    let mut rng = StdRng::seed_from_u64(8);
    let made = run(&["bench", "entries", "--count", &(ROUNDS * ITEMS).to_string(), "--json"]).stdout;
    let lines: Vec<_> = made.lines().collect();
    assert_eq!(lines.len(), ROUNDS * ITEMS);
    for items in lines.chunks(ITEMS) {
        let mut mirror = site.command("member.key");
        let mut mirror =
            mirror.args(["mirror", "killed.ndjson", "--save-every", "1"]).stdout(Stdio::null()).spawn().unwrap();
        site.write("items.ndjson", items.join("\n"));
        let imported = site.ran(&["import", "items.ndjson"]);
        assert_eq!(imported.code, 0, "{imported:?}");
        std::thread::sleep(Duration::from_millis(rng.random_range(0..2_000)));
        mirror.kill().unwrap();
        mirror.wait().unwrap();
        // Whatever moment that was: a file that is there is whole.
        if let Ok(text) = std::fs::read_to_string(site.path("killed.ndjson")) {
            assert!(text.ends_with('\n') && text.starts_with("{\"mirror\":1,"), "{text}");
        }
    }
    for name in ["killed.ndjson", "whole.ndjson"] {
        let mirrored = site.ran(&["mirror", name, "--until-now", "--json"]);
        assert_eq!(mirrored.code, 0, "{mirrored:?}");
    }
    let whole = site.read("whole.ndjson");
    assert_eq!(site.read("killed.ndjson"), whole);
    assert_eq!(whole.lines().count(), 1 + ROUNDS * ITEMS);
    // Nothing is left lying about, and what is complete is left alone.
    let names =
        std::fs::read_dir(site.path(".")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<_> = names.filter(|name| name.starts_with(".mirror-")).collect();
    assert!(left.len() <= ROUNDS, "{left:?}");
    let again = site.ran(&["mirror", "whole.ndjson", "--until-now", "--json"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, ""));
}
