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
            };
            if let Some(wait) = bucket.lacks(amount, rate, now) {
                refused.get_or_insert_with(|| {
                    let what = match meter {
                        Meter::Checks => format!("{} checks a second", limits.checks_per_second),
                        Meter::MediaBytes => format!("{} bytes of pictures a second", limits.media_bytes_per_second),
                        Meter::Contributions => format!("{} contributions a day", limits.contributions_per_day),
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Credential, KeyMac, Roles};

    const SECOND: u64 = 1_000;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis).unwrap()
    }

    fn table(checks_per_second: u32) -> QuotaTable {
        let checker =
            Limits { checks_per_second, media_bytes_per_second: 1_000, contributions_per_day: 24, streams: 2 };
        QuotaTable { checker, contributor: Limits::NONE, trusted: Limits::NONE, duties: Limits::NONE }
    }

    fn principal(member: u8, key: u8, quotas: [Quota; 2]) -> Principal {
        let (member, key) = (MemberId::from_bytes([member; 5]), KeyId::from_bytes([key; 5]));
        let status = Status::Checker;
        let member = Member {
            status,
            quota: quotas[0],
            ..Member::new(member, "Example".parse().unwrap(), "NZ".parse().unwrap(), at(0))
        };
        let key = Key {
            quota: quotas[1],
            ..Key::new(key, member.id, Roles::new(), Credential::Secret(KeyMac([0; 32])), at(0))
        };
        Principal {
            member: member.id,
            key: key.id,
            roles: Roles::new(),
            status,
            allowance: Allowance::new(&member, &key),
            request: None,
        }
    }

    #[test]
    fn a_burst_passes_and_what_follows_it_only_as_fast_as_the_rate() {
        let quotas = Quotas::new(table(10));
        let who = principal(1, 1, Default::default());
        let take = |amount, millis| quotas.take(&who, Meter::Checks, amount, at(millis));
        assert_eq!(take(100, 0), Ok(()));
        let refused = take(5, 0).unwrap_err();
        assert_eq!(refused.retry_after, Some(Duration::from_millis(500)));
        assert_eq!(refused.to_string(), "quota: this member may use 10 checks a second; try again in 0.5 s");
        // What was refused was not counted.
        assert!(take(5, 499).is_err());
        assert_eq!(take(5, 500), Ok(()));
        assert!(take(1, 500).is_err());
    }

    #[test]
    fn a_day_s_contributions_may_come_at_once_and_fill_again_evenly() {
        let quotas = Quotas::new(table(10));
        let who = principal(1, 1, Default::default());
        let take = |amount, millis| quotas.take(&who, Meter::Contributions, amount, at(millis));
        assert_eq!(take(24, 0), Ok(()));
        assert_eq!(take(1, 0).unwrap_err().retry_after, Some(Duration::from_secs(3_600)));
        assert_eq!(take(1, 3_600 * SECOND), Ok(()));
    }

    #[test]
    fn what_never_fits_at_once_passes_alone_and_is_waited_for_afterwards() {
        let quotas = Quotas::new(table(10));
        let who = principal(1, 1, Default::default());
        let take = |amount, millis| quotas.take(&who, Meter::MediaBytes, amount, at(millis));
        assert_eq!(take(30_000, 0), Ok(()));
        assert!(take(1, 19_999).is_err());
        assert_eq!(take(1, 20_001), Ok(()));
        // But not while something else is being waited for.
        assert!(take(30_000, 20_002).is_err());
    }

    #[test]
    fn members_do_not_use_up_one_another_s_and_keys_of_one_member_do() {
        let quotas = Quotas::new(table(10));
        let take = |who: &Principal| quotas.take(who, Meter::Checks, 60, at(0));
        assert_eq!(take(&principal(1, 1, Default::default())), Ok(()));
        assert!(take(&principal(1, 2, Default::default())).is_err());
        assert_eq!(take(&principal(2, 3, Default::default())), Ok(()));
    }

    #[test]
    fn a_key_s_quota_bounds_that_key_alone_and_a_member_s_own_replaces_the_table_s() {
        let quotas = Quotas::new(table(10));
        let own = |checks| Quota { checks_per_second: Some(checks), ..Quota::default() };
        let narrow = principal(1, 1, [own(100), own(1)]);
        let take = |who: &Principal, amount| quotas.take(who, Meter::Checks, amount, at(0));
        assert_eq!(take(&narrow, 10), Ok(()));
        let refused = take(&narrow, 1).unwrap_err();
        assert!(refused.to_string().starts_with("quota: this key may use 1 checks a second"), "{refused}");
        assert_eq!(take(&principal(1, 2, [own(100), Quota::default()]), 990), Ok(()));
    }

    #[test]
    fn what_a_key_is_refused_its_member_has_not_used() {
        let quotas = Quotas::new(table(10));
        let narrow = Quota { checks_per_second: Some(1), ..Quota::default() };
        let narrow = principal(1, 1, [Quota::default(), narrow]);
        let take = |who: &Principal, amount| quotas.take(who, Meter::Checks, amount, at(0));
        assert_eq!(take(&narrow, 10), Ok(()));
        (0..100).for_each(|_| assert!(take(&narrow, 10).is_err()));
        assert_eq!(take(&principal(1, 2, Default::default()), 90), Ok(()));
    }

    #[test]
    fn a_stream_counts_for_as_long_as_it_is_open() {
        let quotas = Quotas::new(table(10));
        let who = principal(1, 1, Default::default());
        let first = quotas.open_stream(&who).unwrap();
        let _second = quotas.open_stream(&principal(1, 2, Default::default())).unwrap();
        assert_eq!(quotas.open_stream(&who).unwrap_err().retry_after, None);
        assert!(quotas.open_stream(&principal(2, 3, Default::default())).is_ok());
        drop(first);
        assert!(quotas.open_stream(&who).is_ok());
    }

    #[test]
    fn a_clock_that_is_set_back_neither_fills_nor_drains() {
        let quotas = Quotas::new(table(10));
        let who = principal(1, 1, Default::default());
        let take = |amount, millis| quotas.take(&who, Meter::Checks, amount, at(millis));
        assert_eq!(take(100, 60 * SECOND), Ok(()));
        assert!(take(1, 0).is_err());
        assert_eq!(take(10, SECOND), Ok(()));
    }

    #[test]
    fn who_has_duties_and_a_status_has_the_larger_of_both() {
        let table = QuotaTable::default();
        let both = table.of(Status::Checker, true);
        assert_eq!((both.checks_per_second, both.streams), (table.checker.checks_per_second, table.duties.streams));
        assert_eq!(table.of(Status::Applicant, true), table.duties);
        assert_eq!(table.of(Status::Trusted, false), table.trusted);
    }

    proptest! {
        /// However it comes, no more passes in a time than the burst and the rate allow.
        #[test]
        fn no_more_passes_than_burst_and_rate(
            rate in 1_u32..1_000,
            asks in prop::collection::vec((0_u64..2_000, 1_u64..500), 1..200),
        ) {
            let quotas = Quotas::new(table(rate));
            let who = principal(1, 1, Default::default());
            let (mut now, mut passed) = (0, 0);
            for (pause, amount) in asks {
                now += pause;
                // Only what fits at once.
                let amount = amount.min(u64::from(rate) * 10);
                match quotas.take(&who, Meter::Checks, amount, at(now)) {
                    Ok(()) => passed += amount,
                    Err(refused) => {
                        // And when it says, it does.
                        let later = now + refused.retry_after.unwrap().as_millis() as u64 + 1;
                        if later - now < 500 {
                            now = later;
                            prop_assert_eq!(quotas.take(&who, Meter::Checks, amount, at(now)), Ok(()));
                            passed += amount;
                        }
                    }
                }
                let most = f64::from(rate) * (10.0 + now as f64 / 1_000.0);
                prop_assert!(passed as f64 <= most + 1e-3, "{passed} > {most}");
            }
        }
    }
}
