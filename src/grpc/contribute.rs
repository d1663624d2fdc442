//! `ContributeService`.

use std::pin::Pin;

use futures_util::stream::{Stream, StreamExt};
use tonic::{Code, Request, Response, Status, Streaming};

use super::{Desk, permit, while_open};
use crate::domain::{At, EntryId, WithdrawReason};
use crate::hub::{Contribute, Contributed};
use crate::policy::{Permit, operation};
use crate::wire::v1::{self, contribute_service_server::ContributeService};
use crate::wire::{self, Coded, IntoStatus, draft_from_wire, retry_after};

/// Items of one stream that may be on their way to the disk at the same time.
const IN_FLIGHT: usize = 1_000;

pub(super) struct Service(pub(super) Desk);

type Answers = Pin<Box<dyn Stream<Item = Result<v1::ContributeStreamResponse, Status>> + Send>>;

#[tonic::async_trait]
impl ContributeService for Service {
    #[tracing::instrument(name = "contribute", level = "debug", skip_all)]
    async fn contribute(
        &self,
        request: Request<v1::ContributeRequest>,
    ) -> Result<Response<v1::ContributeResponse>, Status> {
        let use_cases = self.0.use_cases()?;
        let permit = permit::<operation::Contribute, _>(&request)?;
        let outcome = match take(&use_cases.contribute, &permit, request.into_inner()).await? {
            Taken::Accepted(accepted) => v1::contribute_response::Outcome::Accepted(accepted),
            Taken::Declined(declined) => v1::contribute_response::Outcome::Declined(declined),
        };
        Ok(Response::new(v1::ContributeResponse { outcome: Some(outcome) }))
    }

    type ContributeStreamStream = Answers;

    #[tracing::instrument(name = "contribute_stream", skip_all)]
    async fn contribute_stream(
        &self,
        request: Request<Streaming<v1::ContributeRequest>>,
    ) -> Result<Response<Answers>, Status> {
        let use_cases = self.0.use_cases()?;
        let (gate, contribute) = (use_cases.gate.clone(), use_cases.contribute.clone());
        let permit = permit::<operation::Contribute, _>(&request)?;
        let open = use_cases.gate.open_stream(permit.principal()).map_err(IntoStatus::into_status)?;
        let (stopped, farewell) = self.0.end(gate.clone(), permit.authority());
        // What has been read is answered: it may be on disk already.
        let answers = request.into_inner().take_until(stopped).map(move |request| {
            let (gate, contribute, permit) = (gate.clone(), contribute.clone(), permit.clone());
            async move {
                let permit = gate.renew(&permit).map_err(IntoStatus::into_status)?;
                answer_one(&contribute, &permit, request?).await
            }
        });
        Ok(Response::new(while_open(open, answers.buffered(IN_FLIGHT).chain(farewell))))
    }

    #[tracing::instrument(name = "withdraw", skip_all, fields(entry = request.get_ref().entry_id))]
    async fn withdraw(&self, request: Request<v1::WithdrawRequest>) -> Result<Response<v1::WithdrawResponse>, Status> {
        let use_cases = self.0.use_cases()?;
        let permit = permit::<operation::Withdraw, _>(&request)?;
        let request = request.into_inner();
        let reason = WithdrawReason::from_wire(request.reason, "reason").map_err(IntoStatus::into_status)?;
        let withdrawn = use_cases.withdraw.run(&permit, EntryId(request.entry_id), reason).await;
        let withdrawn = withdrawn.map_err(IntoStatus::into_status)?;
        Ok(Response::new(v1::WithdrawResponse {
            withdrawn: Some(wire::timestamp(withdrawn.at)),
            receipt: Some(wire::receipt(&withdrawn.receipt)),
        }))
    }
}

/// What became of an item that was as it must be.
enum Taken {
    Accepted(v1::Accepted),
    Declined(v1::Declined),
}

async fn take(
    contribute: &Contribute,
    permit: &Permit<operation::Contribute>,
    request: v1::ContributeRequest,
) -> Result<Taken, Status> {
    let id = request.request_id.parse().at("request_id").map_err(IntoStatus::into_status)?;
    let draft = wire::required(request.draft.as_ref(), "draft")
        .and_then(|draft| draft_from_wire(draft).map_err(|error| error.within("draft")))
        .map_err(IntoStatus::into_status)?;
    let outcome =
        contribute.run(permit, &id, draft, !request.without_receipt).await.map_err(IntoStatus::into_status)?;
    Ok(match outcome {
        Contributed::Accepted { entry, repeated, assessment, receipt } => Taken::Accepted(v1::Accepted {
            entry_id: entry.0,
            repeated,
            standing: assessment.standing.to_wire(),
            assessment: Some(wire::assessment(&assessment)),
            receipt: receipt.map(|receipt| wire::receipt(&receipt)),
        }),
        Contributed::TooFeatureless { signal } => Taken::Declined(v1::Declined {
            reason: v1::declined::Reason::TooFeatureless.into(),
            message: format!("draft.signals[{signal}]: the picture is too featureless to share or match"),
        }),
    })
}

/// One answer of a stream. Only a lost permit ends the stream.
async fn answer_one(
    contribute: &Contribute,
    permit: &Permit<operation::Contribute>,
    request: v1::ContributeRequest,
) -> Result<v1::ContributeStreamResponse, Status> {
    use v1::contribute_stream_response::Outcome;
    let request_id = request.request_id.clone();
    let outcome = match take(contribute, permit, request).await {
        Ok(Taken::Accepted(accepted)) => Outcome::Accepted(accepted),
        Ok(Taken::Declined(declined)) => Outcome::Declined(declined),
        Err(status) if matches!(status.code(), Code::Unauthenticated | Code::PermissionDenied) => return Err(status),
        Err(status) => {
            let retry_after = retry_after(&status);
            Outcome::Rejected(v1::Rejected {
                code: status.code().into(),
                message: status.message().to_owned(),
                retry_after,
            })
        }
    };
    Ok(v1::ContributeStreamResponse { request_id, outcome: Some(outcome) })
}
