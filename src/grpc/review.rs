//! `ReviewService`.

use tonic::{Code, Request, Response, Status};

use super::{Desk, permit};
use crate::domain::{At, EntryId, check_count};
use crate::hub::{AddedBenign, BENIGN_ITEMS_MAX, BenignError};
use crate::policy::operation;
use crate::wire::v1::{self, review_service_server::ReviewService};
use crate::wire::{
    self, IntoStatus, benign_item, benign_page, decision, page_size, queue_page, queue_query, retry_after,
    signals_from_wire, traced,
};

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

    #[tracing::instrument(name = "list_queue", skip_all)]
    async fn list_queue(
        &self,
        request: Request<v1::ListQueueRequest>,
    ) -> Result<Response<v1::ListQueueResponse>, Status> {
        let queue = &self.0.use_cases()?.queue;
        let permit = permit::<operation::ReadQueue, _>(&request)?;
        let query = queue_query(request.get_ref()).map_err(IntoStatus::into_status)?;
        Ok(Response::new(queue_page(&queue.run(&permit, &query).await.map_err(IntoStatus::into_status)?)))
    }

    #[tracing::instrument(name = "decide", skip_all, fields(entry = request.get_ref().entry_id))]
    async fn decide(&self, request: Request<v1::DecideRequest>) -> Result<Response<v1::DecideResponse>, Status> {
        let review = &self.0.use_cases()?.review;
        let permit = permit::<operation::Review, _>(&request)?;
        let decision = decision(request.get_ref()).map_err(IntoStatus::into_status)?;
        let ruled = review.decide(&permit, EntryId(request.get_ref().entry_id), decision).await;
        let ruled = ruled.map_err(IntoStatus::into_status)?;
        let assessment = Some(wire::assessment(&ruled.view.assessment));
        Ok(Response::new(v1::DecideResponse { assessment, acts: ruled.acts, event: ruled.event }))
    }

    #[tracing::instrument(name = "add_benign", skip_all, fields(items = request.get_ref().items.len()))]
    async fn add_benign(
        &self,
        request: Request<v1::AddBenignRequest>,
    ) -> Result<Response<v1::AddBenignResponse>, Status> {
        let benign = &self.0.use_cases()?.benign;
        let permit = permit::<operation::Review, _>(&request)?;
        let items = &request.get_ref().items;
        check_count("items", items.len(), BENIGN_ITEMS_MAX).map_err(IntoStatus::into_status)?;
        let read = |(at, item)| benign_item(item).map_err(|error| error.within(format_args!("items[{at}]")));
        let items = items.iter().enumerate().map(read).collect();
        let answers = benign.add(&permit, items).await.into_iter().map(answer).collect::<Result<_, _>>()?;
        Ok(Response::new(v1::AddBenignResponse { answers }))
    }

    #[tracing::instrument(name = "remove_benign", skip_all, fields(benign = request.get_ref().benign_id))]
    async fn remove_benign(
        &self,
        request: Request<v1::RemoveBenignRequest>,
    ) -> Result<Response<v1::RemoveBenignResponse>, Status> {
        let benign = &self.0.use_cases()?.benign;
        let permit = permit::<operation::Review, _>(&request)?;
        let removed = benign.remove(&permit, request.get_ref().benign_id).await;
        Ok(Response::new(v1::RemoveBenignResponse { event: removed.map_err(IntoStatus::into_status)? }))
    }

    #[tracing::instrument(name = "list_benign", skip_all)]
    async fn list_benign(
        &self,
        request: Request<v1::ListBenignRequest>,
    ) -> Result<Response<v1::ListBenignResponse>, Status> {
        let benign = &self.0.use_cases()?.benign;
        let permit = permit::<operation::ReadQueue, _>(&request)?;
        let request = request.into_inner();
        let size = page_size(request.page_size).map_err(IntoStatus::into_status)?;
        let page = benign.list(&permit, request.from, size).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(benign_page(&page)))
    }

    #[tracing::instrument(name = "delist", skip_all)]
    async fn delist_entity(
        &self,
        request: Request<v1::DelistEntityRequest>,
    ) -> Result<Response<v1::DelistEntityResponse>, Status> {
        let review = &self.0.use_cases()?.review;
        let permit = permit::<operation::Delist, _>(&request)?;
        let entity = request.get_ref().entity.parse().at("entity").map_err(IntoStatus::into_status)?;
        let (event, entries) = review.delist(&permit, entity).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(v1::DelistEntityResponse { event, entries }))
    }
}

/// What became of one item. Only a lost permit, or a hub that takes nothing more, is an answer to all of them.
fn answer(added: Result<AddedBenign, BenignError>) -> Result<v1::add_benign_response::Answer, Status> {
    use v1::add_benign_response::{Added, Answer, answer::Outcome};
    let outcome = match added.map_err(IntoStatus::into_status) {
        Ok(AddedBenign { id, repeated }) => Outcome::Added(Added { benign_id: id, repeated }),
        Err(status)
            if matches!(
                status.code(),
                Code::Unauthenticated | Code::PermissionDenied | Code::Unavailable | Code::Internal
            ) =>
        {
            return Err(status);
        }
        Err(status) => Outcome::Rejected(v1::Rejected {
            code: status.code().into(),
            message: status.message().to_owned(),
            retry_after: retry_after(&status),
        }),
    };
    Ok(Answer { outcome: Some(outcome) })
}
