//! The worker's side: locks itself in, then hashes one file after the other until its input ends.
//!
//! It is of one thread, and what it knows of the world is three pipes. It does not catch panics: one who has panicked is in a
//! state that nobody has thought about, so it ends, and the parent, which sees that anyway, starts another.

use std::io::{self, Write};
use std::process::ExitCode;

use super::Sandboxing;
use super::answer::Answer;
use super::config::PoolConfig;
use super::protocol::{self, Greeting, JOB_HEAD_BYTES, SETTINGS_BYTES_MAX, Settings, VERSION};
use super::sandbox::{self, Held};
use crate::media::{DecodeLimits, Format, Turns, looks};

/// A tiny picture of each format: what a worker shows that it can do before it says that it is ready.
const SAMPLES: [(Format, &[u8]); 7] = [
    (Format::Jpeg, include_bytes!("samples/tiny.jpg")),
    (Format::Png, include_bytes!("samples/tiny.png")),
    (Format::Gif, include_bytes!("samples/tiny.gif")),
    (Format::WebP, include_bytes!("samples/tiny.webp")),
    (Format::Bmp, include_bytes!("samples/tiny.bmp")),
    (Format::Tiff, include_bytes!("samples/tiny.tiff")),
    (Format::Avif, include_bytes!("samples/tiny.avif")),
];

/// What the hidden command `media-worker` does, until its standard input ends.
///
/// To be called before there is a second thread: the sandbox binds the thread that calls.
pub fn run() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        // Where, and nothing of what: a decoder's words may repeat what is in the file. And no backtrace, for which it would
        // want to read the program's file.
        if let Some(place) = panic.location() {
            let _ = writeln!(io::stderr(), "panicked at {place}");
        }
    }));
    match serve(&mut io::stdin().lock(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "hashcommons {}: {error}", super::COMMAND);
            ExitCode::from(2)
        }
    }
}

fn serve(input: &mut impl io::Read, output: &mut impl Write) -> io::Result<()> {
    let Some(settings) = protocol::read_frame(input, SETTINGS_BYTES_MAX)? else { return Ok(()) };
    let settings: Settings = serde_json::from_slice(&settings)?;
    let held = match prepare(&settings) {
        Ok(held) => held,
        Err(reason) => return say(output, &Greeting::Unavailable { reason }),
    };
    say(output, &Greeting::Ready { version: VERSION.to_owned(), held })?;

    let (limits, memory_max) = (settings.limits, settings.process.memory_max as usize);
    while let Some(frame) = protocol::read_frame(input, limits.bytes_max.saturating_add(JOB_HEAD_BYTES))? {
        let job = protocol::job(&frame).ok_or(io::ErrorKind::InvalidData)?;
        let limits = PoolConfig::limits_beside(limits, memory_max, job.file.len());
        let outcome = looks(job.file, &limits, job.turns).map(Into::into);
        say(output, &Answer { number: job.number, outcome })?;
    }
    Ok(())
}

/// The threads of this process, where the system says.
fn threads() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}

/// Locks the process in, and sees that it can still do its work.
fn prepare(settings: &Settings) -> Result<Held, String> {
    if settings.version != VERSION {
        return Err(format!("the worker is of version {VERSION}, not {}", settings.version));
    }
    // The sandbox would not hold another: an allocator's, say.
    if threads().is_some_and(|threads| threads != 1) {
        return Err("the worker has more than one thread".to_owned());
    }
    sandbox::settle();
    // Whatever is done once in a thread's life, such as seeding its hash maps, is done now: with another system library it
    // may need more than the filter lets through.
    drop(std::collections::HashMap::from([((), ())]));
    let locked = match settings.sandboxing {
        Sandboxing::Required => sandbox::lock(&settings.process),
        Sandboxing::Off => sandbox::limit(&settings.process).map(|()| Held::LIMITS_ALONE),
    };
    let held = locked.map_err(|error| error.to_string())?;
    for (format, sample) in SAMPLES {
        looks(sample, &DecodeLimits::default(), Turns::All).map_err(|error| format!("a {format} sample: {error}"))?;
    }
    Ok(held)
}

fn say(output: &mut impl Write, words: &impl serde::Serialize) -> io::Result<()> {
    output.write_all(&protocol::frame(&serde_json::to_vec(words)?))?;
    output.flush()
}
