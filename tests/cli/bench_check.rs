//! `hashcommons bench check`: what it asks, and that it counts all of it.

use crate::site::Site;

/// A hub with so many made-up entries.
fn site_of(entries: usize) -> Site {
    let site = Site::new();
    // As fast as it can is faster than anybody may.
    let quota = ["member", "quota", "Member", "--checks-per-second", "4000000000"];
    assert_eq!(site.ran_by("hub/admin.key", &quota).code, 0);
    if entries > 0 {
        let items = site.ran(&["bench", "entries", "--count", &entries.to_string(), "--seed", "7"]);
        let imported = site.ran(&["import", site.write("items.ndjson", &items.stdout)]);
        assert_eq!(imported.code, 0, "{imported:?}");
    }
    site
}

#[test]
fn at_a_rate_every_request_is_counted_once_whether_single_or_over_a_stream_and_each_carries_its_hashes() {
    // One second to warm up and one to measure, two hashes each: the second half of the entries is asked for, and found.
    let site = site_of(400);
    for (mode, more) in [("unary", &[][..]), ("stream", &["--stream"])] {
        let options = ["--seconds", "1", "--rate", "100", "--batch", "2", "--seed", "7", "--concurrency", "1"];
        let ran = site.ran(&[&["bench", "check", "--json"], &options[..], more].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        let facts = &ran.json()[0];
        let number = |name: &str| facts[name].as_u64().unwrap_or_else(|| panic!("{name}: {facts}"));
        assert_eq!(facts["mode"], mode);
        assert_eq!((number("rate"), number("batch")), (100, 2));
        assert_eq!((number("checks"), number("unanswered")), (100, 0), "{facts}");
        assert_eq!(facts["hashes_per_s"].as_f64(), Some(200.0), "{facts}");
        assert_eq!(number("matches"), 200, "{facts}");
        assert!(0 < number("p50_us") && number("p50_us") <= number("p99_us"), "{facts}");
        assert!(number("p99_us") <= number("max_us"), "{facts}");
    }
}

#[test]
fn without_a_rate_it_asks_as_fast_as_it_is_answered_and_says_so_in_a_line() {
    let site = site_of(0);
    let ran = site.ran(&["bench", "check", "--seconds", "1", "--stream", "--batch", "16"]);
    assert!(ran.code == 0 && ran.stdout.contains(" hashes a second, p50 "), "{ran:?}");
    let ran = site.ran(&["bench", "check", "--seconds", "1", "--rate", "50"]);
    assert!(ran.stdout.starts_with("50 checks in 1 s: 50 a second of 50 offered, p50 "), "{ran:?}");
    let ran = site.ran(&["bench", "check", "--seconds", "1", "--json"]);
    assert!(ran.json()[0]["rate"].is_null() && ran.json()[0]["checks"].as_u64() > Some(0), "{ran:?}");
}

#[test]
fn what_it_may_cost_is_bounded() {
    let site = site_of(0);
    for (option, value) in [
        ("--seconds", "121"),
        ("--rate", "0"),
        ("--rate", "1000001"),
        ("--batch", "0"),
        ("--batch", "17"),
        ("--concurrency", "257"),
        ("--connections", "65"),
    ] {
        let ran = site.ran(&["bench", "check", option, value]);
        assert!(ran.code == 2 && ran.stderr.contains(&format!("{value} is not in ")), "{ran:?}");
    }
}

#[test]
fn a_refusal_is_an_error_and_not_a_fast_answer() {
    let site = site_of(0);
    for more in [&[][..], &["--stream"]] {
        let ran = site.ran(&[&["bench", "check", "--seconds", "1", "--radius", "32"], more].concat());
        assert!(ran.code == 2 && ran.stderr.contains("queries[0].radius: must be 0 to 31"), "{ran:?}");
    }
}
