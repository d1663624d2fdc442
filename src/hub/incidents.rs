//! Use cases of incidents: open, extend, close and list them.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::decide::StandingIntent;
use super::read::{self, ReadError};
use super::sequencer::{SequenceError, Sequencer};
use crate::domain::{Clock, Code, Fact, Incident, IncidentChange, Timestamp};
use crate::policy::{IncidentError, Permit, Proposals, Register, is_standing, operation};
use crate::store::Store;

/// Keeps incidents.
#[derive(Clone)]
pub struct Incidents {
    pub(super) sequencer: Sequencer,
    pub(super) store: Arc<Store>,
    pub(super) register: Arc<ArcSwap<Register>>,
    pub(super) clock: Arc<dyn Clock>,
}

/// What somebody asks to become of an incident. Without an end: as late as the rules allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WantedChange {
    Open { kind: Code, is_drill: bool, until: Option<Timestamp> },
    Extend { until: Option<Timestamp> },
    Close,
}

/// An incident after somebody asked for a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentView {
    pub incident: Incident,
    pub is_open: bool,
}

/// Why an incident was not changed, or is not to be seen.
#[derive(Debug, thiserror::Error)]
pub enum IncidentsError {
    /// The sequencer did not take it.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It was never opened.
    #[error(transparent)]
    Incident(#[from] IncidentError),
}

impl Incidents {
    /// Proposes a change of the incident `code`, or seconds what another person has proposed; whether it acts now.
    ///
    /// # Errors
    /// [`IncidentsError`].
    pub async fn change(
        &self,
        permit: &Permit<operation::ChangeIncident>,
        code: Code,
        wanted: WantedChange,
    ) -> Result<(IncidentView, bool), IncidentsError> {
        let hours = self.register.load().rules().incidents.open_hours;
        let latest = self.clock.now().plus(Duration::from_hours(u64::from(hours)));
        let change = match wanted {
            WantedChange::Open { kind, is_drill, until } => {
                IncidentChange::Open { kind, is_drill, until: until.unwrap_or(latest) }
            }
            WantedChange::Extend { until } => IncidentChange::Extend { until: until.unwrap_or(latest) },
            WantedChange::Close => IncidentChange::Close,
        };
        let intent = StandingIntent::ChangeIncident { incident: code.clone(), change };
        let sequenced = self.sequencer.submit(permit.authority(), intent.into()).await?;
        let fact = read::event(&self.store, sequenced.index)?.map(|event| event.fact);
        let is_enough = matches!(fact, Some(Fact::IncidentChanged { is_enough: true, .. }));
        // The register is newer than the answer.
        let register = self.register.load();
        let incident = register.incident(&code).ok_or(IncidentError::NoSuch(code))?;
        Ok((self.view(incident.clone(), Proposals::Told), is_enough))
    }

    /// All incidents that `permit` may see: open ones first, then the newest.
    pub fn list(&self, permit: &Permit<operation::ListIncidents>) -> Vec<IncidentView> {
        let proposals = permit.principal().sight().proposals;
        let register = self.register.load();
        let views = register.incidents().map(|incident| self.view(incident.clone(), proposals));
        let is_there = |view: &IncidentView| view.incident.opened.is_some() || !view.incident.proposed.is_empty();
        let mut views: Vec<_> = views.filter(is_there).collect();
        views.sort_by_key(|view| (Reverse(view.is_open), Reverse(view.incident.event)));
        views
    }

    fn view(&self, mut incident: Incident, proposals: Proposals) -> IncidentView {
        let now = self.clock.now();
        incident.proposed.retain(|proposed| proposals == Proposals::Told && is_standing(proposed, now));
        IncidentView { is_open: incident.is_open(now), incident }
    }
}
