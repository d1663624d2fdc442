//! Every command: its help, its JSON, its exit codes, and what it says when something is wrong.

use crate::process::run;
use crate::site::{PROVENANCE, Site};

const HASH: &str = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22";
const OTHER: &str = "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff";

/// The commands under `path`, as the help text lists them.
fn commands(path: &[&str]) -> Vec<String> {
    let help = run(&[path, &["--help"]].concat()).stdout;
    let Some((_, list)) = help.split_once("\nCommands:\n") else { return Vec::new() };
    let rows = list.lines().take_while(|line| !line.is_empty());
    let names = rows.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.map(|line| line.split_whitespace().next().unwrap().to_owned()).filter(|name| name != "help").collect()
}

#[test]
fn every_command_explains_itself_with_an_example() {
    let mut seen = 0;
    let mut waiting: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(path) = waiting.pop() {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let help = run(&[&words[..], &["--help"]].concat());
        assert_eq!(help.code, 0, "{words:?}");
        let example = help.stdout.split("Example").nth(1).unwrap_or_else(|| panic!("{words:?} has no example"));
        assert!(example.contains(&["hashcommons", &words.join(" ")].join(" ")), "{words:?}: {example}");
        seen += 1;
        waiting.extend(commands(&words).into_iter().map(|name| [path.clone(), vec![name]].concat()));
    }
    // The program; its commands; those of `bench`, `benign`, `hold`, `incident`, `key`, `member`, `policy`, `review` and `sample`.
    assert_eq!(seen, 1 + 29 + 5 + 3 + 3 + 5 + 7 + 7 + 3 + 2 + 2, "a command is missing, or new: count it here");
}

/// A picture that nobody has contributed, `picture.png`.
fn draw_picture(site: &Site) {
    image::RgbImage::from_fn(64, 64, |x, y| image::Rgb([(x * y) as u8, (x * 3) as u8, (y * 4) as u8]))
        .save(site.path("picture.png"))
        .unwrap();
}

