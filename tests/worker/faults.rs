//! What a worker can do wrong with a file: it costs the one whose file it was a clear error, and nobody else anything.

use std::time::Duration;

use hashcommons::media::{DecodeError, FingerprintError, Turns};
use hashcommons::worker::{JobError, Owner, PoolConfig, SubmitError};

use crate::fake::{Fake, PDQ, run, run_when_up, start, wait_until};

#[test]
fn a_worker_that_behaves_is_kept() {
    let fake = Fake::new("good");
    let pool = fake.pool(1);
    for _ in 0..5 {
        assert_eq!(run(&pool, "good"), Ok(PDQ.to_owned()));
    }
    pool.stop();
    assert_eq!((fake.pids().len(), fake.lines("jobs").len()), (1, 5));
    assert!(fake.nobody_left());
}

#[test]
fn what_a_decoder_mutters_over_one_file_does_not_count_for_the_next() {
    let fake = Fake::new("good");
    let pool = fake.pool(1);
    for _ in 0..10 {
        assert_eq!(run(&pool, "mutters"), Ok(PDQ.to_owned()));
    }
    assert_eq!(fake.pids().len(), 1);
}

#[test]
fn whatever_a_worker_does_wrong_its_caller_is_told_and_the_next_has_a_new_one() {
    let no_memory = || JobError::TooMuchMemory { max: 512 << 20 };
    for (fault, expected) in [
        ("text", JobError::Crashed),
        ("too-long", JobError::Crashed),
        ("for-another", JobError::Crashed),
        ("twice", JobError::Crashed),
        ("more", JobError::Crashed),
        ("half", JobError::Crashed),
        ("exit", JobError::Crashed),
        ("fail", JobError::Crashed),
        ("crash", JobError::Crashed),
        ("forbidden", JobError::Crashed),
        ("out-of-time", JobError::TooSlow(Duration::from_secs(60))),
        ("out-of-memory", no_memory()),
        ("ended", JobError::Lost),
        ("closes", JobError::Crashed),
        ("floods", JobError::Crashed),
    ] {
        let fake = Fake::new("good");
        let pool = fake.pool(1);
        assert_eq!(run(&pool, fault), Err(expected), "{fault}");
        assert_eq!(run(&pool, "good"), Ok(PDQ.to_owned()), "after {fault}");
        pool.stop();
        assert_eq!(fake.pids().len(), 2, "{fault}");
        assert!(fake.nobody_left(), "{fault}");
    }
}

#[test]
fn what_is_at_fault_is_told_apart_from_who_is_not() {
    for (error, the_files) in [
        (JobError::Crashed, true),
        (JobError::TooSlow(Duration::from_secs(10)), true),
        (JobError::TooMuchMemory { max: 512 << 20 }, true),
        (JobError::Lost, false),
        (JobError::Unavailable, false),
        (JobError::Stopped, false),
    ] {
        assert_eq!(error.is_the_files(), the_files, "{error}");
    }
    assert_eq!(JobError::TooSlow(Duration::from_secs(10)).to_string(), "decoding the picture took longer than 10 s");
    let error = JobError::TooMuchMemory { max: 512 << 20 };
    assert_eq!(error.to_string(), "decoding the picture needs more memory than 512 MiB");
}

#[test]
fn a_worker_that_takes_too_long_is_ended_whether_it_reads_its_file_or_not() {
    for (mode, file) in [("good", b"hang".to_vec()), ("deaf", vec![0; 5 << 20])] {
        let fake = Fake::new(mode);
        let deadline = Duration::from_millis(300);
        let pool = start(PoolConfig { deadline, ..fake.config(1) }).unwrap();
        fake.set_mode("good");
        let outcome = pool.submit(file, Turns::Shown).unwrap().wait();
        assert_eq!(outcome, Err(JobError::TooSlow(deadline)), "{mode}");
        // What is not meant to hang may still be slow on a busy machine.
        wait_until(|| run(&pool, "good").is_ok());
        assert!(fake.pids().len() >= 2);
        pool.stop();
        assert!(fake.nobody_left());
    }
}

#[test]
fn while_one_worker_is_stuck_the_others_files_go_on() {
    let fake = Fake::new("good");
    let pool = fake.pool(2);
    let stuck = pool.submit("hang", Turns::Shown).unwrap();
    fake.wait_for_jobs(1);
    for _ in 0..5 {
        assert_eq!(run(&pool, "good"), Ok(PDQ.to_owned()));
        assert_eq!(run(&pool, "crash"), Err(JobError::Crashed));
    }
    pool.stop();
    assert_eq!(stuck.wait(), Err(JobError::Stopped));
    assert!(fake.nobody_left());
}

