//! `docs/authorization.md` has the table of methods and roles that the program decides by.

use hashcommons::domain::{Role, Status};
use hashcommons::grpc::access::{Access, TABLE};
use hashcommons::policy::Sight;

/// Whose answers have a column: a key of one role, of a member of this status.
const COLUMNS: &[(&str, Role, Status)] = &[
    ("checker", Role::Checker, Status::Checker),
    ("contributor", Role::Contributor, Status::Contributor),
    ("trusted", Role::Contributor, Status::Trusted),
    ("reviewer", Role::Reviewer, Status::Applicant),
    ("auditor", Role::Auditor, Status::Applicant),
    ("admin", Role::Admin, Status::Applicant),
];

/// The table in Markdown: a line a method, a column a role, and what that sees.
fn table(rows: &[(&str, Access)]) -> String {
    let names: Vec<_> = COLUMNS.iter().map(|(name, ..)| *name).collect();
    let mut text = format!("| method | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for (path, access) in rows {
        let cells = COLUMNS.iter().map(|(_, role, status)| match access {
            Access::Open => " no key |".to_owned(),
            Access::Operation { roles, .. } if !roles.contains(role) => " |".to_owned(),
            Access::Operation { shows: [], .. } => " yes |".to_owned(),
            Access::Operation { shows, .. } => {
                let sight = Sight::of(|other| other == *role, *status);
                let seen: Vec<_> = shows.iter().map(|aspect| aspect.seen(&sight)).collect();
                format!(" {} |", seen.join("; "))
            }
        });
        text.push_str(&format!("| `{}` |{}\n", path.trim_start_matches('/'), cells.collect::<String>()));
    }
    text
}

#[test]
fn the_documented_table_is_the_one_that_the_program_decides_by() {
    crate::generated::part("authorization.md", "authorization", &table(TABLE));
}

#[test]
fn a_role_that_is_added_to_a_method_changes_the_table() {
    let mut rows = TABLE.to_vec();
    let row = rows.iter_mut().find(|(path, _)| path.ends_with("/RevokeKey")).unwrap();
    row.1 = Access::Operation { name: "revoke", roles: &[Role::Admin, Role::Checker], shows: &[] };
    assert_ne!(table(&rows), table(TABLE));
    assert_ne!(table(&rows[1..]), table(&rows));
}
