//! How much each member, and each of its keys, may use: token buckets, kept in memory.
//!
//! What a member uses counts for the member and for the key alike, and has to fit both. A bucket fills again evenly, and is full
//! at the start of the hub. Nothing is waited for: what does not fit now is refused, with the time after which it would.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::access::Principal;
use crate::domain::{Key, KeyId, Member, MemberId, Quota, Status, Timestamp};

/// What may come at once of what is counted by the second, in seconds.
const BURST_SECONDS: u32 = 10;
const DAY_SECONDS: u32 = 86_400;
/// What a member may report and appeal a day: each is an event that stays. Nobody has more, whatever its quota.
const FEEDBACK_PER_DAY: u32 = 10_000;

/// A quota without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Signals looked up, a second; ten times as many at once.
    pub checks_per_second: u32,
    /// Bytes of pictures, a second; ten times as many at once.
    pub media_bytes_per_second: u32,
    /// Entries put on the list, a day.
    pub contributions_per_day: u32,
    /// Streams open at the same time.
    pub streams: u32,
}

impl Limits {
    /// More than anything can use.
    pub const NONE: Self = Self {
        checks_per_second: u32::MAX,
        media_bytes_per_second: u32::MAX,
        contributions_per_day: u32::MAX,
        streams: u32::MAX,
    };

    /// These, but where `quota` says something else.
    #[must_use]
    pub fn with(self, quota: &Quota) -> Self {
        Self {
            checks_per_second: quota.checks_per_second.unwrap_or(self.checks_per_second),
            media_bytes_per_second: quota.media_bytes_per_second.unwrap_or(self.media_bytes_per_second),
            contributions_per_day: quota.contributions_per_day.unwrap_or(self.contributions_per_day),
            streams: quota.streams.unwrap_or(self.streams),
        }
    }

    /// The larger of each.
    fn or(self, other: Self) -> Self {
        Self {
            checks_per_second: self.checks_per_second.max(other.checks_per_second),
            media_bytes_per_second: self.media_bytes_per_second.max(other.media_bytes_per_second),
            contributions_per_day: self.contributions_per_day.max(other.contributions_per_day),
            streams: self.streams.max(other.streams),
        }
    }
}

/// The quotas of those who have none of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaTable {
    pub checker: Limits,
    pub contributor: Limits,
    pub trusted: Limits,
    /// Of whoever has duties. Who also has a status has the larger of both.
    pub duties: Limits,
}

impl Default for QuotaTable {
    fn default() -> Self {
        let mib = 1 << 20;
        let limits = |checks_per_second, media_bytes_per_second, contributions_per_day, streams| Limits {
            checks_per_second,
            media_bytes_per_second,
            contributions_per_day,
            streams,
        };
        Self {
            checker: limits(200, 4 * mib, 1, 16),
            contributor: limits(500, 8 * mib, 50_000, 32),
            trusted: limits(2_000, 16 * mib, 500_000, 64),
            duties: limits(50, 4 * mib, 1, 64),
        }
    }
}

impl QuotaTable {
    /// No quotas but members' own.
    pub const NONE: Self =
        Self { checker: Limits::NONE, contributor: Limits::NONE, trusted: Limits::NONE, duties: Limits::NONE };

    /// That of a member without one of its own.
    pub fn of(&self, status: Status, has_duties: bool) -> Limits {
        let own = match status {
            Status::Trusted => Some(self.trusted),
            Status::Contributor => Some(self.contributor),
            Status::Checker => Some(self.checker),
            Status::Applicant | Status::Mentee | Status::Suspended | Status::Left => None,
        };
        match own {
            Some(own) if has_duties => own.or(self.duties),
            Some(own) => own,
            None => self.duties,
        }
    }
}

/// What is counted over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meter {
    /// Signals looked up.
    Checks,
    /// Bytes of pictures sent to be looked up.
    MediaBytes,
    /// Entries put on the list.
    Contributions,
    /// Outcomes reported and appeals opened.
    Feedback,
}

/// What the quotas of a principal come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    status: Status,
    has_duties: bool,
    member: Quota,
    key: Quota,
}

impl Allowance {
    /// Of a member that comes with one of its keys.
    pub(super) fn new(member: &Member, key: &Key) -> Self {
        let (status, has_duties) = (member.status, !member.duties.is_empty());
        Self { status, has_duties, member: member.quota, key: key.quota }
    }
}

/// That a quota is used up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("quota: {whose} may use {what}{}", Again(*.retry_after))]
pub struct Exhausted {
    whose: &'static str,
    what: String,
    /// When the same would fit. `None`: when one of its streams has ended.
    pub retry_after: Option<Duration>,
}

struct Again(Option<Duration>);

impl fmt::Display for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(after) => write!(f, "; try again in {:.1} s", after.as_secs_f64().max(0.1)),
            None => f.write_str("; end one of them first"),
        }
    }
}

/// The quotas, and what has been used of them.
#[derive(Clone, Debug)]
pub struct Quotas {
    table: QuotaTable,
    accounts: Arc<Mutex<HashMap<MemberId, Account>>>,
}

/// What a member has used, and each of its keys. As many as there are members and keys.
#[derive(Debug, Default)]
struct Account {
    member: Used,
    keys: HashMap<KeyId, Used>,
}

/// What has been used lately, a level each that sinks with time.
#[derive(Debug, Default)]
struct Used {
    checks: Bucket,
    media_bytes: Bucket,
    contributions: Bucket,
    feedback: Bucket,
    streams: u32,
}

