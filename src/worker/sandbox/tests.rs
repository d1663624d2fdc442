//! Each wall by itself and all of them together, each against a child that tries what it may not. The child is this test
//! program again, asked for the one test that is ignored otherwise.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::{Resource, Rlimit, Signal};

use super::{ProcessLimits, filter, linux};

const DEED: &str = "HASHCOMMONS_TEST_DEED";
const WALL: &str = "HASHCOMMONS_TEST_WALL";
const PLACE: &str = "HASHCOMMONS_TEST_PLACE";

const LIMITS: ProcessLimits = ProcessLimits { memory_max: 512 << 20, cpu_max_s: 1 };

/// What stands around a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wall {
    /// The negative control: each deed can be done.
    None,
    Landlock,
    Limits,
    Filter,
    All,
}

const WALLS: [Wall; 5] = [Wall::None, Wall::Landlock, Wall::Limits, Wall::Filter, Wall::All];

/// How a child ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// It did what it tried.
    Did,
    /// It was told no.
    Refused,
    /// It was ended for it.
    By(Signal),
    Other(String),
}

/// What a deed may need: a directory of its own with a file in it that is open, and a port of the parent's.
struct Place {
    directory: PathBuf,
    open: std::fs::File,
    port: u16,
}

type Deed = (&'static str, fn(&mut Place) -> io::Result<()>);

/// What a worker does in its life: no wall may stand in its way.
const NEEDED: &[Deed] = &[
    ("say", |_| io::stdout().write_all(b"\n").and_then(|()| io::stdout().flush())),
    ("take-memory", |_| {
        // Grown step by step, as decoders do it, then given back.
        let mut bytes = Vec::new();
        for n in 0..100 {
            bytes.extend(std::iter::repeat_n(n as u8, 1 << 20));
        }
        drop(std::hint::black_box(bytes));
        Ok(())
    }),
    ("hash-maps", |_| {
        std::thread_local!(static OWN: std::collections::HashMap<u8, u8> = std::collections::HashMap::new());
        OWN.with(|map| if map.is_empty() { Ok(()) } else { Err(io::ErrorKind::Other.into()) })
    }),
    ("clock", |_| {
        std::hint::black_box(std::time::Instant::now());
        Ok(())
    }),
];

const FORBIDDEN: &[Deed] = &[
    ("read-a-file", |place| std::fs::read(place.directory.join("file")).map(drop)),
    ("write-a-file", |place| std::fs::write(place.directory.join("new"), b"x")),
    ("delete-a-file", |place| std::fs::remove_file(place.directory.join("file"))),
    ("list-a-directory", |place| std::fs::read_dir(&place.directory).map(drop)),
    ("read-an-open-file", |place| place.open.read(&mut [0]).map(drop)),
    ("write-an-open-file", |place| place.open.write(b"x").map(drop)),
    ("connect", |place| TcpStream::connect(("127.0.0.1", place.port)).map(drop)),
    ("listen", |_| TcpListener::bind("127.0.0.1:0").map(drop)),
    ("send-a-datagram", |place| UdpSocket::bind("127.0.0.1:0")?.send_to(b"x", ("127.0.0.1", place.port)).map(drop)),
    ("run-a-program", |_| match Command::new("/bin/true").status()?.success() {
        true => Ok(()),
        false => Err(io::ErrorKind::Other.into()),
    }),
    ("start-a-thread", |_| std::thread::Builder::new().spawn(|| ()).map(drop)),
    ("signal-the-parent", |_| {
        let parent = rustix::process::getppid().ok_or(io::ErrorKind::NotFound)?;
        Ok(rustix::process::test_kill_process(parent)?)
    }),
    ("look-at-the-parents-limits", |_| {
        let parent = rustix::process::getppid();
        let own = rustix::process::getrlimit(Resource::Core);
        rustix::process::prlimit(parent, Resource::Core, own)?;
        Ok(())
    }),
    ("raise-a-limit", |_| {
        let limit = Rlimit { current: Some(2), maximum: Some(2) };
        Ok(rustix::process::setrlimit(Resource::Nofile, limit)?)
    }),
    ("run-what-it-wrote", |_| memmap2::MmapMut::map_anon(4096)?.make_exec().map(drop)),
    ("take-600-MiB", |_| {
        let mut bytes = Vec::<u8>::new();
        bytes.try_reserve_exact(600 << 20).map_err(|_| io::ErrorKind::OutOfMemory)?;
        drop(std::hint::black_box(bytes));
        Ok(())
    }),
    ("run-for-three-seconds", |_| {
        let own = || rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime).tv_sec;
        let until = own() + 3;
        while own() < until {}
        Ok(())
    }),
];

/// What ends a decoder by itself, and must still be told apart from what it is ended for.
const FATAL: &[Deed] = &[
    ("run-out-of-memory", |_| {
        let hoard: Vec<Vec<u8>> = (0..600).map(|n| vec![n as u8 | 1; 1 << 20]).collect();
        drop(std::hint::black_box(hoard));
        Ok(())
    }),
    ("overflow-the-stack", |_| {
        fn deeper(n: u64) -> u64 {
            std::hint::black_box([n; 64])[(n % 64) as usize] + if n == 0 { 0 } else { deeper(n - 1) }
        }
        if deeper(1 << 40) == 1 { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
    }),
    ("abort", |_| std::process::abort()),
];

fn deeds() -> impl Iterator<Item = &'static Deed> {
    NEEDED.iter().chain(FORBIDDEN).chain(FATAL)
}