#[test]
fn one_owner_leaves_a_worker_for_others_and_has_its_turn_again_when_its_own_is_free() {
    let fake = Fake::new("good");
    let pool = start(fake.config(2)).unwrap();
    let (one, other) = (Owner(1), Owner(2));
    let submit = |owner, job: &'static str| pool.submit_for(owner, job, Turns::Shown).unwrap();
    let stuck = submit(one, "hang");
    fake.wait_for_jobs(1);
    let waits = submit(one, "its second");
    // Whoever comes later is served before it, each time.
    for job in ["of another", "of another again"] {
        assert!(submit(other, job).wait().is_ok());
    }
    assert!(pool.submit("of nobody", Turns::Shown).unwrap().wait().is_ok());
    assert_eq!(fake.lines("jobs"), ["hang", "of another", "of another again", "of nobody"]);

    // The stuck one has become a `sleep`.
    let is_stuck = |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "sleep\n");
    let pid = fake.pids().into_iter().find(is_stuck).expect("it hangs");
    assert!(std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success());
    assert_eq!(stuck.wait(), Err(JobError::Lost));
    assert!(waits.wait().is_ok());
    pool.stop();
    assert!(fake.nobody_left());
}

#[test]
fn a_full_queue_says_so_at_once_and_those_who_go_away_make_room() {
    let fake = Fake::new("good");
    let pool = start(PoolConfig { queue_max: 2, ..fake.config(1) }).unwrap();
    let submit = |job: &'static str| pool.submit(job, Turns::Shown);
    let stuck = submit("hang").unwrap();
    fake.wait_for_jobs(1);
    let (goes, stays) = (submit("given-up").unwrap(), submit("wanted").unwrap());
    assert!(matches!(submit("one too many"), Err(SubmitError::Busy)));
    drop(goes);
    let also = submit("also wanted").unwrap();
    assert!(matches!(submit("one too many"), Err(SubmitError::Busy)));

    // The stuck one is ended from outside: the queue moves on, without the one who went away.
    let ended = std::process::Command::new("kill").args(["-KILL", &fake.pids()[0].to_string()]).status().unwrap();
    assert!(ended.success());
    assert_eq!(stuck.wait(), Err(JobError::Lost));
    assert!(stays.wait().is_ok() && also.wait().is_ok());
    pool.stop();
    assert_eq!(fake.lines("jobs"), ["hang", "wanted", "also wanted"]);
}

#[test]
fn a_file_is_let_go_of_when_it_was_hashed_and_when_its_owner_goes_away() {
    struct File {
        _held: std::sync::Arc<()>,
        job: &'static str,
    }
    impl AsRef<[u8]> for File {
        fn as_ref(&self) -> &[u8] {
            self.job.as_bytes()
        }
    }
    let fake = Fake::new("good");
    let pool = fake.pool(1);
    let held = std::sync::Arc::new(());
    let submit = |job| pool.submit(File { _held: held.clone(), job }, Turns::Shown).unwrap();
    submit("good").wait().unwrap();
    assert_eq!(std::sync::Arc::strong_count(&held), 1);
    let stuck = submit("hang");
    fake.wait_for_jobs(2);
    let waiting = submit("good");
    assert_eq!(std::sync::Arc::strong_count(&held), 3);
    drop(waiting);
    assert_eq!(std::sync::Arc::strong_count(&held), 2);
    // One that a worker has already is not taken from it.
    drop(stuck);
    assert_eq!(std::sync::Arc::strong_count(&held), 2);
    pool.stop();
    assert_eq!(std::sync::Arc::strong_count(&held), 1);
}

#[test]
fn a_worker_that_ends_or_speaks_while_it_has_nothing_to_do_is_replaced_before_the_next_file() {
    for fault in ["leaves", "early"] {
        let fake = Fake::new("good");
        let pool = fake.pool(1);
        assert!(run(&pool, fault).is_ok());
        let first = fake.pids()[0];
        if fault == "leaves" {
            // Dead, and a zombie until it is looked at.
            wait_until(|| std::fs::read_to_string(format!("/proc/{first}/stat")).unwrap().contains(") Z "));
        } else {
            std::thread::sleep(Duration::from_secs(1));
        }
        assert_eq!(run(&pool, "good"), Ok(PDQ.to_owned()), "{fault}");
        pool.stop();
        assert_eq!(fake.pids().len(), 2, "{fault}");
    }
}

#[test]
fn a_worker_is_replaced_after_its_number_of_files_or_when_its_time_is_nearly_used_up() {
    let fake = Fake::new("good");
    let pool = start(PoolConfig { jobs_max: 3, ..fake.config(1) }).unwrap();
    for _ in 0..7 {
        assert!(run(&pool, "good").is_ok());
    }
    pool.stop();
    // The third is ready before it is needed, or about to be.
    assert!((3..=4).contains(&fake.pids().len()), "{:?}", fake.pids());
    assert!(fake.nobody_left());
}