impl Quotas {
    /// Nothing is used yet.
    pub fn new(table: QuotaTable) -> Self {
        Self { table, accounts: Arc::default() }
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<MemberId, Account>> {
        // No code that can panic runs while it is locked.
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limits(&self, allowance: &Allowance) -> [(&'static str, Limits); 2] {
        let member = self.table.of(allowance.status, allowance.has_duties).with(&allowance.member);
        [("this member", member), ("this key", member.with(&allowance.key))]
    }

    /// Notes that `amount` is used at `now`: all of it, or nothing.
    ///
    /// What is more than ever fits at once passes when nothing else was used, and has to be waited for afterwards.
    ///
    /// # Errors
    /// [`Exhausted`].
    pub fn take(&self, who: &Principal, meter: Meter, amount: u64, now: Timestamp) -> Result<(), Exhausted> {
        let limits = self.limits(&who.allowance);
        let mut accounts = self.accounts();
        let account = accounts.entry(who.member).or_default();
        let used = [&mut account.member, account.keys.entry(who.key).or_default()];
        let mut refused = None;
        let mut buckets = Vec::with_capacity(2);
        for (used, (whose, limits)) in used.into_iter().zip(limits) {
            let (bucket, rate) = match meter {
                Meter::Checks => (&mut used.checks, Rate::per_second(limits.checks_per_second)),
                Meter::MediaBytes => (&mut used.media_bytes, Rate::per_second(limits.media_bytes_per_second)),
                Meter::Contributions => (&mut used.contributions, Rate::per_day(limits.contributions_per_day)),
                Meter::Feedback => (&mut used.feedback, Rate::per_day(FEEDBACK_PER_DAY)),
            };
            if let Some(wait) = bucket.lacks(amount, rate, now) {
                refused.get_or_insert_with(|| {
                    let what = match meter {
                        Meter::Checks => format!("{} checks a second", limits.checks_per_second),
                        Meter::MediaBytes => format!("{} bytes of pictures a second", limits.media_bytes_per_second),
                        Meter::Contributions => format!("{} contributions a day", limits.contributions_per_day),
                        Meter::Feedback => format!("{FEEDBACK_PER_DAY} reports and appeals a day"),
                    };
                    Exhausted { whose, what, retry_after: Some(wait) }
                });
            }
            buckets.push(bucket);
        }
        if let Some(refused) = refused {
            return Err(refused);
        }
        buckets.into_iter().for_each(|bucket| bucket.level += amount as f64);
        Ok(())
    }

    /// Gives back what was taken for something that came to nothing.
    pub fn give_back(&self, who: &Principal, meter: Meter, amount: u64) {
        let mut accounts = self.accounts();
        let Some(account) = accounts.get_mut(&who.member) else { return };
        for used in [Some(&mut account.member), account.keys.get_mut(&who.key)].into_iter().flatten() {
            let bucket = match meter {
                Meter::Checks => &mut used.checks,
                Meter::MediaBytes => &mut used.media_bytes,
                Meter::Contributions => &mut used.contributions,
                Meter::Feedback => &mut used.feedback,
            };
            bucket.level = (bucket.level - amount as f64).max(0.0);
        }
    }

    /// Notes that a stream is open for as long as the answer is kept.
    ///
    /// # Errors
    /// [`Exhausted`].
    pub fn open_stream(&self, who: &Principal) -> Result<OpenStream, Exhausted> {
        let limits = self.limits(&who.allowance);
        let mut accounts = self.accounts();
        let account = accounts.entry(who.member).or_default();
        let used = [&mut account.member, account.keys.entry(who.key).or_default()];
        for (used, (whose, limits)) in used.iter().zip(limits) {
            if used.streams >= limits.streams {
                let what = format!("{} streams at the same time", limits.streams);
                return Err(Exhausted { whose, what, retry_after: None });
            }
        }
        used.into_iter().for_each(|used| used.streams += 1);
        Ok(OpenStream { quotas: self.clone(), member: who.member, key: who.key })
    }
}

/// A stream that is open. Letting go of it ends it.
#[derive(Debug)]
pub struct OpenStream {
    quotas: Quotas,
    member: MemberId,
    key: KeyId,
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut accounts = self.quotas.accounts();
        let Some(account) = accounts.get_mut(&self.member) else { return };
        account.member.streams -= 1;
        if let Some(key) = account.keys.get_mut(&self.key) {
            key.streams -= 1;
        }
    }
}

/// How fast a bucket's level sinks, and how high it may be.
#[derive(Clone, Copy, Debug)]
struct Rate {
    per_second: f64,
    capacity: f64,
}

impl Rate {
    fn per_second(amount: u32) -> Self {
        Self { per_second: amount.into(), capacity: f64::from(amount) * f64::from(BURST_SECONDS) }
    }

    fn per_day(amount: u32) -> Self {
        Self { per_second: f64::from(amount) / f64::from(DAY_SECONDS), capacity: amount.into() }
    }
}

/// A token bucket, upside down: what has been used, sinking with time.
#[derive(Debug, Default)]
struct Bucket {
    level: f64,
    at: Option<Timestamp>,
}

impl Bucket {
    /// Lets the level sink to what it is at `now`; how long to wait until `amount` fits, if it does not now.
    fn lacks(&mut self, amount: u64, rate: Rate, now: Timestamp) -> Option<Duration> {
        // A clock that was set back lets nothing sink, and nothing rise.
        let elapsed = self.at.map_or(0, |at| now.millis().saturating_sub(at.millis()));
        self.level = (self.level - elapsed as f64 / 1_000.0 * rate.per_second).max(0.0);
        self.at = Some(now);
        let excess = self.level + (amount as f64).min(rate.capacity) - rate.capacity;
        // Sums of fractions are off by a little.
        (excess > 1e-6).then(|| Duration::from_secs_f64((excess / rate.per_second).min(1e9)))
    }
}

#[cfg(test)]
mod tests;
