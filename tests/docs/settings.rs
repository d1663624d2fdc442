//! The table of settings in `docs/operation.md` is that of the program: every flag, variable and TOML field.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

/// The page's rows: flag, variable, TOML field.
fn documented() -> Vec<[String; 3]> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operation.md")).unwrap();
    let rows =
        page.lines().skip_while(|line| !line.starts_with("| flag ")).skip(2).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| {
        let mut cells = line.split('|').skip(1).map(|cell| cell.trim().trim_matches('`').to_owned());
        std::array::from_fn(|_| cells.next().unwrap())
    };
    rows.map(cells).collect()
}

fn serve(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hashcommons"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HASHCOMMONS_")) {
        command.env_remove(name);
    }
    command.arg("serve").args(arguments).output().unwrap()
}

fn column(rows: &[[String; 3]], at: usize) -> BTreeSet<String> {
    rows.iter().map(|row| row[at].clone()).collect()
}

#[test]
fn the_page_has_every_flag_and_variable_of_serve() {
    let help = String::from_utf8(serve(&["--help"]).stdout).unwrap();
    let words: Vec<_> = help.split_whitespace().collect();
    let flags =
        help.lines().filter_map(|line| line.trim_start().strip_prefix("--").filter(|_| line.starts_with("      --")));
    let flags: BTreeSet<_> = flags
        .map(|line| format!("--{}", line.split([' ', '[', '=']).next().unwrap()))
        .filter(|flag| flag != "--json")
        .collect();
    let variables = words.iter().filter_map(|word| word.strip_prefix("HASHCOMMONS_")?.split('=').next());
    let variables: BTreeSet<_> = variables.map(|name| format!("HASHCOMMONS_{name}")).collect();
    let rows = documented();
    let (tables, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|[flag, ..]| flag == "none");
    assert!(tables.iter().all(|[_, variable, _]| variable == "none"), "what is in the file alone");
    assert_eq!((column(&rows, 0), column(&rows, 1)), (flags, variables));
    for [flag, variable, field] in rows {
        let name = flag.trim_start_matches("--").replace('-', "_");
        assert_eq!(variable, format!("HASHCOMMONS_{}", name.to_uppercase()));
        assert!(field == name || (field == "none" && name == "config"), "{field}");
    }
}

#[test]
fn the_page_has_every_field_of_the_settings_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "no_such_field = 1\n").unwrap();
    let output = serve(&["--config", file.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    // The refusal lists what there is.
    let said = String::from_utf8(output.stderr).unwrap();
    let (_, listed) = said.split_once("expected one of").unwrap_or_else(|| panic!("{said}"));
    let listed: BTreeSet<_> = listed.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let mut fields = column(&documented(), 2);
    fields.remove("none");
    assert_eq!(fields, listed);
}
