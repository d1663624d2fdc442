//! The log, at its most talkative, has every line in JSON and no secret in any of them.

use crate::process::HubProcess;
use crate::site::{PROVENANCE, Site};

/// How a value's first bytes could show up in a log: as text, in hex, as lists of numbers.
fn forms(hex: &str) -> Vec<String> {
    let bytes: Vec<u8> = (0..8).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
    let decimal = bytes.iter().map(u8::to_string).collect::<Vec<_>>();
    let word = u64::from_be_bytes(bytes.clone().try_into().unwrap());
    vec![
        hex[..16].to_owned(),
        hex[..16].to_uppercase(),
        decimal.join(", "),
        decimal.join(","),
        format!("{bytes:x?}").trim_matches(['[', ']']).to_owned(),
        bytes.escape_ascii().to_string(),
        word.to_string(),
    ]
}

#[test]
fn the_log_tells_no_key_and_no_hash_however_much_it_is_asked_to_tell() {
    let mut site = Site::with(|command| {
        command.env("HASHCOMMONS_LOG", "trace").args(["--log-format", "json"]);
    });
    let drawn = image::RgbImage::from_fn(128, 96, |x, y| image::Rgb([(x * y) as u8, (x * 3) as u8, (y * 5) as u8]));
    drawn.save(site.path("picture.png")).unwrap();
    let hashed = site.ran(&["hash", "--json", "picture.png"]).json();
    let signals = hashed[0]["signals"].as_array().unwrap();
    assert_eq!(signals.len(), 5, "{hashed:?}");
    let entry = site.ran(&[&["contribute", "picture.png", "--json"], &PROVENANCE[..]].concat()).json();
    let entry = entry[0]["accepted"]["entry_id"].to_string();
    let other = "0123456789abcdef".repeat(4);
    let wrong = hashcommons::policy::ApiKey::new(hashcommons::domain::KeyId::from_bytes([7; 5]), [9; 20]);
    site.write("wrong.key", wrong.reveal());
    for (key, code, arguments) in [
        ("member.key", 0, &["check", "picture.png"][..]),
        ("member.key", 0, &["check", "--send-media", "picture.png"]),
        ("member.key", 1, &["check", "--signal", &format!("pdq:{other}")]),
        ("member.key", 0, &["trace", &entry, "--against", "picture.png"]),
        ("member.key", 0, &["withdraw", &entry]),
        ("member.key", 0, &["follow", "--until-now"]),
        ("wrong.key", 2, &["check", "picture.png"]),
        ("hub/admin.key", 0, &["key", "list"]),
    ] {
        let ran = site.ran_by(key, arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {ran:?}");
    }
    site.hub.terminate();
    let log = site.hub.wait_for_log();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // It is the log of all that: the transport's frames, and our own spans.
    assert!(lines.len() > 500 && log.contains("check_media"), "{} lines", lines.len());
    // Whatever is logged within a use case has the id of the request, which is the caller's to see as well.
    let spans = lines.iter().filter_map(|line| line["spans"].as_array());
    let of_checks: Vec<_> = spans.filter(|spans| spans.iter().any(|span| span["name"] == "check_media")).collect();
    assert!(!of_checks.is_empty());
    for spans in of_checks {
        assert!(spans[0]["name"] == "request" && spans[0]["id"].as_str().is_some_and(|id| id.len() == 26), "{spans:?}");
    }
    let mut secrets: Vec<String> = ["hub/admin.key", "member.key", "wrong.key"]
        .iter()
        // What is after the key's id, which is no secret.
        .map(|name| site.read(name).trim().rsplit('_').next().unwrap().to_owned())
        .collect();
    for signal in signals {
        secrets.extend(forms(signal["value"].as_str().unwrap()));
    }
    secrets.extend(forms(&other));
    for secret in &secrets {
        let found = log.lines().find(|line| line.contains(secret.as_str()));
        assert!(found.is_none(), "`{secret}` is in the log: {}", found.unwrap_or_default());
    }
}

#[test]
fn the_log_of_a_start_says_what_was_loaded_and_how_long_each_part_took() {
    let mut site = Site::new();
    site.write("items.ndjson", site.ran(&["bench", "entries", "--count", "30"]).stdout);
    assert_eq!(site.ran(&["import", "items.ndjson"]).code, 0);
    site.hub.terminate();
    assert_eq!(site.hub.wait_now(), Some(0));

    let mut hub = HubProcess::start_with(&site.path("hub"), |command| {
        command.args(["--log-format", "json"]);
    });
    hub.terminate();
    let log = hub.wait_for_log();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said = |message: &str| {
        let fields = lines.iter().map(|line| &line["fields"]).find(|fields| fields["message"] == message);
        fields.unwrap_or_else(|| panic!("`{message}` is not in {log}"))
    };
    assert!(said("the data directory is open")["elapsed_ms"].is_u64());
    let filled = said("an index is filled");
    assert_eq!((&filled["kind"], &filled["signals"], &filled["expired"]), (&"pdq".into(), &30.into(), &0.into()));
    assert!(filled["store_ms"].is_u64() && filled["index_ms"].is_u64(), "{filled}");
    let up = said("the hub is up");
    assert_eq!((&up["events"], &up["pdq"]), (&38.into(), &30.into()));
    assert!(up["elapsed_ms"].is_u64());
}
