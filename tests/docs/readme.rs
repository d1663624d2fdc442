//! README's transcript, run.

use std::path::Path;

use crate::transcript::{Stage, steps};

#[test]
fn readme_shows_what_its_commands_print() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    assert!(steps(&readme).len() > 8, "README has lost its transcript");
    let folder = tempfile::tempdir().unwrap();
    let mut stage = Stage::new(folder.path());
    stage.variables.push(("HASHCOMMONS_HUB", format!("http://127.0.0.1:{}", stage.port)));
    stage.play(&readme);
}
