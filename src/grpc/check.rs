//! `CheckService`.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{Stream, StreamExt};
use tokio::task::coop::consume_budget;
use tokio::time::timeout;
use tonic::{Request, Response, Status, Streaming};

use super::{Desk, lapse, permit, while_open};
use crate::domain::FieldError;
use crate::hub::{Check, CheckAnswer, MediaOptions};
use crate::policy::{Permit, operation};
use crate::wire::v1::{self, check_service_server::CheckService};
use crate::wire::{
    IntoStatus, TAG_BYTES_MAX, check_answer, check_media_answer, check_query, media_options, retry_after,
};

/// The longest an upload may take.
const UPLOAD: Duration = Duration::from_secs(60);

pub(super) struct Service(pub(super) Desk);

type Answers = Pin<Box<dyn Stream<Item = Result<v1::CheckStreamResponse, Status>> + Send>>;

#[tonic::async_trait]
impl CheckService for Service {
    #[tracing::instrument(name = "check", level = "debug", skip_all, fields(queries = request.get_ref().queries.len()))]
    async fn check(&self, request: Request<v1::CheckRequest>) -> Result<Response<v1::CheckResponse>, Status> {
        let use_cases = self.0.use_cases()?;
        let permit = permit::<operation::Check, _>(&request)?;
        let request = request.into_inner();
        let answer = run(&use_cases.check, &permit, &request).await?;
        Ok(Response::new(check_answer(request.tag, &answer)))
    }

    type CheckStreamStream = Answers;

    #[tracing::instrument(name = "check_stream", skip_all)]
    async fn check_stream(&self, request: Request<Streaming<v1::CheckRequest>>) -> Result<Response<Answers>, Status> {
        let use_cases = self.0.use_cases()?;
        let permit = permit::<operation::Check, _>(&request)?;
        let open = use_cases.gate.open_stream(permit.principal()).map_err(IntoStatus::into_status)?;
        let (stopped, farewell) = self.0.end(use_cases.gate.clone(), permit.authority());
        let asked = Arc::new((use_cases.gate.clone(), use_cases.check.clone(), permit));
        let requests = request.into_inner().take_until(stopped);
        // One after the other: what a caller has in flight beyond that waits in its own stream's window.
        let answers = requests.then(move |request| {
            let asked = asked.clone();
            async move {
                // A message has its price, also one that asks nothing.
                consume_budget().await;
                let (gate, check, permit) = &*asked;
                let permit = gate.renew(permit).map_err(IntoStatus::into_status)?;
                Ok(answer_one(check, &permit, request?).await)
            }
        });
        Ok(Response::new(while_open(open, answers.chain(farewell))))
    }

    #[tracing::instrument(name = "check_media", skip_all)]
    async fn check_media(
        &self,
        request: Request<Streaming<v1::CheckMediaRequest>>,
    ) -> Result<Response<v1::CheckMediaResponse>, Status> {
        let use_cases = self.0.use_cases()?;
        let (check_media, gate) = (&use_cases.check_media, &use_cases.gate);
        let permit = permit::<operation::Check, _>(&request)?;
        let mut upload = check_media.begin(permit.clone()).map_err(IntoStatus::into_status)?;
        let mut parts = request.into_inner();
        let mut options = MediaOptions::default();
        let mut first = true;
        let read = async {
            while let Some(message) = parts.message().await? {
                // A message has its price, also one that brings nothing.
                consume_budget().await;
                match message.part {
                    Some(v1::check_media_request::Part::Options(given)) if first => options = media_options(&given),
                    Some(v1::check_media_request::Part::Options(_)) => {
                        return Err(FieldError::new("options", "must come first, and once").into_status());
                    }
                    Some(v1::check_media_request::Part::Chunk(chunk)) => {
                        upload.push(&chunk).map_err(IntoStatus::into_status)?;
                    }
                    None => {}
                }
                first = false;
            }
            Ok::<_, Status>(())
        };
        let late = |_| Status::deadline_exceeded(format!("media: must arrive within {} s", UPLOAD.as_secs()));
        let authority = permit.authority();
        tokio::select! {
            read = timeout(UPLOAD, read) => read.map_err(late)??,
            lapsed = lapse(gate, &authority) => return Err(lapsed.into_status()),
        }
        upload.renew(gate.renew(&permit).map_err(IntoStatus::into_status)?);
        let answer = upload.finish(options).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(check_media_answer(&answer)))
    }
}

async fn run(
    check: &Check,
    permit: &Permit<operation::Check>,
    request: &v1::CheckRequest,
) -> Result<CheckAnswer, Status> {
    let query = check_query(request).map_err(IntoStatus::into_status)?;
    check.run(permit, &query).await.map_err(IntoStatus::into_status)
}

/// One answer of a stream: what is wrong with one request does not end it.
async fn answer_one(
    check: &Check,
    permit: &Permit<operation::Check>,
    request: v1::CheckRequest,
) -> v1::CheckStreamResponse {
    let answer = match run(check, permit, &request).await {
        Ok(answer) => v1::check_stream_response::Answer::Response(check_answer(request.tag, &answer)),
        Err(status) => v1::check_stream_response::Answer::Error(v1::CheckError {
            tag: request.tag[..request.tag.floor_char_boundary(TAG_BYTES_MAX)].to_owned(),
            message: status.message().to_owned(),
            code: status.code().into(),
            retry_after: retry_after(&status),
        }),
    };
    v1::CheckStreamResponse { answer: Some(answer) }
}
