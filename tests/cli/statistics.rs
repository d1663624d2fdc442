//! `hashcommons report` and `hashcommons sample`.

use crate::site::Site;

const HASH: &str = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22";
const DAYS: [&str; 5] = ["report", "--from", "2020-01-01", "--to", "2199-12-31"];

#[test]
fn a_report_is_printed_for_people_programs_and_spreadsheets_and_is_compared_with_the_ledger() {
    let site = Site::new();
    let entry = site.contribute(HASH, &[]).to_string();
    let enrol = ["member", "enrol", "--name", "Auditor", "--jurisdiction", "NZ", "--duty", "auditor"];
    assert_eq!(site.ran_by("hub/admin.key", &enrol).code, 0);
    let issued = site.ran_by("hub/admin.key", &["key", "issue", "Auditor", "--out", "auditor.key"]);
    assert_eq!(issued.code, 0, "{issued:?}");
    let ran = |arguments: &[&str]| site.ran_by("auditor.key", arguments);

    let drawn = ran(&["sample", "draw", "--count", "10", "--json"]).json();
    let sample = drawn[0]["sample_id"].as_u64().unwrap().to_string();
    assert_eq!(drawn[0]["items"].as_array().unwrap().len(), 1);
    let shown = ran(&["sample", "draw"]);
    assert!(shown.stdout.contains(&format!("entry {entry}: glorification\n    pdq:{HASH}")), "{shown:?}");
    let judged = ran(&["sample", "judge", &sample, &entry, "error"]);
    assert!(
        judged.stdout.starts_with(&format!("entry {entry} of sample {sample} is judged error: leaf ")),
        "{judged:?}"
    );
    assert_eq!(ran(&["sample", "judge", &sample, "0", "error"]).code, 2);

    let words = ran(&DAYS).stdout;
    assert!(words.starts_with("2020-01-01 to 2199-12-31, of "), "{words}");
    let line = |beginning: &str| words.lines().find(|line| line.starts_with(beginning)).unwrap_or_default().to_owned();
    assert!(line("entries-contributed ").ends_with(" <5"), "{words}");
    assert!(line("sample-error-rate ").ends_with(" 100.00 %"), "{words}");
    assert!(line("appeals-reversal-rate ").ends_with(" -"), "{words}");
    let csv = ran(&[&DAYS[..], &["--csv"]].concat()).stdout;
    assert!(csv.contains("\r\n\"entries-contributed\",") && csv.contains(",\"<5\",\"count\"\r\n"), "{csv}");
    assert!(csv.lines().all(|line| line.starts_with('"')), "{csv}");
    assert_eq!(ran(&[&DAYS[..], &["--csv", "--json"]].concat()).code, 2);

    std::fs::copy(site.path("hub/ledger.pub"), site.path("ledger.pub")).unwrap();
    let from_ledger = [&DAYS[..], &["--from-ledger", "--ledger-key-file", "ledger.pub"]].concat();
    let equal = ran(&from_ledger);
    assert!(equal.code == 0 && equal.stdout.starts_with("equal: "), "{equal:?}");
    let equal = ran(&[&from_ledger[..], &["--json"]].concat()).json();
    assert_eq!((&equal[0]["equal"], equal[0]["differences"].as_array().unwrap().len()), (&true.into(), 0));
    assert_eq!(ran(&[&DAYS[..], &["--from-ledger"]].concat()).code, 2, "whose key is not known");
}