#[test]
#[ignore = "the child of the tests beside it"]
#[expect(clippy::exit, clippy::disallowed_methods, reason = "a child of the test that has nothing to close")]
fn child() {
    let (Ok(deed), Ok(wall), Ok(place)) = (std::env::var(DEED), std::env::var(WALL), std::env::var(PLACE)) else {
        return;
    };
    let (_, deed) = deeds().find(|(name, _)| *name == deed).unwrap();
    let (port, directory) = place.split_once(' ').unwrap();
    let directory = PathBuf::from(directory);
    let open = std::fs::File::options().read(true).write(true).open(directory.join("file")).unwrap();
    let mut place = Place { directory, open, port: port.parse().unwrap() };
    // Found out once in a process's life: which clock it has.
    std::hint::black_box(rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime));
    println!("up");
    match WALLS.into_iter().find(|one| format!("{one:?}") == wall).unwrap() {
        Wall::None => {}
        Wall::Landlock => assert!(linux::forbid().unwrap().is_some(), "the kernel has no Landlock"),
        Wall::Limits => linux::limit(&LIMITS).unwrap(),
        Wall::Filter => filter::install().unwrap(),
        Wall::All => drop(linux::lock(&LIMITS).unwrap()),
    }
    let outcome = deed(&mut place);
    // At once, and without what a test does when it ends.
    std::process::exit(if outcome.is_ok() { 0 } else { 7 })
}

/// Has a child do `deed` behind `wall`.
fn attempt(deed: &str, wall: Wall) -> (End, String) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), b"content").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = format!("{} {}", listener.local_addr().unwrap().port(), directory.path().display());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker::sandbox::tests::child", "--ignored", "--nocapture", "--test-threads=1"])
        .env(DEED, deed)
        .env(WALL, format!("{wall:?}"))
        .env(PLACE, place)
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (said, words) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("up"), "{deed} behind {wall:?} did not begin: {said}{words}");
    let end = match (output.status.code(), output.status.signal()) {
        (Some(0), _) => End::Did,
        (Some(7), _) => End::Refused,
        (_, Some(signal)) => Signal::from_named_raw(signal).map_or_else(|| End::Other(words.to_string()), End::By),
        _ => End::Other(format!("{} {words}", output.status)),
    };
    (end, words.into_owned())
}

fn root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn each_wall_lets_a_worker_do_its_work() {
    for (deed, _) in NEEDED {
        for wall in WALLS {
            assert_eq!(attempt(deed, wall).0, End::Did, "{deed} behind {wall:?}");
        }
    }
}

#[test]
fn without_a_wall_everything_can_be_done() {
    for (deed, _) in FORBIDDEN {
        assert_eq!(attempt(deed, Wall::None).0, End::Did, "{deed}");
    }
}

#[test]
fn behind_all_walls_nothing_forbidden_can_be_done() {
    for (deed, _) in FORBIDDEN {
        let expected = match *deed {
            // Refused rather than ended: a decoder may ask for too much, and is told no.
            "take-600-MiB" => End::Refused,
            "run-for-three-seconds" => End::By(Signal::XCPU),
            _ => End::By(Signal::SYS),
        };
        assert_eq!(attempt(deed, Wall::All).0, expected, "{deed}");
    }
}

#[test]
fn landlock_alone_allows_no_file_no_port_and_no_signal_to_others() {
    for deed in [
        "read-a-file",
        "write-a-file",
        "delete-a-file",
        "list-a-directory",
        "connect",
        "listen",
        "run-a-program",
        "signal-the-parent",
    ] {
        assert_eq!(attempt(deed, Wall::Landlock).0, End::Refused, "{deed}");
    }
}

#[test]
fn limits_alone_allow_no_new_file_or_socket_no_memory_beyond_and_no_time_beyond() {
    let refused = ["read-a-file", "write-a-file", "list-a-directory", "write-an-open-file", "connect", "listen"];
    for deed in refused.into_iter().chain(["take-600-MiB"]) {
        let end = attempt(deed, Wall::Limits).0;
        // A write beyond the size that files may have is told no by a signal.
        let expected = if deed == "write-an-open-file" { End::By(Signal::XFSZ) } else { End::Refused };
        assert_eq!(end, expected, "{deed}");
    }
    assert_eq!(attempt("run-for-three-seconds", Wall::Limits).0, End::By(Signal::XCPU));
    // Of root the system takes no notice here; behind all walls it is root no more.
    if !root() {
        assert_eq!(attempt("raise-a-limit", Wall::Limits).0, End::Refused);
        assert_eq!(attempt("run-a-program", Wall::Limits).0, End::Refused);
    }
}

