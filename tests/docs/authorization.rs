//! `docs/authorization.md` has the table of methods and roles that the program decides by.

use hashcommons::domain::Role;
use hashcommons::grpc::access::{Access, TABLE};

/// The table in Markdown: a line a method, a column a role.
fn table(rows: &[(&str, Access)]) -> String {
    let roles: Vec<_> = Role::ALL.iter().map(|role| role.code()).collect();
    let mut text = format!("| method | {} |\n|---|{}\n", roles.join(" | "), ":-:|".repeat(roles.len()));
    for (path, access) in rows {
        let cells = Role::ALL.iter().map(|role| match access {
            Access::Open => " no key |",
            Access::Operation { roles, .. } if roles.contains(role) => " yes |",
            Access::Operation { .. } => " |",
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
    row.1 = Access::Operation { name: "revoke", roles: &[Role::Admin, Role::Checker] };
    assert_ne!(table(&rows), table(TABLE));
    assert_ne!(table(&rows[1..]), table(&rows));
}
