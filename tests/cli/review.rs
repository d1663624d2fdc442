//! `review`, `benign` and `delist`: what reviewers do from a terminal.

use crate::site::Site;

const HASH: &str = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22";
const OTHER: &str = "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff";

/// A site with `desk.key`, of a reviewer of another organisation than the member's.
fn site() -> Site {
    let site = Site::new();
    let enrol = ["member", "enrol", "--name", "Desk", "--jurisdiction", "FR", "--duty", "reviewer"];
    let enrolled = site.ran_by("hub/admin.key", &[&enrol[..], &["--key-out", "desk.key"]].concat());
    if !site.path("desk.key").exists() {
        let issued = site.ran_by("hub/admin.key", &["key", "issue", "Desk", "--out", "desk.key"]);
        assert_eq!(issued.code, 0, "{enrolled:?} {issued:?}");
    }
    site
}

fn line(hash: &str, class: &str) -> String {
    format!(
        "{{\"signals\":[{{\"kind\":\"pdq\",\"value\":\"{hash}\"}}],\"class\":\"{class}\",\"reference\":\"agency:1\"}}\n"
    )
}

#[test]
fn an_import_takes_what_is_sound_names_what_is_not_and_loses_nothing() {
    let site = site();
    let bad = ["nonsense\n", &line("f8", "news"), &line(OTHER, "luck"), "{\"signals\":[],\"class\":\"news\"}\n"];
    let text = [&line(HASH, "news"), bad[0], "\n", bad[1], bad[2], &line(OTHER, "logo"), bad[3]].concat();
    site.write("news.ndjson", &text);
    let ran = site.ran_by("desk.key", &["benign", "import", "news.ndjson"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("2 added, 0 there already, 4 set aside"), "{ran:?}");
    for words in [
        "line 2: line: expected ident",
        "line 4: signals[0].value: must be 64 hex digits, got 2",
        "line 5: class: unknown class `luck`: must be one of news, evidence, logo, flat, common",
        "line 7: signals: must be 1 to 16, got 0",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
    }
    let rejected: Vec<serde_json::Value> =
        site.read("news.ndjson.rejected").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kept: Vec<_> = rejected.iter().map(|row| format!("{}\n", row["content"].as_str().unwrap())).collect();
    assert_eq!(kept, bad);
    assert_eq!(rejected.iter().map(|row| row["line"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 4, 5, 7]);

    let again = site.ran_by("desk.key", &["benign", "import", "news.ndjson", "--json"]);
    let counts = &again.json()[0];
    assert_eq!((again.code, &counts["added"], &counts["already_there"]), (1, &0.into(), &2.into()), "{again:?}");
    assert_eq!(site.read("news.ndjson.rejected").lines().count(), 4, "they are not set aside twice");
    let listed = site.ran_by("desk.key", &["benign", "list"]);
    assert_eq!(listed.stdout.lines().count(), 2, "{listed:?}");
    assert!(!listed.stdout.contains(HASH) && listed.stdout.contains("agency:1"), "{listed:?}");
    let refused = site.ran_by("hub/admin.key", &["benign", "import", "news.ndjson"]);
    assert!(refused.code == 2 && refused.stderr.contains("reviewer"), "{refused:?}");
}

#[test]
fn a_reviewer_sees_what_waits_decides_on_it_and_is_asked_before_anything_is_reversed() {
    let site = site();
    site.write("news.ndjson", line(HASH, "news"));
    let nothing = site.ran_by("desk.key", &["review", "queue"]);
    assert_eq!((nothing.code, nothing.stdout.trim()), (1, "nothing waits"));
    assert_eq!(site.ran_by("desk.key", &["benign", "import", "news.ndjson", "--json"]).code, 0);
    let id = site.ran_by("desk.key", &["benign", "list", "--json"]).json()[0]["items"][0]["benign_id"].to_string();
    let entry = site.contribute(HASH, &["--request-id", "a"]);
    let signal = format!("pdq:{HASH}:100");
    let told =
        site.ran(&[&["contribute", "--signal", &signal, "--request-id", "a"], &crate::site::PROVENANCE[..]].concat());
    let held = "but held back: it is near a picture that is known to be benign";
    assert!(told.code == 0 && told.stdout.contains(held), "{told:?}");
    let (entry, waiting) = (entry.to_string(), site.ran_by("desk.key", &["review", "queue"]));
    assert_eq!(waiting.code, 0, "{waiting:?}");
    for words in [&format!("entry {entry}  benign-near  since "), "quarantined; supports at most log-only", "1 in all"]
    {
        assert!(waiting.stdout.contains(words), "{words}: {waiting:?}");
    }
    let own = site.ran(&["review", "queue"]);
    assert!(own.stdout.contains("of your own organisation"), "{own:?}");
    let own = site.ran(&["review", "decide", &entry, "uphold", "--reason", "evidence-sound"]);
    assert!(own.code == 2 && own.stderr.contains("own organisation"), "{own:?}");

    let decide = |ruling: &str, more: &[&str]| {
        let arguments = ["review", "decide", &entry, ruling, "--reason", "benign"];
        site.ran_by("desk.key", &[&arguments[..], more].concat())
    };
    for ruling in ["lower", "relabel", "revoke"] {
        let asked = decide(ruling, &[]);
        assert!(asked.code == 2 && asked.stderr.contains("--yes"), "{asked:?}");
    }
    let queue = site.ran_by("desk.key", &["review", "queue", "--attention", "benign-near", "--limit", "5", "--json"]);
    assert_eq!(queue.json()[0]["items"][0]["entry_id"].to_string(), entry, "nothing was decided");
    let revoked = decide("revoke", &["--yes", "--json"]);
    assert_eq!((revoked.code, &revoked.json()[0]["acts"]), (0, &true.into()), "{revoked:?}");
    let proposed = decide("reinstate", &[]);
    assert!(proposed.stdout.contains("reinstate waits for a second reviewer, for 30 days"), "{proposed:?}");
    let waiting = site.ran_by("desk.key", &["review", "queue"]);
    assert!(waiting.stdout.contains("reinstate (benign) was proposed by m-"), "{waiting:?}");

    let asked = site.ran_by("desk.key", &["benign", "remove", &id]);
    assert!(asked.code == 2 && asked.stderr.contains("--yes"), "{asked:?}");
    assert_eq!(site.ran_by("desk.key", &["benign", "remove", &id, "--yes", "--json"]).code, 0);
    let delisted = site.ran_by("desk.key", &["delist", "QDe.115"]);
    assert!(delisted.code == 2 && delisted.stderr.contains("--yes"), "{delisted:?}");
    let delisted = site.ran_by("desk.key", &["delist", "QDe.115", "--yes", "--json"]);
    assert_eq!((delisted.code, &delisted.json()[0]["entries"]), (0, &0.into()), "{delisted:?}");
    for arguments in [
        &["review", "queue", "--attention", "luck"][..],
        &["review", "decide", "1", "luck", "--reason", "benign"],
        &["review", "decide", "1", "uphold", "--reason", "luck"],
    ] {
        let ran = site.ran_by("desk.key", arguments);
        assert!(ran.code == 2 && ran.stderr.contains("unknown") && ran.stderr.contains("luck"), "{ran:?}");
    }
}