#[test]
fn the_filter_alone_ends_whoever_makes_another_system_call() {
    for (deed, _) in FORBIDDEN {
        let expected = match *deed {
            "take-600-MiB" | "run-for-three-seconds" => End::Did,
            _ => End::By(Signal::SYS),
        };
        assert_eq!(attempt(deed, Wall::Filter).0, expected, "{deed}");
    }
}

#[test]
fn how_a_decoder_ends_by_itself_is_still_told_behind_all_walls() {
    for (deed, signal, says) in [
        ("run-out-of-memory", Signal::ABORT, "memory allocation of 1048576 bytes failed"),
        ("overflow-the-stack", Signal::ABORT, "has overflowed its stack"),
        ("abort", Signal::ABORT, ""),
    ] {
        let (end, words) = attempt(deed, Wall::All);
        assert_eq!(end, End::By(signal), "{deed}: {words}");
        assert!(words.contains(says), "{deed}: {words}");
    }
}

/// What the filter, run as the kernel runs it, says to a system call.
fn verdict(program: &[seccompiler::sock_filter], arch: u32, call: libc::c_long, arguments: [u64; 6]) -> u32 {
    let mut data = Vec::new();
    data.extend((call as u32).to_le_bytes());
    data.extend(arch.to_le_bytes());
    data.extend(0u64.to_le_bytes());
    data.extend(arguments.iter().flat_map(|argument| argument.to_le_bytes()));
    let (mut at, mut accumulator) = (0usize, 0u32);
    loop {
        let step = &program[at];
        at += 1;
        let jump = |taken: bool| usize::from(if taken { step.jt } else { step.jf });
        // The instructions of classic BPF that the compiler uses (linux/bpf_common.h).
        match step.code {
            0x20 => accumulator = u32::from_le_bytes(data[step.k as usize..][..4].try_into().unwrap()),
            0x54 => accumulator &= step.k,
            0x05 => at += step.k as usize,
            0x15 => at += jump(accumulator == step.k),
            0x25 => at += jump(accumulator > step.k),
            0x35 => at += jump(accumulator >= step.k),
            0x06 => return step.k,
            other => panic!("an instruction that this test does not know: {other:#x}"),
        }
    }
}

#[test]
fn the_filter_lets_through_what_is_on_its_list_and_nothing_else() {
    const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
    const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;
    let own = 4_242;
    let program = filter::program(own).unwrap();
    // linux/audit.h: AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64.
    let (here, elsewhere) =
        if cfg!(target_arch = "x86_64") { (0xC000_003E, 0xC000_00B7) } else { (0xC000_00B7, 0xC000_003E) };
    let ask = |call, arguments| verdict(&program, here, call, arguments);
    let (anonymous, exec) = ((libc::MAP_ANONYMOUS | libc::MAP_PRIVATE) as u64, libc::PROT_EXEC as u64);
    let abort = libc::SIGABRT as u64;
    let wake = (libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG) as u64;

    // Whatever the arguments.
    let free = [
        libc::SYS_brk,
        libc::SYS_mremap,
        libc::SYS_munmap,
        libc::SYS_madvise,
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];
    // Only with these.
    let bound = [
        (libc::SYS_read, [0; 6], [3, 0, 0, 0, 0, 0]),
        (libc::SYS_write, [1, 0, 0, 0, 0, 0], [0; 6]),
        (libc::SYS_write, [2, 0, 0, 0, 0, 0], [3, 0, 0, 0, 0, 0]),
        (libc::SYS_mmap, [0, 9, 3, anonymous, 0, 0], [0, 9, 3 | exec, anonymous, 0, 0]),
        (libc::SYS_mmap, [0, 9, 0, anonymous, 0, 0], [0, 9, 1, libc::MAP_PRIVATE as u64, 0, 0]),
        (libc::SYS_mprotect, [0, 9, 3, 0, 0, 0], [0, 9, exec, 0, 0, 0]),
        (libc::SYS_futex, [0, wake, 0, 0, 0, 0], [0, libc::FUTEX_WAIT as u64, 0, 0, 0, 0]),
        (libc::SYS_rt_sigaction, [libc::SIGSEGV as u64, 0, 0, 0, 0, 0], [libc::SIGXCPU as u64, 0, 0, 0, 0, 0]),
        (libc::SYS_tgkill, [own, 1, abort, 0, 0, 0], [own + 1, 1, abort, 0, 0, 0]),
        (libc::SYS_tgkill, [own, 1, abort, 0, 0, 0], [own, 1, libc::SIGKILL as u64, 0, 0, 0]),
    ];
    for (call, good, bad) in bound {
        assert_eq!((ask(call, good), ask(call, bad)), (ALLOW, KILL), "system call {call}");
    }
    for call in 0..1_024 {
        let expected = if free.contains(&call) { ALLOW } else { KILL };
        let arguments = [u64::MAX; 6];
        assert_eq!(ask(call, arguments), expected, "system call {call}");
    }
    // Another architecture's numbers, and those of x86-64 with 32-bit pointers, mean other calls.
    assert_eq!(verdict(&program, elsewhere, libc::SYS_exit, [0; 6]), KILL);
    assert_eq!(ask(libc::SYS_exit | 0x4000_0000, [0; 6]), KILL);
}
