//! `AdminService`.

use std::pin::Pin;
use std::time::Duration;

use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use tonic::{Request, Response, Status};

use super::{Desk, permit, while_open};
use crate::domain::{self, At, StatusReason};
use crate::hub::ReadError;
use crate::policy::operation;
use crate::wire::v1::{self, admin_service_server::AdminService};
use crate::wire::{
    self, Coded, IntoStatus, audit_page, audit_query, checklist_from_wire, contribution, enrolment, key, key_request,
    member, member_event, quota_request, reads, reads_query, timestamp_from_wire,
};

pub(super) struct Service(pub(super) Desk);

type Counts = Pin<Box<dyn Stream<Item = Result<v1::Reads, Status>> + Send>>;
type Contributions = Pin<Box<dyn Stream<Item = Result<v1::Contribution, Status>> + Send>>;

#[tonic::async_trait]
impl AdminService for Service {
    #[tracing::instrument(name = "enrol", skip_all)]
    async fn enrol_member(&self, request: Request<v1::EnrolMemberRequest>) -> Result<Response<v1::Member>, Status> {
        let members = &self.0.use_cases()?.members;
        let permit = permit::<operation::Administer, _>(&request)?;
        let enrolment = enrolment(request.get_ref()).map_err(IntoStatus::into_status)?;
        let enrolled = members.enrol(&permit, enrolment).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(member(&enrolled)))
    }

    #[tracing::instrument(name = "approve", skip_all)]
    async fn approve_member(&self, request: Request<v1::ApproveMemberRequest>) -> Result<Response<v1::Member>, Status> {
        let members = &self.0.use_cases()?.members;
        let permit = permit::<operation::Administer, _>(&request)?;
        let request = request.into_inner();
        let id = request.member_id.parse().at("member_id").map_err(IntoStatus::into_status)?;
        let to = domain::Status::from_wire(request.to, "to").map_err(IntoStatus::into_status)?;
        let checklist = checklist_from_wire(&request.checklist).map_err(IntoStatus::into_status)?;
        let approved = members.approve(&permit, id, to, checklist).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(member(&approved)))
    }

    #[tracing::instrument(name = "set_status", skip_all)]
    async fn set_member_status(
        &self,
        request: Request<v1::SetMemberStatusRequest>,
    ) -> Result<Response<v1::Member>, Status> {
        let members = &self.0.use_cases()?.members;
        let permit = permit::<operation::Administer, _>(&request)?;
        let request = request.into_inner();
        let id = request.member_id.parse().at("member_id").map_err(IntoStatus::into_status)?;
        let status = domain::Status::from_wire(request.status, "status").map_err(IntoStatus::into_status)?;
        let reason = StatusReason::from_wire(request.reason, "reason").map_err(IntoStatus::into_status)?;
        let set = members.set_status(&permit, id, status, reason).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(member(&set)))
    }

    #[tracing::instrument(name = "member_history", skip_all)]
    async fn get_member_history(
        &self,
        request: Request<v1::GetMemberHistoryRequest>,
    ) -> Result<Response<v1::GetMemberHistoryResponse>, Status> {
        let members = &self.0.use_cases()?.members;
        let permit = permit::<operation::ListMembers, _>(&request)?;
        let id = request.get_ref().member_id.parse().at("member_id").map_err(IntoStatus::into_status)?;
        let history = members.history(&permit, id).map_err(IntoStatus::into_status)?;
        Ok(Response::new(v1::GetMemberHistoryResponse { events: history.iter().map(member_event).collect() }))
    }

    #[tracing::instrument(name = "list_members", skip_all)]
    async fn list_members(
        &self,
        request: Request<v1::ListMembersRequest>,
    ) -> Result<Response<v1::ListMembersResponse>, Status> {
        let members = &self.0.use_cases()?.members;
        let permit = permit::<operation::ListMembers, _>(&request)?;
        let members = members.list(&permit).await.map_err(IntoStatus::into_status)?.iter().map(member).collect();
        Ok(Response::new(v1::ListMembersResponse { members }))
    }

    #[tracing::instrument(name = "issue_key", skip_all)]
    async fn issue_key(&self, request: Request<v1::IssueKeyRequest>) -> Result<Response<v1::IssueKeyResponse>, Status> {
        let members = &self.0.use_cases()?.members;
        let permit = permit::<operation::Administer, _>(&request)?;
        let wanted = key_request(request.get_ref()).map_err(IntoStatus::into_status)?;
        let (issued, text) = members.issue(&permit, wanted).await.map_err(IntoStatus::into_status)?;
        let secret = text.map(|text| text.reveal().to_owned()).unwrap_or_default();
        Ok(Response::new(v1::IssueKeyResponse { key: Some(key(&issued)), secret }))
    }

    #[tracing::instrument(name = "rotate_key", skip_all)]
    async fn rotate_key(
        &self,
        request: Request<v1::RotateKeyRequest>,
    ) -> Result<Response<v1::IssueKeyResponse>, Status> {
        let members = &self.0.use_cases()?.members;
        let permit = permit::<operation::Administer, _>(&request)?;
        let request = request.into_inner();
        let id = request.key_id.parse().at("key_id").map_err(IntoStatus::into_status)?;
        let overlap = Duration::from_secs(request.overlap_seconds.into());
        let expires = request.expires.as_ref().map(|time| timestamp_from_wire(time, "expires")).transpose();
        let expires = expires.map_err(IntoStatus::into_status)?;
        let (made, text) = members.rotate(&permit, id, overlap, expires).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(v1::IssueKeyResponse { key: Some(key(&made)), secret: text.reveal().to_owned() }))
    }

    #[tracing::instrument(name = "compromised_key", skip_all)]
    async fn mark_key_compromised(
        &self,
        request: Request<v1::MarkKeyCompromisedRequest>,
    ) -> Result<Response<v1::Key>, Status> {
        let members = &self.0.use_cases()?.members;
        let permit = permit::<operation::Administer, _>(&request)?;
        let request = request.into_inner();
        let id = request.key_id.parse().at("key_id").map_err(IntoStatus::into_status)?;
        let since = wire::required(request.since.as_ref(), "since")
            .and_then(|time| timestamp_from_wire(time, "since"))
            .map_err(IntoStatus::into_status)?;
        let marked = members.compromised(&permit, id, since).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(key(&marked)))
    }

    type ListContributionsStream = Contributions;

    #[tracing::instrument(name = "list_contributions", skip_all)]
    async fn list_contributions(
        &self,
        request: Request<v1::ListContributionsRequest>,
    ) -> Result<Response<Contributions>, Status> {
        let use_cases = self.0.use_cases()?;
        let permit = permit::<operation::ListMembers, _>(&request)?;
        let request = request.into_inner();
        let id = request.key_id.parse().at("key_id").map_err(IntoStatus::into_status)?;
        let since = request.since.as_ref().map(|time| timestamp_from_wire(time, "since")).transpose();
        let since = since.map_err(IntoStatus::into_status)?;
        let examine = use_cases.examine.clone();
        let open = use_cases.gate.open_stream(permit.principal()).map_err(IntoStatus::into_status)?;
        let search = examine.begin(&permit, id, since).map_err(IntoStatus::into_status)?;
        let (stopped, farewell) = self.0.end(use_cases.gate.clone(), permit.authority());
        let pages = stream::try_unfold(search, move |mut search| {
            let examine = examine.clone();
            async move {
                let page = examine.page(&mut search).await.map_err(IntoStatus::into_status)?;
                let found = |one| Ok::<_, Status>(contribution(&one));
                Ok::<_, Status>(page.map(|suspects| (stream::iter(suspects.into_iter().map(found)), search)))
            }
        });
        Ok(Response::new(while_open(open, pages.try_flatten().take_until(stopped).chain(farewell))))
    }

    #[tracing::instrument(name = "list_keys", skip_all)]
    async fn list_keys(&self, request: Request<v1::ListKeysRequest>) -> Result<Response<v1::ListKeysResponse>, Status> {
        let members = &self.0.use_cases()?.members;
        let permit = permit::<operation::ListMembers, _>(&request)?;
        let of = &request.get_ref().member_id;
        let of = wire::optional(of, "member_id").map_err(IntoStatus::into_status)?;
        let keys = members
            .keys(&permit, of)
            .iter()
            .map(|(one, used)| v1::Key { last_used: used.map(wire::timestamp), ..key(one) })
            .collect();
        Ok(Response::new(v1::ListKeysResponse { keys }))
    }

    #[tracing::instrument(name = "set_quota", skip_all)]
    async fn set_quota(&self, request: Request<v1::SetQuotaRequest>) -> Result<Response<v1::SetQuotaResponse>, Status> {
        let members = &self.0.use_cases()?.members;
        let permit = permit::<operation::Administer, _>(&request)?;
        let (of, quota) = quota_request(request.get_ref()).map_err(IntoStatus::into_status)?;
        members.set_quota(&permit, of, quota).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(v1::SetQuotaResponse {}))
    }

    #[tracing::instrument(name = "release", skip_all)]
    async fn release_member(&self, request: Request<v1::ReleaseMemberRequest>) -> Result<Response<v1::Member>, Status> {
        let members = &self.0.use_cases()?.members;
        let permit = permit::<operation::Administer, _>(&request)?;
        let id = request.get_ref().member_id.parse().at("member_id").map_err(IntoStatus::into_status)?;
        let released = members.release(&permit, id).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(member(&released)))
    }

    #[tracing::instrument(name = "revoke_key", skip_all)]
    async fn revoke_key(&self, request: Request<v1::RevokeKeyRequest>) -> Result<Response<v1::Key>, Status> {
        let members = &self.0.use_cases()?.members;
        let permit = permit::<operation::Administer, _>(&request)?;
        let id = request.get_ref().key_id.parse().at("key_id").map_err(IntoStatus::into_status)?;
        let revoked = members.revoke(&permit, id).await.map_err(IntoStatus::into_status)?;
        Ok(Response::new(key(&revoked)))
    }

    #[tracing::instrument(name = "list_audit", skip_all)]
    async fn list_audit(
        &self,
        request: Request<v1::ListAuditRequest>,
    ) -> Result<Response<v1::ListAuditResponse>, Status> {
        let inspect = &self.0.use_cases()?.inspect;
        let permit = permit::<operation::ReadAudit, _>(&request)?;
        let (query, size) = audit_query(request.get_ref()).map_err(IntoStatus::into_status)?;
        let page = inspect.page(&permit, &query, request.get_ref().from, size).await;
        Ok(Response::new(audit_page(&page.map_err(IntoStatus::into_status)?)))
    }

    type ListReadsStream = Counts;

    #[tracing::instrument(name = "list_reads", skip_all)]
    async fn list_reads(&self, request: Request<v1::ListReadsRequest>) -> Result<Response<Counts>, Status> {
        let use_cases = self.0.use_cases()?;
        let permit = permit::<operation::ReadAudit, _>(&request)?;
        let (member, since) = reads_query(request.get_ref()).map_err(IntoStatus::into_status)?;
        let open = use_cases.gate.open_stream(permit.principal()).map_err(IntoStatus::into_status)?;
        let count = use_cases.count.clone();
        let list = count.list(&permit, member, since);
        let (stopped, farewell) = self.0.end(use_cases.gate.clone(), permit.authority());
        let pages = stream::try_unfold(list, move |mut list| {
            let count = count.clone();
            async move {
                let page = count.page(&mut list).await.map_err(ReadError::from).map_err(IntoStatus::into_status)?;
                let counted = |one| Ok::<_, Status>(reads(&one));
                Ok::<_, Status>(page.map(|counts| (stream::iter(counts.into_iter().map(counted)), list)))
            }
        });
        Ok(Response::new(while_open(open, pages.try_flatten().take_until(stopped).chain(farewell))))
    }
}
