//! `PolicyService`.

use tonic::{Request, Response, Status};

use super::{Desk, permit};
use crate::policy::operation;
use crate::wire::v1::{self, policy_service_server::PolicyService};
use crate::wire::{IntoStatus, preview};

pub(super) struct Service(pub(super) Desk);

#[tonic::async_trait]
impl PolicyService for Service {
    #[tracing::instrument(name = "policy", level = "debug", skip_all)]
    async fn get_policy(
        &self,
        request: Request<v1::GetPolicyRequest>,
    ) -> Result<Response<v1::GetPolicyResponse>, Status> {
        let govern = &self.0.use_cases()?.govern;
        let in_force = govern.show(&permit::<operation::ReadTaxonomy, _>(&request)?);
        Ok(Response::new(v1::GetPolicyResponse { policy: in_force.rules.to_toml(), event: in_force.event }))
    }

    #[tracing::instrument(name = "preview_policy", skip_all)]
    async fn preview_policy(
        &self,
        request: Request<v1::PreviewPolicyRequest>,
    ) -> Result<Response<v1::PreviewPolicyResponse>, Status> {
        let govern = &self.0.use_cases()?.govern;
        let permit = permit::<operation::PreviewPolicy, _>(&request)?;
        let found = govern.preview(&permit, &request.get_ref().policy).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(preview(&found)))
    }

    #[tracing::instrument(name = "set_policy", skip_all)]
    async fn set_policy(
        &self,
        request: Request<v1::SetPolicyRequest>,
    ) -> Result<Response<v1::SetPolicyResponse>, Status> {
        let govern = &self.0.use_cases()?.govern;
        let permit = permit::<operation::SetPolicy, _>(&request)?;
        let request = request.into_inner();
        let event = govern.set(&permit, request.policy, request.replaces).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(v1::SetPolicyResponse { event }))
    }
}
