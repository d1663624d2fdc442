//! `import`: what is not as it must be is set aside by number, the rest is imported, and doing it again changes nothing.

use serde_json::Value;

use crate::process::Ran;
use crate::site::Site;

/// `count` good lines of NDJSON.
pub fn items(site: &Site, count: usize, seed: u64) -> Vec<String> {
    let made = site.ran(&["bench", "entries", "--count", &count.to_string(), "--seed", &seed.to_string()]);
    made.stdout.lines().map(str::to_owned).collect()
}

fn rejected(site: &Site, name: &str) -> Vec<(u64, String)> {
    let text = site.read(&format!("{name}.rejected"));
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| (row["line"].as_u64().unwrap(), row["error"].as_str().unwrap().to_owned())).collect()
}

fn counts(ran: &Ran) -> [u64; 4] {
    let facts = &ran.json()[0];
    ["lines", "imported", "already_there", "rejected"].map(|name| facts[name].as_u64().unwrap())
}

#[test]
fn bad_lines_are_set_aside_with_their_number_and_the_rest_is_imported_once() {
    let site = Site::new();
    let good = items(&site, 6, 1);
    let with = |change: &dyn Fn(&mut Value)| {
        let mut item: Value = serde_json::from_str(&good[0]).unwrap();
        change(&mut item);
        item.to_string().into_bytes()
    };
    let seventeen = with(&|item| {
        let signal = |n: u64| serde_json::json!({ "kind": "phash", "value": format!("{n:016x}") });
        item["signals"] = (0..17).map(signal).collect();
    });
    let lines: Vec<(Vec<u8>, Option<&str>)> = vec![
        (good[0].clone().into_bytes(), None),
        (b"{\"signals\":".to_vec(), Some("EOF while parsing")),
        (good[1].clone().into_bytes(), None),
        (with(&|item| item["author"] = "somebody".into()), Some("unknown field `author`")),
        (b"".to_vec(), None),
        (seventeen, Some("signals: must be 1 to 16")),
        (format!("{}\r", good[2]).into_bytes(), None),
        (with(&|item| item["labels"] = ["no-such-label"].as_slice().into()), Some("labels[0]: ")),
        (vec![b'x'; 100 << 10], Some("line: must be at most 65536 bytes")),
        (b"\xff\xfe{}".to_vec(), Some("of UTF-8")),
        (b"   ".to_vec(), None),
        (
            with(&|item| item["signals"][0]["value"] = "12".into()),
            Some("signals[0].value: must be 64 hex digits, got 2"),
        ),
        (with(&|item| item["provenance"]["confidence"] = 101.into()), Some("provenance.confidence: ")),
        (good[3].clone().into_bytes(), None),
        // Without a line end.
        (good[4].clone().into_bytes(), None),
    ];
    let bytes: Vec<Vec<u8>> = lines.iter().map(|(line, _)| line.clone()).collect();
    site.write("items.ndjson", bytes.join(&b'\n'));
    let ran = site.ran(&["import", "items.ndjson", "--json"]);
    assert_eq!((ran.code, counts(&ran)), (1, [15, 5, 0, 8]), "{ran:?}");
    let expected: Vec<(u64, &str)> =
        lines.iter().enumerate().filter_map(|(at, (_, error))| Some((at as u64 + 1, (*error)?))).collect();
    let told = rejected(&site, "items.ndjson");
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for ((line, error), (number, words)) in told.iter().zip(&expected) {
        assert!(line == number && error.contains(words), "line {line}: {error}; expected {number}: {words}");
    }
    assert!(!site.path("items.ndjson.import-state").exists());

    let again = site.ran(&["import", "items.ndjson", "--json"]);
    assert_eq!((again.code, counts(&again)), (1, [15, 0, 5, 8]), "{again:?}");
    assert_eq!(rejected(&site, "items.ndjson"), told);
    assert_eq!(site.events("contributed"), 5);
}

#[test]
fn a_csv_is_imported_by_its_column_names_in_any_order() {
    let site = Site::new();
    let header =
        "labels,signals,origin,reviewers,basis,basis_list_date,basis_entity,producer,confidence,tlp,action_max";
    let hash = |n: u8| format!("{n:02x}").repeat(32);
    let row = |n: u8, end: &str| {
        format!(
            "glorification,\"pdq:{}:100 md5:{:032x}\",human,2+,un-consolidated-list,2026-01-31,QDe.115,media,{end}",
            hash(n),
            n
        )
    };
    let text = [
        header.to_owned(),
        row(1, "80,TLP:GREEN,review"),
        row(2, "80,TLP:GREEN"),
        row(3, "eighty,TLP:GREEN,review"),
        row(4, "80,TLP:BLUE,review"),
        row(5, "80,TLP:GREEN,review"),
    ];
    site.write("items.csv", text.join("\r\n"));
    let ran = site.ran(&["import", "items.csv", "--json"]);
    assert_eq!((ran.code, counts(&ran)), (1, [6, 2, 0, 3]), "{ran:?}");
    let told = rejected(&site, "items.csv");
    assert_eq!(told.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 4, 5]);
    for ((_, error), words) in told.iter().zip(["must have 11 fields, got 10", "confidence: must be 0 to 100", "tlp: "])
    {
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(site.ran(&["check", "--signal", &format!("pdq:{}", hash(5))]).code, 0);
    for (bad, words) in [
        (header.replace("producer", "author"), "unknown column `author`: the columns are request_id, signals"),
        (header.replace(",tlp", ""), "the column `tlp` is missing"),
        (String::new(), "must begin with a line of column names"),
    ] {
        site.write("bad.csv", bad);
        let ran = site.ran(&["import", "bad.csv"]);
        assert!(ran.code == 2 && ran.stderr.contains(words), "{ran:?}");
    }
    assert_eq!(site.events("contributed"), 2);
}

#[test]
fn a_file_that_cannot_be_imported_at_all_is_an_error_and_leaves_nothing_beside_it() {
    let site = Site::new();
    let ran = site.ran(&["import", "absent.ndjson"]);
    assert!(ran.code == 2 && ran.stderr.contains("cannot read absent.ndjson"), "{ran:?}");
    site.write("items.ndjson", items(&site, 3, 1).join("\n"));
    let ran = site.ran_by("hub/admin.key", &["import", "items.ndjson"]);
    assert!(ran.code == 2 && ran.stderr.contains("contributor"), "{ran:?}");
    assert!(!site.path("items.ndjson.rejected").exists() && !site.path("items.ndjson.import-state").exists());
    site.write("empty.ndjson", "");
    let ran = site.ran(&["import", "empty.ndjson", "--json"]);
    assert_eq!((ran.code, counts(&ran)), (0, [0, 0, 0, 0]));
}
