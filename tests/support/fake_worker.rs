//! A worker that does what the file it is given says: well-behaved by default, and in every way that a worker can go wrong.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use hashcommons::media::Turns;
use hashcommons::worker::{JobError, Pool, PoolConfig, StartError, SubmitError};
use tempfile::TempDir;

/// The hash that it answers.
pub const PDQ: &str = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22";
/// No test waits longer for what must come.
const BOUND: Duration = Duration::from_secs(60);

const SCRIPT: &str = r#"#!/bin/sh
PATH=/usr/bin:/bin
dir=@DIR@
ulimit -c 0
echo $$ >> $dir/pids

# Reads a frame into a file.
frame() {
    length=$(head -c 4 | od -An -tu4 | tr -d ' \n')
    [ -n "$length" ] || exit 0
    head -c "$length" > $dir/frame.$$
}
# Writes the four bytes of a length.
length() {
    printf "$(printf '\\%03o\\%03o\\%03o\\%03o' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)))"
}
say() {
    length ${#1}
    printf '%s' "$1"
}
ready() {
    say "{\"ready\":{\"version\":\"$1\",\"held\":{\"seccomp\":$2,\"landlock\":null}}}"
}
answer() {
    say "{\"number\":$1,\"outcome\":{\"Ok\":{\"format\":\"png\",\"width\":8,\"height\":8,\"readings\":[{\"orientation\":\"as-stored\",\"pdq\":\"@PDQ@\",\"quality\":100,\"phash\":\"0123456789abcdef\",\"dhash\":\"0123456789abcdef\"$2}]}}}"
}

mode=$(cat $dir/mode)
case $mode in
    dies) echo "no, thank you" >&2; exit 3 ;;
    forbidden) kill -SYS $$ ;;
    chatty) frame; say 'hello' ;;
    unavailable) frame; say '{"unavailable":{"reason":"there is no wall"}}'; exit 1 ;;
    old) frame; ready 0.0.1 true ;;
    free) frame; ready @VERSION@ false ;;
    deaf) frame; ready @VERSION@ true; exec sleep 1000 ;;
    *) frame; ready @VERSION@ true ;;
esac

while frame; do
    number=$(head -c 8 $dir/frame.$$ | od -An -tu8 | tr -d ' \n')
    job=$(tail -c +10 $dir/frame.$$ | head -c 100)
    echo "$job" >> $dir/jobs
    case $job in
        hang) exec sleep 1000 ;;
        text) say 'a picture of a cat' ;;
        too-long) printf '\377\377\377\377' ;;
        for-another) answer $((number + 1)) ;;
        # In one piece, so that it is seen with the first.
        twice) (answer $number; answer $number) > $dir/twice.$$; cat $dir/twice.$$ ;;
        more) answer $number ',"more":1' ;;
        half) length 1000; printf '{"number"'; exit 0 ;;
        exit) exit 0 ;;
        fail) echo "panicked at src/decoder.rs:1:2" >&2; exit 101 ;;
        crash) kill -SEGV $$ ;;
        forbidden) kill -SYS $$ ;;
        out-of-time) kill -XCPU $$ ;;
        out-of-memory) echo "memory allocation of 9 bytes failed" >&2; kill -ABRT $$ ;;
        ended) kill -KILL $$ ;;
        closes) exec >&-; exec sleep 1000 ;;
        floods) exec cat /dev/zero >&2 ;;
        # Well-behaved now, and gone before it is asked again.
        leaves) answer $number; exit 0 ;;
        # The answer to what was not asked yet.
        early) answer $number; sleep 0.2; answer $((number + 1)) ;;
        # A thousand bytes of a decoder's complaints, and an honest answer.
        mutters) head -c 1000 /dev/zero | tr '\0' x >&2; answer $number ;;
        descriptors) ls -l /proc/self/fd > $dir/descriptors; answer $number ;;
        environment) env > $dir/environment; pwd >> $dir/environment; answer $number ;;
        *) answer $number ;;
    esac
done
"#;

/// Where the fake worker is, and what it leaves behind.
pub struct Fake {
    directory: TempDir,
}

impl Fake {
    /// One that starts as `mode` says; `good` as a worker does.
    pub fn new(mode: &str) -> Self {
        let fake = Self { directory: tempfile::tempdir().unwrap() };
        let script = SCRIPT
            .replace("@DIR@", fake.directory.path().to_str().unwrap())
            .replace("@PDQ@", PDQ)
            .replace("@VERSION@", env!("CARGO_PKG_VERSION"));
        let program = fake.program();
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        fake.set_mode(mode);
        fake
    }

    /// How those start that are started from now on.
    pub fn set_mode(&self, mode: &str) {
        // Whole or not at all: a worker may be reading it.
        std::fs::write(self.directory.path().join("mode.new"), mode).unwrap();
        std::fs::rename(self.directory.path().join("mode.new"), self.directory.path().join("mode")).unwrap();
    }

    fn program(&self) -> std::path::PathBuf {
        self.directory.path().join("worker")
    }

    /// A pool of `workers`, with time enough for everything that is not meant to hang.
    pub fn config(&self, workers: usize) -> PoolConfig {
        PoolConfig { program: self.program(), deadline: BOUND, ..PoolConfig::with_workers(workers) }
    }

    pub fn pool(&self, workers: usize) -> Pool {
        start(self.config(workers)).unwrap()
    }

    /// The lines that the workers have written into a file.
    pub fn lines(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.directory.path().join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Every worker that was ever started.
    pub fn pids(&self) -> Vec<u32> {
        self.lines("pids").iter().map(|pid| pid.parse().unwrap()).collect()
    }

    /// Waits until the workers have begun so many jobs.
    pub fn wait_for_jobs(&self, jobs: usize) {
        wait_until(|| self.lines("jobs").len() >= jobs);
    }

    /// Whether no worker is left, alive or dead.
    pub fn nobody_left(&self) -> bool {
        !self.pids().iter().any(|pid| Path::new(&format!("/proc/{pid}")).exists())
    }
}

/// Starts a pool. A script that was written a moment ago may be "busy" while a child of another test still has it open for
/// writing, until that child has become another program.
pub fn start(config: PoolConfig) -> Result<Pool, StartError> {
    let begun = Instant::now();
    loop {
        match Pool::start(config.clone()) {
            Err(StartError::Spawn { problem, .. }) if problem.contains("Text file busy") && begun.elapsed() < BOUND => {
            }
            started => return started,
        }
    }
}

/// Waits until it is so, but not for ever.
pub fn wait_until(mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < BOUND, "it does not come to pass");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Hands in a file that is only what it says, and waits for what comes of it.
pub fn run(pool: &Pool, job: &'static str) -> Result<String, JobError> {
    pool.submit(job, Turns::Shown).unwrap().wait().map(|fingerprint| fingerprint.stored.pdq.to_string())
}

/// Hands in as long as the pool says that it has no worker.
pub fn run_when_up(pool: &Pool, job: &'static str) -> Result<String, JobError> {
    let mut pending = None;
    wait_until(|| match pool.submit(job, Turns::Shown) {
        Ok(handed_in) => pending.replace(handed_in).is_none(),
        Err(refused) => {
            assert_eq!(refused, SubmitError::Unavailable);
            false
        }
    });
    pending.unwrap().wait().map(|fingerprint| fingerprint.stored.pdq.to_string())
}
