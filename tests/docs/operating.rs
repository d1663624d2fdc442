//! `docs/operating.md` tells a new operator what works: its transcript, run against a hub with TLS and its settings file, everything on
//! this machine. Certificates are made by `openssl`, as the page says.

use std::path::Path;

use crate::transcript::{Stage, steps};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The page's files: blocks of this kind that begin with `# PATH`, and what is in them.
fn files<'a>(page: &'a str, kind: &str) -> Vec<(&'a str, &'a str)> {
    let blocks = page.split("\n```").filter_map(|block| block.strip_prefix(kind)?.strip_prefix("\n# "));
    blocks.filter_map(|block| block.split_once('\n')).collect()
}

#[test]
fn the_guide_for_operators_shows_what_its_commands_print() {
    let page = std::fs::read_to_string(Path::new(ROOT).join("docs/operating.md")).unwrap();
    assert!(steps(&page).len() > 40, "the page has lost its transcript");
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut stage = Stage::new(folder.path());
    let fixtures = format!("{ROOT}/tests/fixtures/tls");
    stage.variables.push(("HASHCOMMONS_CA_CERT", format!("{fixtures}/authority.pem")));
    stage.stand_ins = vec![
        ("https://hub.example:7420", format!("https://localhost:{}", stage.port)),
        ("/etc/hashcommons", place("etc")),
        ("/var/lib/hashcommons", place("var")),
        ("192.0.2.0/24", "127.0.0.0/8".to_owned()),
        ("ssh root@hub.example ", String::new()),
        ("scp -q ", "cp ".to_owned()),
        ("root@hub.example:", String::new()),
    ];
    for name in ["etc", ".config/hashcommons"] {
        std::fs::create_dir_all(place(name)).unwrap();
    }
    std::fs::copy(format!("{fixtures}/localhost.pem"), place("etc/chain.pem")).unwrap();
    std::fs::copy(format!("{fixtures}/localhost.key"), place("etc/key.pem")).unwrap();
    let settings = files(&page, "toml");
    assert_eq!(settings.len(), 2, "{settings:?}");
    for (path, text) in settings {
        std::fs::write(stage.here(path).replace('~', folder.path().to_str().unwrap()), stage.here(text)).unwrap();
    }
    stage.play(&page);
}

#[test]
fn the_unit_of_the_guide_runs_what_its_transcript_runs() {
    let page = std::fs::read_to_string(Path::new(ROOT).join("docs/operating.md")).unwrap();
    let units = files(&page, "ini");
    let [(path, unit)] = units[..] else { panic!("{units:?}") };
    assert_eq!(path, "/etc/systemd/system/hashcommons.service");
    let run = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/")).unwrap();
    assert!(steps(&page).iter().any(|step| step.command == format!("{run} &")), "{run}");
}
