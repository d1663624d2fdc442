//! README's transcript, run: every `$` line of its `console` blocks in one shell, in order, its output compared.
//!
//! `…` in an expected line stands for any text; `…` alone on a line for any lines. A command that ends in `&` goes on in the
//! background; what it prints until `ready` is compared.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A command and what README says it prints.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    command: String,
    expected: Vec<String>,
}

fn steps(readme: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step { command: command.to_owned(), expected: Vec::new() }),
                (None, Some(step)) => step.expected.push(line.to_owned()),
                (None, None) => panic!("output before the first command: {line}"),
            }
        }
    }
    steps
}

/// Whether `actual` is what `expected` allows.
fn fits(expected: &[String], actual: &[String]) -> bool {
    match (expected.split_first(), actual.split_first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        (Some((first, rest)), _) if first == "…" => (0..=actual.len()).any(|skipped| fits(rest, &actual[skipped..])),
        (Some(_), None) => false,
        (Some((first, rest)), Some((line, lines))) => line_fits(first, line) && fits(rest, lines),
    }
}

fn line_fits(expected: &str, actual: &str) -> bool {
    match expected.split_once('…') {
        None => expected == actual,
        Some((before, after)) => actual.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| line_fits(after, &rest[at..]))
        }),
    }
}

/// A background process, stopped with the test.
struct Background(Child);

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn shell(command: &str, directory: &Path, port: u16) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_hashcommons"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .current_dir(directory)
        .env("PATH", path)
        .env("HOME", directory)
        // README names the default port; a test must not depend on it being free.
        .env("HASHCOMMONS_LISTEN", format!("127.0.0.1:{port}"))
        .env("HASHCOMMONS_HUB", format!("http://127.0.0.1:{port}"))
        .env("HASHCOMMONS_LOG", "off")
        .stdout(Stdio::piped());
    shell
}

#[test]
fn readme_shows_what_its_commands_print() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let steps = steps(&readme);
    assert!(steps.len() > 8, "README has lost its transcript: {} commands", steps.len());
    let directory = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut background = Vec::new();
    for step in steps {
        let actual: Vec<String> = match step.command.strip_suffix(" &") {
            Some(command) => {
                let mut child = shell(&format!("exec {command}"), directory.path(), port).spawn().unwrap();
                let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
                background.push(Background(child));
                let mut seen: Vec<String> = lines.by_ref().take_while(|line| line != "ready").collect();
                seen.push("ready".to_owned());
                seen
            }
            None => {
                let output = shell(&step.command, directory.path(), port).output().unwrap();
                String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
            }
        };
        let actual: Vec<String> = actual.iter().map(|line| line.replace(&port.to_string(), "7420")).collect();
        assert!(
            fits(&step.expected, &actual),
            "$ {}\nREADME says:\n{}\n\nit prints:\n{}",
            step.command,
            step.expected.join("\n"),
            actual.join("\n")
        );
    }
}

#[test]
fn the_comparison_notices_what_differs() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(fits(&lines("a … c\n…\nend"), &lines("a b c\nx\ny\nend")));
    assert!(fits(&lines("…\nend"), &lines("end")));
    assert!(!fits(&lines("a … c"), &lines("a b d")));
    assert!(!fits(&lines("a"), &lines("a\nb")));
    assert!(!fits(&lines("a\nb"), &lines("a")));
    let parsed = steps("```console\n$ one\nout\n```\nnot this\n```sh\n$ nor this\n```");
    assert_eq!(parsed, [Step { command: "one".to_owned(), expected: lines("out") }]);
}
