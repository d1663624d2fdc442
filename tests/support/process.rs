//! The real program as a process: a hub that can be killed, and commands that are run against it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_hashcommons");
/// The longest that a process may take to end once it is told to.
const BOUND: Duration = Duration::from_secs(25);

/// The program, with nothing of the caller's settings.
pub fn program() -> Command {
    let mut command = Command::new(PROGRAM);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HASHCOMMONS_")) {
        command.env_remove(name);
    }
    // No profile of whoever runs the tests.
    command.env("XDG_CONFIG_HOME", "/nonexistent").stdin(Stdio::null());
    command
}

/// A `hashcommons serve`, killed when dropped.
pub struct HubProcess {
    child: Child,
    /// What it printed before `ready`.
    pub said: Vec<String>,
    pub address: String,
    /// Reads its log until it ends.
    stderr: Option<JoinHandle<String>>,
}

impl HubProcess {
    /// Starts a hub on `directory`, on a port of its own, and waits until it is ready.
    pub fn start(directory: &Path) -> Self {
        Self::start_with(directory, |_| {})
    }

    /// The same, with further arguments or variables.
    pub fn start_with(directory: &Path, more: impl FnOnce(&mut Command)) -> Self {
        let mut command = program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(directory);
        more(&mut command);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Read all the time, so that a full pipe stops nobody.
        let mut pipe = child.stderr.take().unwrap();
        let stderr = std::thread::spawn(move || read_all(&mut pipe));
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut said = Vec::new();
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line).unwrap() == 0 {
                let status = child.wait().unwrap();
                panic!("the hub did not come up ({status}), said {said:?} and:\n{}", stderr.join().unwrap());
            }
            if line.trim_end() == "ready" {
                break;
            }
            said.push(line.trim_end().to_owned());
        }
        let address = said.iter().find_map(|line| line.strip_prefix("listening on ")).unwrap().to_owned();
        std::thread::spawn(move || read_all(&mut lines));
        Self { child, said, address, stderr: Some(stderr) }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its resident memory, in MB.
    pub fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1_024.0 / 1e6
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.kill_now();
    }

    /// The same, for who goes on with the value.
    pub fn kill_now(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end, no longer than an orchestrator would; gives the exit code.
    pub fn wait_now(&mut self) -> Option<i32> {
        wait(&mut self.child)
    }

    /// Waits for the end; gives its log.
    pub fn wait_for_log(&mut self) -> String {
        assert_eq!(self.wait_now(), Some(0));
        self.stderr.take().unwrap().join().unwrap()
    }

    /// Stops it in good order.
    pub fn stop(mut self) {
        self.terminate();
        self.wait_for_log();
    }
}

impl Drop for HubProcess {
    fn drop(&mut self) {
        // It fails if the process has ended: that is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for the end of a process, but not for ever; gives its exit code.
pub fn wait(child: &mut Child) -> Option<i32> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(start.elapsed() < BOUND, "the process does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn read_all(pipe: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a command came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Its output as JSON: one value a line.
    pub fn json(&self) -> Vec<serde_json::Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs the program to its end.
pub fn run(arguments: &[&str]) -> Ran {
    program().args(arguments).output().unwrap().into()
}

/// Copies a directory with all that is in it.
pub fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target: PathBuf = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
