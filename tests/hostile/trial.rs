//! One file after the other is answered, and each answer, what it took and what it left behind is looked at.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use hashcommons::media::Fingerprint;

use crate::hostile::Case;
use crate::memory;
use crate::report::Report;

/// What came back for a file: a fingerprint's text, or a refusal.
pub type Answer = Result<String, Refusal>;

/// A refusal's kind, and its words and those of its causes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub kind: String,
    pub words: Vec<String>,
}

impl Refusal {
    pub fn new(kind: &str, error: &dyn std::error::Error) -> Self {
        let causes = std::iter::successors(Some(error), |error| error.source());
        Self { kind: kind.to_owned(), words: causes.map(ToString::to_string).collect() }
    }
}

/// All of a fingerprint in words, so that two can be compared wherever they come from.
pub fn text(fingerprint: &Fingerprint) -> String {
    let mut text = format!("{} {}x{}", fingerprint.format, fingerprint.width, fingerprint.height);
    for turned in fingerprint.signals() {
        write!(text, " {} {:?}:{}", turned.orientation, turned.signal.kind(), turned.signal.hex()).unwrap();
    }
    text
}

/// What may be asked of the one that answers.
pub struct Bounds {
    /// Kinds of refusals that it may give.
    pub kinds: Vec<&'static str>,
    /// The longest that one file may take. It is there to end a test that hangs, not to measure.
    pub patience: Duration,
    /// The most memory that this process may take for one file, in bytes.
    pub memory_max: u64,
    /// Files that are asked about at the same time.
    pub at_once: usize,
    /// A valid picture, asked after every hundred files.
    pub good: Vec<u8>,
}

/// So many faults are enough.
const FAULTS_MAX: usize = 50;

/// Has `answer` answer every case.
pub fn run(
    cases: impl Iterator<Item = Case> + Send,
    bounds: &Bounds,
    answer: impl Fn(Vec<u8>) -> Answer + Send + Sync + 'static,
) -> Report {
    let answer = Arc::new(answer);
    let expected = Asker::new(&answer).ask(bounds.good.clone(), bounds.patience);
    assert!(matches!(expected, Ok(Ok(_))), "a valid picture is not hashed: {expected:?}");
    let (cases, report) = (Mutex::new(cases), Mutex::new(Report::default()));
    let work = || {
        let asker = Asker::new(&answer);
        for n in 1.. {
            let Some(case) = cases.lock().unwrap().next() else { return };
            memory::forget_peak();
            let before = memory::resident();
            let start = Instant::now();
            let answered = asker.ask(case.bytes.clone(), bounds.patience);
            let took = start.elapsed();
            let taken = memory::peak().zip(before).map_or(0, |(peak, before)| peak.saturating_sub(before));
            let hung = answered.is_err();
            let again =
                if n % 100 == 0 && !hung { asker.ask(bounds.good.clone(), bounds.patience) } else { expected.clone() };

            let mut report = report.lock().unwrap();
            if taken > bounds.memory_max {
                report.faults.push(format!("{}: took {} MB of memory", case.name, taken >> 20));
            }
            if again != expected {
                report.faults.push(format!("after {}, a valid picture: {again:?}", case.name));
            }
            report.count(&case, &answered, took, taken);
            report.faults.extend(wrong_in(&answered, bounds).map(|wrong| format!("{}: {wrong}", case.name)));
            if report.faults.len() >= FAULTS_MAX || asker.is_lost() {
                return;
            }
        }
    };
    std::thread::scope(|scope| (0..bounds.at_once).for_each(|_| drop(scope.spawn(work))));
    report.into_inner().unwrap()
}

/// A file, and whom to answer: with an answer, or with what came instead of one.
type Question = (Vec<u8>, mpsc::Sender<Result<Answer, String>>);

/// Asks on a thread of its own, so that it need not wait for ever.
struct Asker {
    questions: mpsc::Sender<Question>,
    lost: std::cell::Cell<bool>,
}

impl Asker {
    fn new(answer: &Arc<impl Fn(Vec<u8>) -> Answer + Send + Sync + 'static>) -> Self {
        let (questions, asked) = mpsc::channel::<Question>();
        let answer = answer.clone();
        // Never joined: if it hangs, the test must still end.
        std::thread::spawn(move || {
            for (bytes, reply) in asked {
                let answered = catch_unwind(AssertUnwindSafe(|| answer(bytes)));
                let _ = reply.send(answered.map_err(|cause| format!("panicked: {}", words_of(&*cause))));
            }
        });
        Self { questions, lost: false.into() }
    }

    /// What is answered; or that there was a panic, or nothing.
    fn ask(&self, bytes: Vec<u8>, patience: Duration) -> Result<Answer, String> {
        let (reply, answer) = mpsc::channel();
        let sent = self.questions.send((bytes, reply)).ok();
        sent.and_then(|()| answer.recv_timeout(patience).ok()).unwrap_or_else(|| {
            self.lost.set(true);
            Err("no answer".to_owned())
        })
    }

    /// Whether nobody listens to it any more.
    fn is_lost(&self) -> bool {
        self.lost.get()
    }
}

fn words_of(cause: &(dyn std::any::Any + Send)) -> String {
    let text = cause.downcast_ref::<&str>().copied().or(cause.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without words").to_owned()
}

/// What an answer must not be.
fn wrong_in(answered: &Result<Answer, String>, bounds: &Bounds) -> Option<String> {
    let refusal = match answered {
        Ok(Ok(_)) => return None,
        Ok(Err(refusal)) => refusal,
        Err(wrong) => return Some(wrong.clone()),
    };
    if !bounds.kinds.contains(&refusal.kind.as_str()) {
        return Some(format!("refused as `{}`, which is no kind", refusal.kind));
    }
    if refusal.words.first().is_none_or(String::is_empty) {
        return Some("refused without a word".to_owned());
    }
    refusal.words.iter().find_map(|words| {
        let inside =
            ["src/", ".rs:", "/home/", "/root/", "/tmp/", "panicked"].into_iter().find(|inside| words.contains(inside));
        // Anything as long as the shortest hash, 64 bits.
        let hash = words.split(|c: char| !c.is_ascii_hexdigit()).find(|word| word.len() >= 16);
        if words.chars().count() > 300 {
            Some(format!("{} characters of words", words.chars().count()))
        } else if words.chars().any(char::is_control) {
            Some(format!("words that cannot be printed: {words:?}"))
        } else {
            inside.or(hash).map(|shown| format!("words that show `{shown}`: {words}"))
        }
    })
}
