//! `LedgerService`.

use std::collections::VecDeque;
use std::pin::Pin;

use futures_util::stream::{self, Stream, StreamExt};
use tonic::{Request, Response, Status};

use super::{Desk, permit, while_open};
use crate::hub::Follow;
use crate::policy::{Permit, operation};
use crate::wire::v1::{self, ledger_service_server::LedgerService};
use crate::wire::{IntoStatus, feed_item};

pub(super) struct Service(pub(super) Desk);

type Feed = Pin<Box<dyn Stream<Item = Result<v1::FollowResponse, Status>> + Send>>;

#[tonic::async_trait]
impl LedgerService for Service {
    type FollowStream = Feed;

    #[tracing::instrument(name = "follow", skip_all, fields(from = request.get_ref().from))]
    async fn follow(&self, request: Request<v1::FollowRequest>) -> Result<Response<Feed>, Status> {
        let use_cases = self.0.use_cases()?;
        let follow = use_cases.follow.clone();
        let permit = permit::<operation::Follow, _>(&request)?;
        let open = use_cases.gate.open_stream(permit.principal()).map_err(IntoStatus::into_status)?;
        let (stopped, farewell) = self.0.end(use_cases.gate.clone(), permit.authority());
        let request = request.into_inner();
        let ahead = match request.incident_first {
            true => follow.ahead(&permit, request.from).await.map_err(IntoStatus::into_status)?,
            false => Vec::new(),
        };
        let ahead = ahead.into();
        let follower =
            Follower { follow, permit, ahead, next: request.from, until_now: request.until_now, at_end: false };
        let pages = stream::unfold(Some(follower), |follower| async move {
            let mut follower = follower?;
            match follower.page().await {
                Ok(Some(items)) => Some((items, Some(follower))),
                Ok(None) => None,
                Err(status) => Some((vec![Err(status)], None)),
            }
        });
        Ok(Response::new(while_open(open, pages.flat_map(stream::iter).take_until(stopped).chain(farewell))))
    }

    #[tracing::instrument(name = "checkpoint", level = "debug", skip_all)]
    async fn get_checkpoint(
        &self,
        request: Request<v1::GetCheckpointRequest>,
    ) -> Result<Response<v1::GetCheckpointResponse>, Status> {
        let prove = &self.0.use_cases()?.prove;
        let permit = permit::<operation::ReadLedger, _>(&request)?;
        Ok(Response::new(v1::GetCheckpointResponse {
            checkpoint: prove.checkpoint(&permit).to_string(),
            verifier_key: prove.verifier().to_string(),
        }))
    }

    #[tracing::instrument(name = "prove_inclusion", level = "debug", skip_all)]
    async fn get_inclusion_proof(
        &self,
        request: Request<v1::GetInclusionProofRequest>,
    ) -> Result<Response<v1::GetInclusionProofResponse>, Status> {
        let prove = &self.0.use_cases()?.prove;
        let permit = permit::<operation::ReadLedger, _>(&request)?;
        let request = request.into_inner();
        let proof = prove.inclusion(&permit, request.index, request.tree_size).map_err(IntoStatus::into_status)?;
        Ok(Response::new(v1::GetInclusionProofResponse {
            index: proof.index,
            tree_size: proof.tree_size,
            leaf: proof.leaf.to_bytes().to_vec(),
            hashes: proof.hashes.iter().map(|hash| hash.to_bytes().to_vec()).collect(),
            checkpoint: proof.checkpoint.map(|checkpoint| checkpoint.to_string()).unwrap_or_default(),
        }))
    }

    #[tracing::instrument(name = "prove_consistency", level = "debug", skip_all)]
    async fn get_consistency_proof(
        &self,
        request: Request<v1::GetConsistencyProofRequest>,
    ) -> Result<Response<v1::GetConsistencyProofResponse>, Status> {
        let prove = &self.0.use_cases()?.prove;
        let permit = permit::<operation::ReadLedger, _>(&request)?;
        let request = request.into_inner();
        let proof = prove.consistency(&permit, request.from_size, request.to_size).map_err(IntoStatus::into_status)?;
        Ok(Response::new(v1::GetConsistencyProofResponse {
            from_size: proof.from_size,
            to_size: proof.to_size,
            hashes: proof.hashes.iter().map(|hash| hash.to_bytes().to_vec()).collect(),
            checkpoint: proof.checkpoint.map(|checkpoint| checkpoint.to_string()).unwrap_or_default(),
        }))
    }
}

/// Where a follower is.
struct Follower {
    follow: Follow,
    permit: Permit<operation::Follow>,
    /// What is sent before its turn.
    ahead: VecDeque<u64>,
    next: u64,
    until_now: bool,
    /// The last page went up to the end of that moment.
    at_end: bool,
}

impl Follower {
    /// The next messages; `None` when the follower wanted no more than there was. Waits at the end.
    async fn page(&mut self) -> Result<Option<Vec<Result<v1::FollowResponse, Status>>>, Status> {
        use v1::follow_response::Item;
        if !self.ahead.is_empty() {
            let indexes = self.ahead.make_contiguous();
            let items = self.follow.page_of(&self.permit, indexes).await.map_err(IntoStatus::into_status)?;
            self.ahead.drain(..items.len());
            let events = items.into_iter().map(|item| v1::LedgerEvent { ahead: true, ..feed_item(item) });
            let messages = events.map(|event| Ok(v1::FollowResponse { item: Some(Item::Event(event)) }));
            return Ok(Some(messages.collect()));
        }
        if self.at_end {
            if self.until_now {
                return Ok(None);
            }
            self.follow.wait_beyond(self.next).await;
        }
        let page = self.follow.page(&self.permit, self.next).await.map_err(IntoStatus::into_status)?;
        self.next = page.next;
        self.at_end = page.checkpoint.is_some();
        let events = page.items.into_iter().map(|item| Item::Event(feed_item(item)));
        let end = page.checkpoint.map(|checkpoint| Item::Checkpoint(checkpoint.to_string()));
        Ok(Some(events.chain(end).map(|item| Ok(v1::FollowResponse { item: Some(item) })).collect()))
    }
}
