//! `hashcommons audit`: what people read, and what programs do.

use crate::site::Site;

const HASH: &str = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22";

fn lines(site: &Site, arguments: &[&str]) -> Vec<String> {
    let ran = site.ran_by("hub/admin.key", &[&["audit"], arguments].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn each_line_has_time_who_what_whom_result_and_request_and_filters_are_flags() {
    let site = Site::new();
    let key = |file: &str| format!("k-{}", &site.read(file)[4..12]);
    let members = site.ran_by("hub/admin.key", &["member", "list", "--json"]).json();
    let members = members[0]["members"].as_array().unwrap();
    let id = |name: &str| members.iter().find(|one| one["name"] == name).unwrap()["member_id"].as_str().unwrap();
    let (operator, member) = (id("Operator"), id("Member"));
    assert_eq!(site.ran(&["key", "revoke", &key("hub/admin.key")]).code, 2);

    let all = lines(&site, &["--oldest-first"]);
    // The founding; an enrolment, two approvals, for the second the name was looked up; a key; names for us; a refusal.
    assert_eq!(all.len(), 3 + 3 + 1 + 1 + 1 + 1, "{all:#?}");
    assert!(all[0].contains("  the hub") && all[0].ends_with("  done  -"), "{}", all[0]);
    let issued = all.iter().find(|line| line.contains(&key("member.key")) && line.contains("key-issued")).unwrap();
    let by = format!("  {operator} with {}  ", key("hub/admin-2.key"));
    let about = format!("  key-issued         {member} {}  done: checker, contributor, reviewer  ", key("member.key"));
    assert!(issued.starts_with("20") && issued.contains(&by) && issued.contains(&about), "{issued}");
    let request = issued.rsplit("  ").next().unwrap();
    assert_eq!(request.len(), 26, "the request: {issued}");
    let refused = lines(&site, &["--result", "no-role"]);
    assert_eq!(refused.len(), 1);
    for words in [&format!("  {member} with {}", key("member.key")), "key-revoked", "refused: no-role"] {
        assert!(refused[0].contains(words), "{}", refused[0]);
    }
    assert_eq!(refused, lines(&site, &["--by", "Member"]));

    let newest = lines(&site, &[]);
    assert_eq!(newest, all.iter().rev().cloned().collect::<Vec<_>>());
    assert_eq!(lines(&site, &["--limit", "3"]), newest[..3]);
    assert_eq!(lines(&site, &["--all"]), newest);
    let about_member = lines(&site, &["--member", "Member", "--by-key", &key("hub/admin-2.key")]);
    assert_eq!(about_member.len(), 2, "{about_member:#?}");
    assert_eq!(lines(&site, &["--about-key", &key("member.key")]), std::slice::from_ref(issued));
    let kinds = ["--kind", "member-approved", "--kind", "member-enrolled", "--member", "Member"];
    assert_eq!(lines(&site, &kinds).len(), 3);
    assert_eq!(lines(&site, &["--request", request]), std::slice::from_ref(issued));
    let tomorrow = "2090-01-01T00:00:00Z";
    assert_eq!(lines(&site, &["--since", tomorrow]).len(), 0);
    assert_eq!(lines(&site, &["--until", "2020-01-01T00:00:00Z"]).len(), 0);
    assert_eq!(lines(&site, &["--since", &issued[..24], "--until", tomorrow]).len(), 3);

    assert!(!newest.iter().any(|line| line.contains("Operator")), "names are shown only when asked for");
    let named = lines(&site, &["--names", "--limit", "1", "--by", operator]);
    assert!(named[0].contains(&format!("{operator} (Operator) with ")), "{named:?}");
    let json = site.ran_by("hub/admin.key", &["audit", "--json", "--result", "refused"]).json();
    assert_eq!((json.len(), &json[0]["attempted"], &json[0]["refused"]), (1, &"key-revoked".into(), &"no-role".into()));
}

#[test]
fn reads_are_listed_by_day_and_member() {
    let site = Site::new();
    let entry = site.contribute(HASH, &[]).to_string();
    let desk = ["--name", "Desk", "--jurisdiction", "NZ", "--duty", "reviewer", "--key-out", "desk.key"];
    let enrolled = site.ran_by("hub/admin.key", &[&["member", "enrol"], &desk[..]].concat());
    assert_eq!(enrolled.code, 0, "{enrolled:?}");
    for _ in 0..2 {
        assert_eq!(site.ran_by("desk.key", &["trace", &entry]).code, 0);
    }
    let json = site.ran_by("hub/admin.key", &["audit", "--reads", "--json", "--by", "Desk"]).json();
    assert_eq!(json.len(), 1, "{json:?}");
    assert_eq!((&json[0]["kind"], &json[0]["count"]), (&"READ_KIND_ENTRIES".into(), &2.into()));
    let day = json[0]["day"].as_str().unwrap();
    let desk = json[0]["member_id"].as_str().unwrap();
    assert_eq!(lines(&site, &["--reads", "--by", "Desk"]), [format!("{day}  {desk}  entries  2")]);
    let tomorrow = "2090-01-01T00:00:00Z";
    assert_eq!(lines(&site, &["--reads", "--since", tomorrow]).len(), 0);
    assert_eq!(lines(&site, &["--reads", "--until", &format!("{day}T00:00:00Z")]).len(), 0);
    let named = lines(&site, &["--reads", "--names", "--until", tomorrow]);
    assert!(named.contains(&format!("{day}  {desk} (Desk)  entries  2")), "{named:?}");
}