#[test]
fn every_command_speaks_json_when_asked() {
    let site = Site::new();
    draw_picture(&site);
    let entry = site.contribute(HASH, &["--receipt", "receipt"]).to_string();
    std::fs::copy(site.path("hub/ledger.pub"), site.path("ledger.pub")).unwrap();
    let member = site.ran_by("hub/admin.key", &["member", "list", "--json"]).json()[0]["members"].clone();
    let member =
        member.as_array().unwrap().iter().find(|member| member["name"] == "Member").unwrap()["member_id"].clone();
    // A key of the member's: the operator's only one cannot be revoked.
    let keys = &["key", "list", "--member", member.as_str().unwrap(), "--json"];
    let key_id = site.ran_by("hub/admin.key", keys).json()[0]["keys"][0]["key_id"].clone();
    let (key_id, member) = (key_id.as_str().unwrap(), member.as_str().unwrap());
    let made = run(&["bench", "entries", "--count", "2", "--json"]);
    assert_eq!(made.json().len(), 2);
    site.write("items.ndjson", &made.stdout);
    let failed = site.ran(&["trace", "999", "--json"]);
    let error: serde_json::Value = serde_json::from_str(&failed.stderr).unwrap();
    assert!(error["error"].as_str().unwrap().contains("999"), "{error}");
    let signal = format!("pdq:{HASH}");
    for (key, code, arguments) in [
        ("member.key", 0, &["hash", "picture.png"][..]),
        ("member.key", 0, &[&["hash", "picture.png", "--out", "pictures.ndjson"], &PROVENANCE[..]].concat()),
        ("member.key", 0, &["check", "--signal", &signal]),
        ("member.key", 1, &["check", "--send-media", "picture.png"]),
        ("member.key", 0, &[&["contribute", "picture.png"], &PROVENANCE[..]].concat()),
        ("member.key", 0, &["import", "items.ndjson"]),
        ("member.key", 0, &["trace", &entry, "--against", "picture.png"]),
        ("member.key", 0, &["appeals", "--open"]),
        ("member.key", 0, &["reversals", "--since", "3"]),
        ("member.key", 0, &["trust"]),
        ("member.key", 0, &["withdraw", &entry]),
        ("member.key", 0, &["follow", "--until-now"]),
        ("hub/admin.key", 0, &["incident", "open", "harbour", "--type", "footage"]),
        ("hub/admin-2.key", 0, &["incident", "open", "harbour", "--type", "footage"]),
        ("hub/admin.key", 0, &["incident", "extend", "harbour"]),
        ("hub/admin.key", 0, &["incident", "close", "harbour"]),
        ("member.key", 0, &["incident", "list"]),
        ("member.key", 0, &["incident", "debrief", "harbour"]),
        ("member.key", 0, &["mirror", "list.ndjson", "--until-now"]),
        ("member.key", 0, &["verify", "receipt", "--ledger-key-file", "ledger.pub"]),
        ("member.key", 0, &["taxonomy"]),
        ("member.key", 0, &["taxonomy", "--shipped"]),
        ("member.key", 0, &["bench", "check", "--seconds", "1", "--rate", "50"]),
        ("member.key", 0, &["bench", "hash", "picture.png"]),
        ("member.key", 0, &["bench", "corpus", "--n", "50", "--out", "."]),
        ("member.key", 0, &["bench", "index", "--hashes", "hashes.bin", "--queries", "queries.bin"]),
        (
            "hub/admin.key",
            0,
            &[
                "member",
                "enroll",
                "--name",
                "X",
                "--jurisdiction",
                "FR",
                "--to",
                "checker",
                "--checked",
                "all",
                "--key-out",
                "x.key",
            ],
        ),
        ("hub/admin.key", 0, &["member", "approve", "X", "--to", "trusted", "--checked", "all"]),
        ("hub/admin-2.key", 0, &["member", "approve", "X", "--to", "trusted", "--checked", "all"]),
        ("hub/admin.key", 0, &["member", "set", "X", "--status", "suspended", "--reason", "abuse"]),
        ("hub/admin.key", 0, &["member", "history", "X"]),
        ("hub/admin.key", 0, &["member", "list"]),
        ("hub/admin.key", 0, &["key", "issue", member]),
        ("hub/admin.key", 0, &["key", "list"]),
        ("hub/admin.key", 0, &["key", "list", "--expires-within", "30"]),
        ("hub/admin.key", 0, &["member", "quota", member, "--streams", "3"]),
        ("hub/admin.key", 0, &["key", "quota", key_id, "--default"]),
        ("hub/admin.key", 0, &["key", "rotate", key_id]),
        ("hub/admin.key", 0, &["key", "entries", key_id]),
        ("hub/admin.key", 0, &["key", "compromised", key_id, "--since", "2026-01-01T00:00:00Z"]),
        ("hub/admin.key", 0, &["key", "revoke", key_id]),
        ("hub/admin.key", 0, &["report", "--from", "2026-01-01", "--to", "2026-12-31"]),
        ("hub/admin.key", 0, &["hold", "list", "--all"]),
        ("hub/admin.key", 0, &["audit"]),
        ("hub/admin.key", 0, &["audit", "--reads"]),
    ] {
        let ran = site.ran_by(key, &[arguments, &["--json"]].concat());
        assert_eq!(ran.code, code, "{arguments:?}: {ran:?}");
        let values = ran.json();
        assert!(!values.is_empty() && values.iter().all(serde_json::Value::is_object), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn check_exits_0_on_a_match_1_on_none_and_2_on_an_error() {
    let site = Site::new();
    site.contribute(HASH, &[]);
    for (code, signal) in [(0, format!("pdq:{HASH}")), (1, format!("pdq:{OTHER}")), (2, "pdq:1234".to_owned())] {
        let ran = site.ran(&["check", "--signal", &signal]);
        assert_eq!(ran.code, code, "{ran:?}");
    }
    assert_eq!(site.ran(&["check"]).code, 2);
}

#[test]
fn verify_exits_0_when_it_holds_1_when_anything_was_changed_and_2_when_it_cannot_tell() {
    let site = Site::new();
    site.contribute(HASH, &["--receipt", "receipt"]);
    std::fs::copy(site.path("hub/ledger.pub"), site.path("ledger.pub")).unwrap();
    let verify = |file: &str, key: &str| site.ran(&["verify", file, "--ledger-key-file", key]);
    assert_eq!(verify("receipt", "ledger.pub").code, 0);
    let receipt = std::fs::read(site.path("receipt")).unwrap();
    // Some places of every line, and bytes that are no text.
    for at in (0..receipt.len()).step_by(receipt.len() / 25) {
        for bit in [0x01, 0x80] {
            let mut altered = receipt.clone();
            altered[at] ^= bit;
            site.write("altered", &altered);
            let ran = verify("altered", "ledger.pub");
            assert_eq!(ran.code, 1, "byte {at}, bit {bit}: {ran:?}");
            assert!(ran.stdout.starts_with("NOT verified: "), "{ran:?}");
        }
    }
    assert_eq!(verify("absent", "ledger.pub").code, 2);
    assert_eq!(verify("receipt", "absent.pub").code, 2);
    assert_eq!(verify("receipt", "member.key").code, 2);
    assert!(site.ran(&["verify", "receipt"]).stderr.contains("--ledger-key-file"));
}

#[test]
fn an_error_says_what_is_wrong_and_what_to_do_next() {
    let site = Site::new();
    site.write("cut.key", &site.read("member.key")[..40]);
    site.write("mistyped.key", site.read("member.key").replacen(&site.read("member.key")[20..21], "q", 1));
    site.write("empty.key", "\n");
    site.write("text.jpg", "not a picture");
    std::fs::create_dir(site.path("folder")).unwrap();
    let hash = ["check", "--signal", "md5:00112233445566778899aabbccddeeff"];
    let nobody = [&hash[..], &["--hub", "http://127.0.0.1:1"]].concat();
    for (key, arguments, words) in [
        ("member.key", &nobody[..], &["cannot reach the hub at http://127.0.0.1:1", "--hub"][..]),
        ("member.key", &[&hash[..], &["--hub", "there"]].concat(), &["`there`", "http://127.0.0.1:7420"]),
        ("absent.key", &hash, &["cannot read the key file absent.key"]),
        ("empty.key", &hash, &["the key file empty.key is empty"]),
        ("cut.key", &hash, &["the key file cut.key", "is not an API key", "hck_"]),
        ("member.key", &["member", "list"], &["auditor or admin", "ask the hub's operator"]),
        ("hub/admin.key", &hash, &["checker", "ask the hub's operator"]),
        ("member.key", &["hash", "text.jpg"], &["text.jpg: not a picture", "JPEG, PNG"]),
        ("member.key", &["check", "folder"], &["folder: ", "irectory"]),
        ("member.key", &["check", "absent.jpg"], &["absent.jpg: No such file"]),
        ("member.key", &["check", "--send-media", "text.jpg"], &["text.jpg: media: not a picture"]),
        ("member.key", &["check", "--signal", "pdq:12"], &["value: must be 64 hex digits, got 2"]),
        ("member.key", &["withdraw", "0"], &["0"]),
        ("member.key", &["withdraw", "0", "--reason", "bored"], &["bored", "mistake"]),
        ("member.key", &["trace", "77"], &["77"]),
        ("member.key", &["follow", "--from", "77"], &["from: must be 0 to "]),
        ("member.key", &["taxonomy", "--version", "9"], &["no taxonomy has version 9"]),
        (
            "hub/admin.key",
            &["key", "issue", "m-abcd2345", "--out", "member.key"],
            &["member.key exists: name a new file"],
        ),
        ("hub/admin.key", &["key", "revoke", "nonsense"], &["k-"]),
        ("member.key", &["audit"], &["this key may not read the audit", "auditor or admin"]),
        ("hub/admin.key", &["audit", "--kind", "murder"], &["--kind", "murder", "key-issued"]),
        ("hub/admin.key", &["audit", "--result", "maybe"], &["--result", "done, refused or one of no-role"]),
        ("hub/admin.key", &["audit", "--since", "yesterday"], &["--since", "2026-11-22T06:08:00Z"]),
        ("hub/admin.key", &["audit", "--by", "Nobody"], &["--by: there is no member of the id or name `Nobody`"]),
        ("hub/admin.key", &["audit", "--by-key", "k"], &["--by-key", "must be `k-`"]),
        ("hub/admin.key", &["audit", "--request", "a b"], &["--request", "visible ASCII"]),
        ("hub/admin.key", &["audit", "--limit", "0"], &["--limit"]),
        ("hub/admin.key", &["audit", "--reads", "--kind", "key-issued"], &["--reads", "--kind"]),
        (
            "hub/admin.key",
            &["member", "enrol", "--name", "X", "--jurisdiction", "FR", "--duty", "king"],
            &["king", "checker"],
        ),
        (
            "hub/admin.key",
            &["member", "approve", "Member", "--to", "trusted"],
            &["--checked: name what you have made sure of; trusted needs policy, reports-and-appeals, "],
        ),
        (
            "hub/admin.key",
            &["member", "approve", "Member", "--to", "trusted", "--checked", "luck"],
            &["luck", "policy"],
        ),
        (
            "hub/admin.key",
            &["member", "approve", "Member", "--to", "trusted", "--checked", "contact"],
            &["--checked: nothing was changed: trusted needs policy, reports-and-appeals, "],
        ),
        ("hub/admin.key", &["member", "quota", "Member"], &["--checks-per-second", "--default"]),
        ("hub/admin.key", &["member", "release", "Member"], &["has not been seen on a walk"]),
        ("hub/admin.key", &["member", "approve", "Member", "--to", "king"], &["king", "trusted"]),
        ("hub/admin.key", &["member", "history", "Nobody"], &["there is no member of the id or name `Nobody`"]),
        (
            "hub/admin.key",
            &["member", "set", "Member", "--status", "left", "--reason", "requested"],
            &["cannot come back", "--yes"],
        ),
    ] {
        let ran = site.ran_by(key, arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:?}");
        for word in words {
            assert!(ran.stderr.contains(word), "`{word}` is not in: {ran:?}");
        }
    }
    let mut anonymous = site.command("");
    let ran: crate::process::Ran = anonymous.env_remove("HASHCOMMONS_KEY_FILE").args(hash).output().unwrap().into();
    assert!(ran.code == 2 && ran.stderr.contains("--key-file"), "{ran:?}");
}

#[test]
fn a_check_of_several_files_names_each_goes_on_past_a_bad_one_and_gives_the_hubs_hashes() {
    let site = Site::new();
    draw_picture(&site);
    let ran = site.ran(&["check", "absent.png", "picture.png", "--json"]);
    assert!(ran.code == 2 && ran.stderr.contains("absent.png"), "{ran:?}");
    assert_eq!(ran.json()[0]["file"], "picture.png");
    let sent = site.ran(&["check", "--send-media", "picture.png", "--json"]);
    assert_eq!((sent.code, &sent.json()[0]["file"]), (1, &"picture.png".into()));
    assert_eq!(sent.json()[0]["signals"].as_array().unwrap().len(), 5, "{sent:?}");
}

#[test]
fn one_bad_file_does_not_keep_the_others_from_being_hashed() {
    let site = Site::new();
    site.write("bad.png", "no");
    image::RgbImage::from_fn(32, 32, |x, y| image::Rgb([(x * y) as u8; 3])).save(site.path("good.png")).unwrap();
    let ran = site.ran(&["hash", "--json", "bad.png", "good.png"]);
    assert_eq!((ran.code, ran.json().len()), (2, 1), "{ran:?}");
    assert!(ran.stderr.contains("bad.png") && ran.stderr.contains("1 of 2 files"), "{ran:?}");
}
