//! The closed sets: the API's enums against the domain's.

use super::v1;
use crate::domain::{
    Action, AnalystTier, Attention, BenignClass, ChecklistItem, Context, FieldError, Orientation, Origin, Producer,
    ReadKind, Reviewers, Role, Ruling, RulingReason, SignalKind, Standing, Status, StatusReason, Tlp, WithdrawReason,
};
use crate::policy::Band;

/// A domain enum that the API has an enum for.
pub trait Coded: Sized + Copy + PartialEq + std::fmt::Display + 'static {
    /// The API's enum.
    type Wire: Copy + PartialEq + TryFrom<i32> + Into<i32> + 'static;
    /// Every pair, once.
    const PAIRS: &'static [(Self, Self::Wire)];

    /// The API's number for the value.
    fn to_wire(self) -> i32 {
        // `PAIRS` has every value: the tests of this file walk them all.
        Self::PAIRS.iter().find(|(value, _)| *value == self).map_or(0, |(_, wire)| (*wire).into())
    }

    /// Reads the API's number.
    ///
    /// # Errors
    /// At `path`: unspecified, or a number that is no value.
    fn from_wire(number: i32, path: impl Into<String>) -> Result<Self, FieldError> {
        let wire = Self::Wire::try_from(number).ok();
        let found = wire.and_then(|wire| Self::PAIRS.iter().find(|(_, other)| *other == wire));
        found.map(|(value, _)| *value).ok_or_else(|| {
            let codes: Vec<_> = Self::PAIRS.iter().map(|(value, _)| value.to_string()).collect();
            let got = if number == 0 { "nothing".to_owned() } else { number.to_string() };
            FieldError::new(path, format_args!("must be one of {}, got {got}", codes.join(", ")))
        })
    }
}

macro_rules! coded {
    ($($domain:ident = $wire:ident { $($value:ident = $wire_value:ident),+ $(,)? })+) => {
        $(
            impl Coded for $domain {
                type Wire = v1::$wire;
                const PAIRS: &'static [(Self, v1::$wire)] = &[$((Self::$value, v1::$wire::$wire_value)),+];
            }
        )+

        #[cfg(test)]
        mod tests {
            use super::*;

            #[test]
            fn every_value_goes_over_the_wire_and_comes_back() {
                $(
                    for value in $domain::ALL {
                        assert_eq!($domain::from_wire(value.to_wire(), "field").unwrap(), *value);
                    }
                )+
            }

            #[test]
            fn an_absent_or_unknown_number_names_the_field_and_what_is_allowed() {
                $(
                    for number in [0, 99, -1] {
                        let error = $domain::from_wire(number, "field").unwrap_err();
                        assert!(error.to_string().starts_with("field: must be one of "), "{error}");
                    }
                )+
            }
        }
    };
}

coded! {
    SignalKind = SignalKind { Pdq = Pdq, Phash = Phash, Dhash = Dhash, Md5 = Md5, Sha256 = Sha256 }
    Origin = Origin { Human = Human, Automated = Automated, Uncertain = Uncertain }
    Reviewers = Reviewers { None = None, One = One, TwoOrMore = TwoOrMore }
    Producer = Producer {
        Perpetrator = Perpetrator, Accomplice = Accomplice, Bystander = Bystander, Media = Media, Unknown = Unknown,
    }
    Context = Context {
        News = News, Evidence = Evidence, CounterSpeech = CounterSpeech, Satire = Satire, Research = Research,
        Synthetic = Synthetic,
    }
    Tlp = Tlp { Clear = Clear, Green = Green, Amber = Amber, AmberStrict = AmberStrict, Red = Red }
    Action = Action { LogOnly = LogOnly, Review = Review, BlockPendingReview = BlockPendingReview, Block = Block }
    AnalystTier = AnalystTier {
        ThreatToLife = ThreatToLife, Crisis = Crisis, Designation = Designation, Promotional = Promotional,
    }
    Standing = Standing {
        Quarantined = Quarantined, Provisional = Provisional, Active = Active, Disputed = Disputed, Withdrawn = Withdrawn,
        Revoked = Revoked, Expired = Expired,
    }
    Orientation = Orientation {
        AsStored = AsStored, Rotated90 = Rotated90, Rotated180 = Rotated180, Rotated270 = Rotated270,
        FlippedHorizontally = FlippedHorizontally, FlippedVertically = FlippedVertically, Transposed = Transposed,
        Transversed = Transversed,
    }
    Status = MemberStatus {
        Applicant = Applicant, Mentee = Mentee, Checker = Checker, Contributor = Contributor, Trusted = Trusted,
        Suspended = Suspended, Left = Left,
    }
    ChecklistItem = ChecklistItem {
        Policy = Policy, ReportsAndAppeals = ReportsAndAppeals, TransparencyReport = TransparencyReport,
        HumanRights = HumanRights, Contact = Contact, DataProtection = DataProtection,
    }
    StatusReason = StatusReason {
        Requested = Requested, KeyCompromised = KeyCompromised, Contributions = Contributions, Abuse = Abuse,
        Checklist = Checklist, Unreachable = Unreachable, Legal = Legal,
    }
    Attention = Attention {
        Disputed = Disputed, Flooded = Flooded, CompromisedKey = CompromisedKey, BenignNear = BenignNear, Excess = Excess,
        Appeal = Appeal, Proposal = Proposal, ExpiringIncident = ExpiringIncident, Delisted = Delisted,
    }
    Ruling = Ruling {
        Uphold = Uphold, Confirm = Confirm, Lower = Lower, Relabel = Relabel, Revoke = Revoke, Reinstate = Reinstate,
    }
    RulingReason = RulingReason {
        EvidenceSound = EvidenceSound, FalsePositive = FalsePositive, Context = Context, WrongLabel = WrongLabel,
        Outdated = Outdated, KeyCompromised = KeyCompromised, Benign = Benign, Delisted = Delisted, Appeal = Appeal,
        Legal = Legal,
    }
    BenignClass = BenignClass { News = News, Evidence = Evidence, Logo = Logo, Flat = Flat, Common = Common }
    Band = Band { Identical = Identical, Near = Near, Similar = Similar }
    ReadKind = ReadKind { Entries = Entries, Events = Events, Names = Names }
    Role = Role { Checker = Checker, Contributor = Contributor, Reviewer = Reviewer, Auditor = Auditor, Admin = Admin }
}

// Zero, "unspecified", is a value here: a reason need not be given.
impl Coded for WithdrawReason {
    type Wire = v1::WithdrawReason;
    const PAIRS: &'static [(Self, v1::WithdrawReason)] = &[
        (Self::Unspecified, v1::WithdrawReason::Unspecified),
        (Self::Mistake, v1::WithdrawReason::Mistake),
        (Self::WrongLabel, v1::WithdrawReason::WrongLabel),
        (Self::Outdated, v1::WithdrawReason::Outdated),
        (Self::Superseded, v1::WithdrawReason::Superseded),
    ];
}
