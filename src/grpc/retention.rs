//! `RetentionService`.

use tonic::{Request, Response, Status};

use super::{Desk, permit};
use crate::policy::operation;
use crate::wire::v1::{self, retention_service_server::RetentionService};
use crate::wire::{IntoStatus, hold, hold_terms};

pub(super) struct Service(pub(super) Desk);

#[tonic::async_trait]
impl RetentionService for Service {
    #[tracing::instrument(name = "place_hold", skip_all)]
    async fn place_hold(
        &self,
        request: Request<v1::PlaceHoldRequest>,
    ) -> Result<Response<v1::PlaceHoldResponse>, Status> {
        let permit = permit::<operation::ChangeHolds, _>(&request)?;
        let terms = hold_terms(request.get_ref()).map_err(IntoStatus::into_status)?;
        let placed = self.0.use_cases()?.holds.place(&permit, terms).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(v1::PlaceHoldResponse { hold: Some(hold(&placed)) }))
    }

    #[tracing::instrument(name = "lift_hold", skip_all)]
    async fn lift_hold(&self, request: Request<v1::LiftHoldRequest>) -> Result<Response<v1::LiftHoldResponse>, Status> {
        let permit = permit::<operation::ChangeHolds, _>(&request)?;
        let id = request.get_ref().hold_id;
        let lifted = self.0.use_cases()?.holds.lift(&permit, id).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(v1::LiftHoldResponse { hold: Some(hold(&lifted)) }))
    }

    #[tracing::instrument(name = "list_holds", level = "debug", skip_all)]
    async fn list_holds(
        &self,
        request: Request<v1::ListHoldsRequest>,
    ) -> Result<Response<v1::ListHoldsResponse>, Status> {
        let permit = permit::<operation::ListHolds, _>(&request)?;
        let holds = self.0.use_cases()?.holds.list(&permit).iter().map(hold).collect();
        Ok(Response::new(v1::ListHoldsResponse { holds }))
    }
}
