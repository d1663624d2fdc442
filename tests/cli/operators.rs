//! What operators are spared: locking themselves out unasked, members enrolled by half, lists that do not tell what is live.

use std::time::Duration;

use hashcommons::domain::{Clock, SystemClock};

use crate::site::Site;

const ADMIN: &str = "hub/admin.key";

fn id(site: &Site, file: &str) -> String {
    format!("k-{}", &site.read(file)[4..12])
}

#[test]
fn nobody_takes_their_own_key_or_one_of_the_first_start_away_unasked() {
    let site = Site::new();
    let (own, other) = (id(&site, ADMIN), id(&site, "hub/admin-2.key"));
    let since = ["--since", "2026-01-01T00:00:00Z"];
    for (arguments, words) in [
        (vec!["key", "revoke", &own], "the key that you do this with"),
        (vec!["key", "revoke", &other], "a key of the first start"),
        ([&["key", "compromised", &own], &since[..]].concat(), "the key that you do this with"),
        ([&["key", "compromised", &other], &since[..]].concat(), "a key of the first start"),
        (vec!["member", "set", "Operator", "--status", "suspended", "--reason", "abuse"], "you lock yourself out"),
    ] {
        let ran = site.ran_by(ADMIN, &arguments);
        assert!(ran.code == 2 && ran.stderr.contains(words) && ran.stderr.contains("--yes"), "{arguments:?}: {ran:?}");
    }
    assert_eq!(site.ran_by(ADMIN, &["key", "list", "--member", "Operator"]).stdout.matches("  live  ").count(), 2);
    // Members' keys go without a question: it may be urgent.
    assert_eq!(site.ran_by(ADMIN, &["key", "revoke", &id(&site, "member.key")]).code, 0);
    let ran = site.ran_by(ADMIN, &[&["key", "compromised", &own, "--yes"], &since[..]].concat());
    assert!(ran.code == 0 && ran.stderr.contains(&format!("hashcommons key entries {own}")), "{ran:?}");
    assert_eq!(site.ran_by(ADMIN, &["key", "list"]).code, 2);
    let list = site.ran_by("hub/admin-2.key", &["key", "list"]).stdout;
    let states: Vec<_> = list.lines().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(states.iter().filter(|state| **state == "REVOKED").count(), 1, "{list}");
    assert_eq!(states.iter().filter(|state| **state == "COMPROMISED").count(), 1, "{list}");
    assert_eq!(states.iter().filter(|state| **state == "live").count(), 1, "{list}");
}

#[test]
fn keys_that_end_soon_are_those_that_are_listed_when_asked_for() {
    let site = Site::new();
    let in_days = |days: u64| SystemClock.now().plus(Duration::from_hours(24 * days)).to_string();
    for (label, days) in [("soon", 20), ("later", 40), ("gone", 20)] {
        let file = format!("{label}.key");
        let issue = ["key", "issue", "Member", "--label", label, "--expires", &in_days(days), "--out", &file];
        assert_eq!(site.ran_by(ADMIN, &issue).code, 0);
    }
    assert_eq!(site.ran_by(ADMIN, &["key", "revoke", &id(&site, "gone.key")]).code, 0);
    let list = site.ran_by(ADMIN, &["key", "list", "--expires-within", "30"]).stdout;
    assert!(list.starts_with(&id(&site, "soon.key")) && list.lines().count() == 1, "{list}");
    let json = site.ran_by(ADMIN, &["key", "list", "--expires-within", "30", "--json"]).json();
    assert_eq!(json[0]["keys"].as_array().unwrap().len(), 1);
}

#[test]
fn an_enrolment_that_waits_for_a_second_person_succeeds_and_says_that_there_is_no_key_yet() {
    let site = Site::new();
    let enrol = ["member", "enrol", "--name", "New", "--jurisdiction", "NZ", "--to", "contributor", "--checked", "all"];
    let ran = site.ran_by(ADMIN, &[&enrol[..], &["--key-out", "new.key"]].concat());
    assert!(ran.code == 0 && ran.stderr.contains("no key yet, and no new.key"), "{ran:?}");
    assert!(ran.stdout.contains("a second person has to approve it"), "{ran:?}");
    assert!(!site.path("new.key").exists());
}

#[test]
fn a_checklist_with_gaps_enrols_nobody() {
    let site = Site::new();
    let enrol = ["member", "enrol", "--name", "New", "--jurisdiction", "NZ", "--to", "checker", "--checked", "contact"];
    let ran = site.ran_by(ADMIN, &enrol);
    assert!(ran.code == 2 && ran.stderr.contains("checker needs data-protection as well"), "{ran:?}");
    assert!(!site.ran_by(ADMIN, &["member", "list"]).stdout.contains("New"));
}

#[test]
fn a_suspended_member_is_not_sent_for_another_key() {
    let site = Site::new();
    let check = ["check", "--signal", "md5:00112233445566778899aabbccddeeff"];
    let refused = site.ran_by(ADMIN, &check);
    assert!(refused.stderr.contains("for a key with that role"), "{refused:?}");
    let set = ["member", "set", "Member", "--status", "suspended", "--reason", "abuse"];
    assert_eq!(site.ran_by(ADMIN, &set).code, 0);
    let refused = site.ran(&check);
    assert!(refused.stderr.contains("suspended") && !refused.stderr.contains("for a key"), "{refused:?}");
}
