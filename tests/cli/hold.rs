//! `hold`: what operators keep from being erased, from a terminal.

use std::time::Duration;

use hashcommons::domain::{Clock, SystemClock};

use crate::site::Site;

const ADMIN: &str = "hub/admin.key";
const HASH: &str = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22";

#[test]
fn a_hold_is_placed_listed_and_lifted_by_another_person() {
    let site = Site::new();
    let entry = site.contribute(HASH, &[]).to_string();
    let until = SystemClock.now().plus(Duration::from_hours(24 * 30)).to_string();
    let terms = ["--reference", "12-O-345/26", "--authority", "Landgericht Berlin", "--until", &until];
    let place = |scope: &[&str]| site.ran_by(ADMIN, &[&["hold", "place"], scope, &terms[..]].concat());
    assert_eq!(site.ran_by(ADMIN, &["hold", "list"]).stdout, "");

    let placed = place(&["--entry", &entry]);
    assert_eq!(placed.code, 0, "{placed:?}");
    let id = placed.stdout.split_whitespace().nth(1).unwrap().to_owned();
    let words = format!("HELD until {until}");
    assert!(placed.stdout.contains(&words) && placed.stdout.contains("Landgericht Berlin (12-O-345/26)"), "{placed:?}");
    let listed = site.ran_by("hub/admin-2.key", &["hold", "list"]).stdout;
    assert!(listed.starts_with(&format!("hold {id}")) && listed.contains(&format!("entry {entry}")), "{listed}");

    // What is not as it must be says so, and nothing is placed.
    for (scope, words) in [
        (&[][..], "required"),
        (&["--entry", &entry, "--incident", "harbour"][..], "cannot be used with"),
        (&["--entry", "none"][..], "digits only"),
        (&["--entry", "999999"][..], "entry 999999: no such entry"),
        (&["--incident", "nowhere"][..], "scope.incident: there is no incident `nowhere`"),
        (&["--member", "m-aaaaaaaa"][..], "scope.member_id: there is no member m-aaaaaaaa"),
    ] {
        let ran = place(scope);
        assert!(ran.code == 2 && ran.stderr.contains(words), "{scope:?}: {ran:?}");
    }
    let member = site.ran_by("member.key", &["hold", "list"]);
    assert!(member.code == 2 && member.stderr.contains("auditor"), "{member:?}");

    let own = site.ran_by(ADMIN, &["hold", "lift", &id, "--yes"]);
    assert!(own.code == 2 && own.stderr.contains("takes another person"), "{own:?}");
    let lifted = site.ran_by("hub/admin-2.key", &["hold", "lift", &id, "--yes", "--json"]);
    assert!(lifted.code == 0 && lifted.json()[0]["hold"]["lifted"].is_string(), "{lifted:?}");
    assert_eq!(site.ran_by(ADMIN, &["hold", "list"]).stdout, "");
    let all = site.ran_by(ADMIN, &["hold", "list", "--all"]).stdout;
    assert!(all.lines().count() == 1 && all.contains("  lifted "), "{all}");
    let audit = site.ran_by(ADMIN, &["audit", "--kind", "hold-placed"]).stdout;
    assert!(audit.contains("Landgericht Berlin"), "{audit}");
}
