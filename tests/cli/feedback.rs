//! What came of matches, at the command line.

use crate::site::{PROVENANCE, Site};

const HASH: &str = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22";

#[test]
fn a_platform_reports_appeals_and_learns_that_its_match_was_wrong() {
    let site = Site::new();
    let enrol = ["member", "enrol", "--name", "Source", "--jurisdiction", "FR"];
    let approval = ["--to", "contributor", "--checked", "all"];
    assert_eq!(site.ran_by("hub/admin.key", &[&enrol[..], &approval[..]].concat()).code, 0);
    let approve = ["member", "approve", "Source", "--key-out", "source.key"];
    assert_eq!(site.ran_by("hub/admin-2.key", &[&approve[..], &approval[..]].concat()).code, 0);
    let signal = format!("pdq:{HASH}:100");
    let contribute = [&["contribute", "--json", "--signal", &signal], &PROVENANCE[..]].concat();
    let entry = site.ran_by("source.key", &contribute).json()[0]["accepted"]["entry_id"].as_u64().unwrap();

    let check = ["check", "--signal", &signal];
    let words = site.ran(&check).stdout;
    let receipt = words.lines().find_map(|line| line.trim().strip_prefix("receipt       ")).unwrap().to_owned();
    let json = site.ran(&[&check[..], &["--json"]].concat()).json();
    assert_eq!(json[0]["matches"][0]["receipt"], receipt);

    let report =
        ["feedback", &receipt, "--outcome", "wrong-label", "--reason", "other-label", "--label", "glorification"];
    let reported = site.ran(&report);
    assert!(reported.stdout.starts_with(&format!("reported about entry {entry}: leaf ")), "{reported:?}");
    let appeal = ["appeal", &receipt, "--ground", "lawful-context", "--note", "an archive"];
    let opened = site.ran(&appeal);
    assert!(opened.stdout.contains(": lawful-context, opened "), "{opened:?}");
    assert!(opened.stdout.contains("; open, to be decided by ") && opened.stdout.contains("note: an archive"));
    assert!(site.ran(&appeal).stdout.contains("(was open already)"));
    assert_eq!(site.ran(&["reversals"]).stdout.lines().count(), 1, "that there are none");

    let entry = entry.to_string();
    assert_eq!(site.ran_by("source.key", &["withdraw", &entry, "--reason", "mistake"]).code, 0);
    let appeals = site.ran(&["appeals"]).stdout;
    assert!(appeals.contains("; reversed by leaf "), "{appeals}");
    assert_eq!(site.ran(&["appeals", "--open"]).stdout, "");
    let reversals = site.ran(&["reversals"]).stdout;
    assert!(reversals.starts_with(&format!("entry {entry}: withdraw (mistake), leaf ")), "{reversals}");
    assert!(reversals.contains("; you had 2 matches between "), "{reversals}");
    let next = reversals.lines().last().unwrap().rsplit(' ').next().unwrap();
    assert_eq!(site.ran(&["reversals", "--since", next]).stdout.lines().count(), 1, "nothing new");

    let trust = site.ran_by("source.key", &["trust"]).stdout;
    assert!(trust.contains(": trust 79 %, not below 50 %") && trust.contains("  objected      1"), "{trust}");
    let refused = site.ran(&["feedback", "hcm_", "--outcome", "confirmed", "--reason", "news"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("receipt: is not a match's receipt"), "{refused:?}");
}
