//! `docs/standing.md` names every rule, every standing and every field of the policy file, and shows the defaults.

use std::collections::BTreeSet;

use hashcommons::domain::Standing;
use hashcommons::policy::Rules;

use crate::generated::{docs, part};
use crate::source::read_tree;

#[test]
fn the_page_shows_the_default_policy() {
    part("standing.md", "standing", &format!("```toml\n{}\n```", Rules::default().to_toml().trim()));
}

#[test]
fn the_page_has_a_row_for_every_field_of_the_policy_file() {
    let page = std::fs::read_to_string(docs("standing.md")).unwrap();
    let (_, table) = page.split_once("| field | means | may be |").unwrap();
    let file: toml::Table = Rules::default().to_toml().parse().unwrap();
    for (section, fields) in file.iter().filter(|(section, _)| *section != "labels") {
        for field in fields.as_table().unwrap().keys() {
            let (full, short) = (format!("`{section}.{field}`"), format!("`{field}`"));
            let row = table.lines().find(|line| line.starts_with(&format!("| `{section}.")) && line.contains(&short));
            assert!(table.contains(&full) || row.is_some(), "{section}.{field}");
        }
    }
}

#[test]
fn the_page_has_a_row_for_every_rule_and_every_standing() {
    let page = std::fs::read_to_string(docs("standing.md")).unwrap();
    for standing in Standing::ALL {
        assert!(page.contains(&format!("\n| `{standing}` |")), "{standing}");
    }
    // What the program calls a rule: the first word of each call that adds a reason.
    let sources = read_tree(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/policy"));
    let source = sources.iter().find(|source| source.path == "assessment.rs").unwrap().text.as_str();
    let mut rules = BTreeSet::new();
    for (at, _) in source.match_indices("rule(") {
        let call = source[at + 5..].trim_start();
        if let Some((rule, _)) = call.strip_prefix('"').and_then(|call| call.split_once('"')) {
            rules.insert(rule.to_owned());
        }
    }
    assert!(rules.len() > 20, "{rules:?}");
    for rule in rules {
        let names = |line: &str| line.split('|').nth(1).is_some_and(|cell| cell.contains(&format!("`{rule}`")));
        let is_there = page.lines().any(|line| line.starts_with("| ") && names(line));
        assert!(is_there, "no row for the rule {rule}");
    }
}
