//! Use case: tell how far a member's contributions are believed.

use super::appeals::FeedbackError;
use super::view::Viewer;
use crate::domain::{MemberId, Trust};
use crate::policy::{Feedback, Permit, operation, trust};

/// Tells how far members are believed.
#[derive(Clone)]
pub struct Believe {
    pub(super) viewer: Viewer,
}

/// How far a member is believed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustView {
    pub member: MemberId,
    pub percent: u8,
    /// Less than this is too little to stand alone.
    pub review_below_percent: u8,
    /// The sums as they are now.
    pub trust: Trust,
    /// What that means, in plain words.
    pub words: String,
}

impl Believe {
    /// How far `member`, or the caller's own, is believed now.
    ///
    /// # Errors
    /// [`FeedbackError::NoSuchMember`].
    pub fn run(
        &self,
        permit: &Permit<operation::ReadTrust>,
        member: Option<MemberId>,
    ) -> Result<TrustView, FeedbackError> {
        let principal = permit.principal();
        let member = member.unwrap_or(principal.member);
        let may_see = member == principal.member || principal.sight().feedback == Feedback::All;
        if !may_see || self.viewer.roster.load().member(member).is_none() {
            return Err(FeedbackError::NoSuchMember(member));
        }
        let (register, now) = (self.viewer.register.load(), self.viewer.clock.now());
        let trust = trust::aged(register.trust(member), now);
        let (percent, review_below_percent) =
            (trust::percent(&trust, now), register.rules().trust.review_below_percent);
        let words = trust::words(percent, review_below_percent);
        Ok(TrustView { member, percent, review_below_percent, trust, words })
    }
}
