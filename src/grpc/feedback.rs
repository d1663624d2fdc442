//! `FeedbackService`.

use tonic::{Request, Response, Status};

use super::{Desk, permit};
use crate::domain::At;
use crate::policy::operation;
use crate::wire::v1::{self, feedback_service_server::FeedbackService};
use crate::wire::{
    IntoStatus, appeal, appeals, feedback_page_size, optional, report_from_wire, reversals, trust, trust_query,
};

pub(super) struct Service(pub(super) Desk);

#[tonic::async_trait]
impl FeedbackService for Service {
    #[tracing::instrument(name = "report_outcome", skip_all)]
    async fn report_outcome(
        &self,
        request: Request<v1::ReportOutcomeRequest>,
    ) -> Result<Response<v1::ReportOutcomeResponse>, Status> {
        let report = &self.0.use_cases()?.report;
        let permit = permit::<operation::Report, _>(&request)?;
        let (subject, finding) = report_from_wire(request.get_ref()).map_err(IntoStatus::into_status)?;
        let (event, entry) = report.run(&permit, &subject, finding).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(v1::ReportOutcomeResponse { event, entry_id: entry.0 }))
    }

    #[tracing::instrument(name = "open_appeal", skip_all)]
    async fn open_appeal(
        &self,
        request: Request<v1::OpenAppealRequest>,
    ) -> Result<Response<v1::OpenAppealResponse>, Status> {
        let use_case = &self.0.use_cases()?.appeals;
        let permit = permit::<operation::Appeal, _>(&request)?;
        let request = request.into_inner();
        let ground = request.ground.parse().at("ground").map_err(IntoStatus::into_status)?;
        let note = optional(&request.note, "note").map_err(IntoStatus::into_status)?;
        let opened = use_case.open(&permit, &request.receipt, ground, note).await;
        let (view, repeated) = opened.map_err(IntoStatus::into_status)?;
        Ok(Response::new(v1::OpenAppealResponse { appeal: Some(appeal(&view)), repeated }))
    }

    #[tracing::instrument(name = "list_appeals", level = "debug", skip_all)]
    async fn list_appeals(
        &self,
        request: Request<v1::ListAppealsRequest>,
    ) -> Result<Response<v1::ListAppealsResponse>, Status> {
        let use_case = &self.0.use_cases()?.appeals;
        let permit = permit::<operation::ListAppeals, _>(&request)?;
        let request = request.into_inner();
        let size = feedback_page_size(request.page_size).map_err(IntoStatus::into_status)?;
        let page = use_case.page(&permit, request.open_only, request.from.unwrap_or(0), size).await;
        Ok(Response::new(appeals(&page.map_err(IntoStatus::into_status)?)))
    }

    #[tracing::instrument(name = "list_reversals", level = "debug", skip_all)]
    async fn list_reversals(
        &self,
        request: Request<v1::ListReversalsRequest>,
    ) -> Result<Response<v1::ListReversalsResponse>, Status> {
        let use_case = &self.0.use_cases()?.reversals;
        let permit = permit::<operation::ListReversals, _>(&request)?;
        let request = request.into_inner();
        let size = feedback_page_size(request.page_size).map_err(IntoStatus::into_status)?;
        let page = use_case.page(&permit, request.since, size).await;
        Ok(Response::new(reversals(&page.map_err(IntoStatus::into_status)?)))
    }

    #[tracing::instrument(name = "get_trust", level = "debug", skip_all)]
    async fn get_trust(&self, request: Request<v1::GetTrustRequest>) -> Result<Response<v1::GetTrustResponse>, Status> {
        let believe = &self.0.use_cases()?.believe;
        let permit = permit::<operation::ReadTrust, _>(&request)?;
        let member = trust_query(request.get_ref()).map_err(IntoStatus::into_status)?;
        Ok(Response::new(trust(&believe.run(&permit, member).map_err(IntoStatus::into_status)?)))
    }
}
