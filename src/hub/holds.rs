//! Use cases of preservation holds: place, lift and list them.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::decide::StandingIntent;
use super::sequencer::{SequenceError, Sequencer};
use crate::domain::{Clock, Hold, HoldTerms};
use crate::policy::retention::HoldError;
use crate::policy::{Permit, Register, operation};

/// Keeps holds.
#[derive(Clone)]
pub struct Holds {
    pub(super) sequencer: Sequencer,
    pub(super) register: Arc<ArcSwap<Register>>,
    pub(super) clock: Arc<dyn Clock>,
}

/// A hold as it stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldView {
    pub hold: Hold,
    pub in_force: bool,
}

impl Holds {
    /// Places a hold.
    ///
    /// # Errors
    /// [`SequenceError`].
    pub async fn place(
        &self,
        permit: &Permit<operation::ChangeHolds>,
        terms: HoldTerms,
    ) -> Result<HoldView, SequenceError> {
        let intent = StandingIntent::PlaceHold(terms);
        let id = self.sequencer.submit(permit.authority(), intent.into()).await?.index;
        self.view(id)
    }

    /// Ends a hold before its time.
    ///
    /// # Errors
    /// [`SequenceError`].
    pub async fn lift(&self, permit: &Permit<operation::ChangeHolds>, id: u64) -> Result<HoldView, SequenceError> {
        self.sequencer.submit(permit.authority(), StandingIntent::LiftHold(id).into()).await?;
        self.view(id)
    }

    /// All holds, oldest first.
    pub fn list(&self, _permit: &Permit<operation::ListHolds>) -> Vec<HoldView> {
        let now = self.clock.now();
        let view = |hold: &Hold| HoldView { hold: hold.clone(), in_force: hold.is_in_force(now) };
        self.register.load().holds().map(view).collect()
    }

    fn view(&self, id: u64) -> Result<HoldView, SequenceError> {
        let register = self.register.load();
        let hold = register.hold(id).ok_or(HoldError::NoSuch(id)).map_err(super::Refusal::from)?.clone();
        Ok(HoldView { in_force: hold.is_in_force(self.clock.now()), hold })
    }
}
