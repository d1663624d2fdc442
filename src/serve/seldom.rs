//! Lines of the log that an attacker could cause by the thousand.

use std::time::Duration;

use tokio::time::Instant;

/// The shortest time between two of them.
const EVERY: Duration = Duration::from_secs(10);

/// Says the first, then one every ten seconds with the number of those left out.
#[derive(Debug, Default)]
pub(super) struct Seldom {
    said: Option<Instant>,
    left_out: u64,
}

impl Seldom {
    /// Calls `line` with the number of lines that were left out since the last, or leaves this one out.
    pub(super) fn say(&mut self, line: impl FnOnce(u64)) {
        if self.said.is_some_and(|said| said.elapsed() < EVERY) {
            self.left_out += 1;
            return;
        }
        self.said = Some(Instant::now());
        line(std::mem::take(&mut self.left_out));
    }
}
