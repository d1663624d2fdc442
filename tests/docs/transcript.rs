//! A page's transcript, run: every `$` line of its `console` blocks in one folder, in order, its output compared.
//!
//! `…` in an expected line stands for any text; `…` alone on a line for any lines. A command that ends in `&` goes on in the
//! background; what it prints until `ready` is compared. Every other command has to succeed.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A command and what the page says it prints.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    pub command: String,
    pub expected: Vec<String>,
}

/// The commands of a page.
pub fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
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

/// Where a page's commands run.
pub struct Stage<'a> {
    /// Their folder, and their home.
    pub folder: &'a Path,
    /// Where the hub listens, whatever the page says: a test must not depend on a port being free.
    pub port: u16,
    /// Further variables.
    pub variables: Vec<(&'static str, String)>,
    /// What the page says, and what stands for it here: in commands, and the other way round in what they print.
    pub stand_ins: Vec<(&'static str, String)>,
}

impl<'a> Stage<'a> {
    /// A stage with a free port.
    pub fn new(folder: &'a Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { folder, port, variables: Vec::new(), stand_ins: Vec::new() }
    }

    /// What the page says, as it is here.
    pub fn here(&self, text: &str) -> String {
        self.stand_ins.iter().fold(text.to_owned(), |text, (there, here)| text.replace(there, here))
    }

    fn there(&self, line: &str) -> String {
        let stand_ins = self.stand_ins.iter().filter(|(_, here)| !here.is_empty());
        let line = stand_ins.fold(line.to_owned(), |line, (there, here)| line.replace(here, there));
        line.replace(&self.port.to_string(), "7420")
    }

    fn shell(&self, command: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_hashcommons"));
        let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HASHCOMMONS_")) {
            shell.env_remove(name);
        }
        shell
            .args(["-c", command])
            .current_dir(self.folder)
            .env("PATH", path)
            .env("HOME", self.folder)
            .env_remove("XDG_CONFIG_HOME")
            .env("HASHCOMMONS_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("HASHCOMMONS_LOG", "off")
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        shell
    }

    /// Runs what the page says, and compares.
    pub fn play(&self, page: &str) {
        let mut background = Vec::new();
        for step in steps(page) {
            let command = self.here(&step.command);
            let (actual, ended) = match command.strip_suffix(" &") {
                Some(command) => {
                    let mut child = self.shell(&format!("exec {command}")).spawn().unwrap();
                    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
                    background.push(Background(child));
                    let mut seen: Vec<String> = lines.by_ref().take_while(|line| line != "ready").collect();
                    seen.push("ready".to_owned());
                    (seen, true)
                }
                None => {
                    let output = self.shell(&command).output().unwrap();
                    let said = String::from_utf8(output.stdout).unwrap();
                    eprint!("{}", String::from_utf8_lossy(&output.stderr));
                    (said.lines().map(str::to_owned).collect(), output.status.success())
                }
            };
            let actual: Vec<String> = actual.iter().map(|line| self.there(line)).collect();
            assert!(
                ended && fits(&step.expected, &actual),
                "$ {}\nthe page says:\n{}\n\nit prints, {}:\n{}",
                step.command,
                step.expected.join("\n"),
                if ended { "and succeeds" } else { "and fails" },
                actual.join("\n")
            );
        }
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

#[test]
#[should_panic(expected = "and fails")]
fn a_command_that_fails_is_noticed_though_it_prints_nothing() {
    let folder = tempfile::tempdir().unwrap();
    Stage::new(folder.path()).play("```console\n$ false\n```");
}
