//! Quotas over time.

use proptest::prelude::*;

use super::*;
use crate::domain::{Credential, KeyMac, Roles};

const SECOND: u64 = 1_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

fn table(checks_per_second: u32) -> QuotaTable {
    let checker = Limits { checks_per_second, media_bytes_per_second: 1_000, contributions_per_day: 24, streams: 2 };
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
    let key =
        Key { quota: quotas[1], ..Key::new(key, member.id, Roles::new(), Credential::Secret(KeyMac([0; 32])), at(0)) };
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
fn of_reports_and_appeals_so_many_are_taken_a_day_whatever_the_quota() {
    let quotas = Quotas::new(QuotaTable::NONE);
    let who = principal(1, 1, Default::default());
    let take = |amount, millis| quotas.take(&who, Meter::Feedback, amount, at(millis));
    assert_eq!(take(10_000, 0), Ok(()));
    let refused = take(1, 0).unwrap_err();
    assert_eq!(refused.to_string(), "quota: this member may use 10000 reports and appeals a day; try again in 8.6 s");
    assert_eq!(take(1, 8_640), Ok(()));
    quotas.give_back(&who, Meter::Feedback, 1);
    assert_eq!(take(1, 8_640), Ok(()));
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
fn what_is_given_back_may_be_taken_again_by_the_key_and_by_the_member() {
    let quotas = Quotas::new(table(10));
    let who = principal(1, 1, Default::default());
    let take = |amount| quotas.take(&who, Meter::Contributions, amount, at(0));
    assert_eq!(take(24), Ok(()));
    quotas.give_back(&who, Meter::Contributions, 4);
    assert_eq!(take(4), Ok(()));
    assert!(take(1).is_err());
    quotas.give_back(&who, Meter::Contributions, 1_000);
    assert_eq!(take(24), Ok(()), "and no more than was taken");
    assert!(take(1).is_err());
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
