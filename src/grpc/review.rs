//! `ReviewService`.

use tonic::{Request, Response, Status};

use super::{Desk, permit};
use crate::domain::EntryId;
use crate::policy::operation;
use crate::wire::v1::{self, review_service_server::ReviewService};
use crate::wire::{IntoStatus, signals_from_wire, traced};

pub(super) struct Service(pub(super) Desk);

#[tonic::async_trait]
impl ReviewService for Service {
    #[tracing::instrument(name = "trace", skip_all, fields(entry = request.get_ref().entry_id))]
    async fn trace(&self, request: Request<v1::TraceRequest>) -> Result<Response<v1::TraceResponse>, Status> {
        let use_cases = self.0.use_cases()?;
        let permit = permit::<operation::Trace, _>(&request)?;
        let request = request.into_inner();
        let against = signals_from_wire(&request.against, "against").map_err(IntoStatus::into_status)?;
        let found = use_cases.trace.run(&permit, EntryId(request.entry_id), &against).await;
        Ok(Response::new(traced(&found.map_err(IntoStatus::into_status)?)))
    }
}
