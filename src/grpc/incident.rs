//! `IncidentService`.

use tonic::{Request, Response, Status};

use super::{Desk, permit};
use crate::domain::Code;
use crate::hub::WantedChange;
use crate::policy::{Permit, operation};
use crate::wire::v1::{self, incident_service_server::IncidentService};
use crate::wire::{IntoStatus, debrief, extend_request, incident, incident_code, open_request};

pub(super) struct Service(pub(super) Desk);

type Changed = Result<Response<v1::ChangeIncidentResponse>, Status>;

impl Service {
    async fn change(&self, permit: &Permit<operation::ChangeIncident>, code: Code, wanted: WantedChange) -> Changed {
        let incidents = &self.0.use_cases()?.incidents;
        let (view, is_enough) = incidents.change(permit, code, wanted).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(v1::ChangeIncidentResponse { incident: Some(incident(&view)), is_enough }))
    }
}

#[tonic::async_trait]
impl IncidentService for Service {
    #[tracing::instrument(name = "open_incident", skip_all)]
    async fn open_incident(&self, request: Request<v1::OpenIncidentRequest>) -> Changed {
        let permit = permit(&request)?;
        let (code, wanted) = open_request(request.get_ref()).map_err(IntoStatus::into_status)?;
        self.change(&permit, code, wanted).await
    }

    #[tracing::instrument(name = "extend_incident", skip_all)]
    async fn extend_incident(&self, request: Request<v1::ExtendIncidentRequest>) -> Changed {
        let permit = permit(&request)?;
        let (code, wanted) = extend_request(request.get_ref()).map_err(IntoStatus::into_status)?;
        self.change(&permit, code, wanted).await
    }

    #[tracing::instrument(name = "close_incident", skip_all)]
    async fn close_incident(&self, request: Request<v1::CloseIncidentRequest>) -> Changed {
        let permit = permit(&request)?;
        let code = incident_code(&request.get_ref().code).map_err(IntoStatus::into_status)?;
        self.change(&permit, code, WantedChange::Close).await
    }

    #[tracing::instrument(name = "list_incidents", level = "debug", skip_all)]
    async fn list_incidents(
        &self,
        request: Request<v1::ListIncidentsRequest>,
    ) -> Result<Response<v1::ListIncidentsResponse>, Status> {
        let incidents = &self.0.use_cases()?.incidents;
        let permit = permit::<operation::ListIncidents, _>(&request)?;
        let incidents = incidents.list(&permit).iter().map(incident).collect();
        Ok(Response::new(v1::ListIncidentsResponse { incidents }))
    }

    #[tracing::instrument(name = "debrief", skip_all)]
    async fn get_debrief(&self, request: Request<v1::GetDebriefRequest>) -> Result<Response<v1::Debrief>, Status> {
        let incidents = &self.0.use_cases()?.debriefs;
        let permit = permit::<operation::ReadDebrief, _>(&request)?;
        let code = incident_code(&request.get_ref().code).map_err(IntoStatus::into_status)?;
        let made = incidents.run(&permit, code).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(debrief(&made)))
    }
}
