//! `docs/operation.md` has the quotas that the program gives.

use hashcommons::domain::Status;
use hashcommons::policy::QuotaTable;

#[test]
fn the_documented_quotas_are_those_of_the_program() {
    let mut text = "| | checks a second | bytes of pictures a second | contributions a day | streams |\n".to_owned();
    text.push_str("|---|--:|--:|--:|--:|\n");
    let table = QuotaTable::default();
    for (name, status, has_duties) in [
        ("checker", Status::Checker, false),
        ("contributor", Status::Contributor, false),
        ("trusted", Status::Trusted, false),
        ("duties alone", Status::Applicant, true),
    ] {
        let limits = table.of(status, has_duties);
        let contributions = match status {
            Status::Contributor | Status::Trusted => limits.contributions_per_day.to_string(),
            _ => String::new(),
        };
        text.push_str(&format!(
            "| {name} | {} | {} | {contributions} | {} |\n",
            limits.checks_per_second, limits.media_bytes_per_second, limits.streams
        ));
    }
    crate::generated::part("operation.md", "quotas", &text);
}