#[test]
fn when_no_worker_can_be_started_all_who_wait_are_told_and_later_it_goes_on() {
    let fake = Fake::new("good");
    let pool = fake.pool(1);
    fake.set_mode("dies");
    let last = pool.submit("crash", Turns::Shown).unwrap();
    let waits = pool.submit("good", Turns::Shown);
    assert_eq!(last.wait(), Err(JobError::Crashed));
    // Unless it was refused already, because the next worker had failed by then.
    if let Ok(waits) = waits {
        assert_eq!(waits.wait(), Err(JobError::Unavailable));
    }
    wait_until(|| matches!(pool.submit("good", Turns::Shown), Err(SubmitError::Unavailable)));
    fake.set_mode("good");
    assert_eq!(run_when_up(&pool, "good"), Ok(PDQ.to_owned()));
    pool.stop();
    assert!(matches!(pool.submit("good", Turns::Shown), Err(SubmitError::Stopped)));
}

#[test]
fn a_file_that_is_too_long_is_answered_without_a_worker() {
    let fake = Fake::new("good");
    let pool = fake.pool(1);
    let (got, max) = ((32 << 20) + 1, 32 << 20);
    let outcome = pool.submit(vec![0; got], Turns::Shown).unwrap().wait();
    assert_eq!(outcome, Err(FingerprintError::from(DecodeError::TooManyBytes { got, max }).into()));
    pool.stop();
    assert!(fake.lines("jobs").is_empty());
}

/// What a process has open, by what `/proc` says of it: number and target.
fn descriptors(listing: &[String]) -> Vec<(String, String)> {
    let words = |line: &String| {
        let (number, target) = line.rsplit_once(" -> ")?;
        Some((number.rsplit_once(' ')?.1.to_owned(), target.to_owned()))
    };
    let mut descriptors: Vec<_> = listing.iter().filter_map(words).collect();
    // By number: `ls` has 10 before 2.
    descriptors.sort_by_key(|(number, _)| number.parse::<u32>().unwrap());
    descriptors
}

#[test]
fn a_worker_has_three_pipes_and_nothing_else_of_ours() {
    let fake = Fake::new("good");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let pool = fake.pool(2);
    // A worker that is started when all this and the pipes of others are open.
    assert!(run(&pool, "crash").is_err());
    // What a child has that is started without a thought: what whoever runs the tests has left open.
    let careless = std::process::Command::new("ls").args(["-l", "/proc/self/fd"]).output().unwrap();
    let careless: Vec<_> = String::from_utf8(careless.stdout).unwrap().lines().map(str::to_owned).collect();
    let inherited: Vec<_> = descriptors(&careless).into_iter().skip(3).map(|(_, target)| target).collect();
    assert!(run(&pool, "descriptors").is_ok() && run(&pool, "environment").is_ok());
    pool.stop();
    drop((listener, file));

    let open = descriptors(&fake.lines("descriptors"));
    assert_eq!([&open[0].0, &open[1].0, &open[2].0], ["0", "1", "2"]);
    assert!(open[0].1.starts_with("pipe:") && open[2].1.starts_with("pipe:"), "{open:?}");
    for (number, target) in &open[3..] {
        // The directory that `ls` lists, and the script.
        let own = target.starts_with("/proc/") || target.ends_with("/worker");
        assert!(own || inherited.contains(target), "{number} -> {target}");
    }
    let environment = fake.lines("environment");
    let (folder, variables) = environment.split_last().unwrap();
    assert_eq!(folder, "/");
    for variable in variables {
        let (name, _) = variable.split_once('=').unwrap();
        let expected = ["_RJEM_MALLOC_CONF", "PATH", "PWD", "OLDPWD", "SHLVL", "_"];
        assert!(expected.contains(&name), "{variable}");
    }
}

#[test]
fn dropping_the_last_handle_ends_the_workers() {
    let fake = Fake::new("good");
    let pool = fake.pool(2);
    let clone = pool.clone();
    drop(pool);
    assert!(run(&clone, "good").is_ok());
    let stuck = clone.submit("hang", Turns::Shown).unwrap();
    fake.wait_for_jobs(2);
    drop(clone);
    assert_eq!(stuck.wait(), Err(JobError::Stopped));
    assert!(fake.nobody_left());
}

#[tokio::test]
async fn an_outcome_can_be_awaited_and_waited_for_in_the_middle_of_a_runtime() {
    let fake = Fake::new("good");
    let pool = fake.pool(1);
    assert!(pool.submit("good", Turns::Shown).unwrap().await.is_ok());
    assert_eq!(run(&pool, "good"), Ok(PDQ.to_owned()));
    assert_eq!(pool.submit("crash", Turns::Shown).unwrap().await, Err(JobError::Crashed));
    pool.stop();
}
