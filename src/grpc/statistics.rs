//! `StatisticsService`.

use tonic::{Request, Response, Status};

use super::{Desk, permit};
use crate::policy::operation;
use crate::wire::v1::{self, statistics_service_server::StatisticsService};
use crate::wire::{self, IntoStatus};

pub(super) struct Service(pub(super) Desk);

#[tonic::async_trait]
impl StatisticsService for Service {
    #[tracing::instrument(name = "report", skip_all)]
    async fn get_report(
        &self,
        request: Request<v1::GetReportRequest>,
    ) -> Result<Response<v1::StatisticsReport>, Status> {
        let statist = &self.0.use_cases()?.statistics;
        let permit = permit::<operation::ReadStatistics, _>(&request)?;
        let period = wire::period(request.get_ref()).map_err(IntoStatus::into_status)?;
        let report = statist.report(&permit, period).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(wire::statistics(&report)))
    }

    #[tracing::instrument(name = "draw_sample", skip_all)]
    async fn draw_sample(
        &self,
        request: Request<v1::DrawSampleRequest>,
    ) -> Result<Response<v1::DrawSampleResponse>, Status> {
        let statist = &self.0.use_cases()?.statistics;
        let permit = permit::<operation::Sample, _>(&request)?;
        let (nonce, count) = wire::draw_request(request.get_ref()).map_err(IntoStatus::into_status)?;
        let drawn = statist.draw(&permit, nonce, count).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(wire::drawn(&drawn)))
    }

    #[tracing::instrument(name = "judge_sample", skip_all)]
    async fn judge_sample(
        &self,
        request: Request<v1::JudgeSampleRequest>,
    ) -> Result<Response<v1::JudgeSampleResponse>, Status> {
        let statist = &self.0.use_cases()?.statistics;
        let permit = permit::<operation::Sample, _>(&request)?;
        let (sample, entry, verdict) = wire::judgement(request.get_ref()).map_err(IntoStatus::into_status)?;
        let event = statist.judge(&permit, sample, entry, verdict).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(v1::JudgeSampleResponse { event }))
    }
}
