//! One value for a call of any method.

use hashcommons::wire::v1::{self, check_media_request::Part};
use tonic::Status;

use super::Scene;

/// A call, not made yet.
// A table of a hundred: boxes would gain nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum Call {
    Check(v1::CheckRequest),
    CheckMedia(Vec<Part>),
    Contribute(v1::ContributeRequest),
    Withdraw(v1::WithdrawRequest),
    Trace(v1::TraceRequest),
    ListQueue(v1::ListQueueRequest),
    Decide(v1::DecideRequest),
    AddBenign(v1::AddBenignRequest),
    RemoveBenign(v1::RemoveBenignRequest),
    ListBenign(v1::ListBenignRequest),
    DelistEntity(v1::DelistEntityRequest),
    Follow(v1::FollowRequest),
    GetInclusionProof(v1::GetInclusionProofRequest),
    GetConsistencyProof(v1::GetConsistencyProofRequest),
    EnrolMember(v1::EnrolMemberRequest),
    ApproveMember(v1::ApproveMemberRequest),
    SetMemberStatus(v1::SetMemberStatusRequest),
    GetMemberHistory(v1::GetMemberHistoryRequest),
    IssueKey(v1::IssueKeyRequest),
    ListKeys(v1::ListKeysRequest),
    RevokeKey(v1::RevokeKeyRequest),
    SetQuota(v1::SetQuotaRequest),
    ReleaseMember(v1::ReleaseMemberRequest),
    RotateKey(v1::RotateKeyRequest),
    MarkKeyCompromised(v1::MarkKeyCompromisedRequest),
    ListContributions(v1::ListContributionsRequest),
    ListAudit(v1::ListAuditRequest),
    ListReads(v1::ListReadsRequest),
    GetTaxonomy(v1::GetTaxonomyRequest),
    OpenIncident(v1::OpenIncidentRequest),
    ExtendIncident(v1::ExtendIncidentRequest),
    CloseIncident(v1::CloseIncidentRequest),
    GetDebrief(v1::GetDebriefRequest),
    PreviewPolicy(v1::PreviewPolicyRequest),
    SetPolicy(v1::SetPolicyRequest),
    PlaceHold(v1::PlaceHoldRequest),
    LiftHold(v1::LiftHoldRequest),
    GetReport(v1::GetReportRequest),
    DrawSample(v1::DrawSampleRequest),
    JudgeSample(v1::JudgeSampleRequest),
    ReportOutcome(v1::ReportOutcomeRequest),
    OpenAppeal(v1::OpenAppealRequest),
    ListAppeals(v1::ListAppealsRequest),
    ListReversals(v1::ListReversalsRequest),
    GetTrust(v1::GetTrustRequest),
}

macro_rules! from_request {
    ($($call:ident($request:ty),)+) => {
        $(impl From<$request> for Call {
            fn from(request: $request) -> Self {
                Self::$call(request)
            }
        })+
    };
}

from_request! {
    Check(v1::CheckRequest),
    CheckMedia(Vec<Part>),
    Contribute(v1::ContributeRequest),
    Withdraw(v1::WithdrawRequest),
    Trace(v1::TraceRequest),
    ListQueue(v1::ListQueueRequest),
    Decide(v1::DecideRequest),
    AddBenign(v1::AddBenignRequest),
    RemoveBenign(v1::RemoveBenignRequest),
    ListBenign(v1::ListBenignRequest),
    DelistEntity(v1::DelistEntityRequest),
    Follow(v1::FollowRequest),
    GetInclusionProof(v1::GetInclusionProofRequest),
    GetConsistencyProof(v1::GetConsistencyProofRequest),
    EnrolMember(v1::EnrolMemberRequest),
    ApproveMember(v1::ApproveMemberRequest),
    SetMemberStatus(v1::SetMemberStatusRequest),
    GetMemberHistory(v1::GetMemberHistoryRequest),
    IssueKey(v1::IssueKeyRequest),
    ListKeys(v1::ListKeysRequest),
    RevokeKey(v1::RevokeKeyRequest),
    SetQuota(v1::SetQuotaRequest),
    ReleaseMember(v1::ReleaseMemberRequest),
    RotateKey(v1::RotateKeyRequest),
    MarkKeyCompromised(v1::MarkKeyCompromisedRequest),
    ListContributions(v1::ListContributionsRequest),
    ListAudit(v1::ListAuditRequest),
    ListReads(v1::ListReadsRequest),
    GetTaxonomy(v1::GetTaxonomyRequest),
    PreviewPolicy(v1::PreviewPolicyRequest),
    SetPolicy(v1::SetPolicyRequest),
    PlaceHold(v1::PlaceHoldRequest),
    LiftHold(v1::LiftHoldRequest),
    GetReport(v1::GetReportRequest),
    DrawSample(v1::DrawSampleRequest),
    JudgeSample(v1::JudgeSampleRequest),
    OpenIncident(v1::OpenIncidentRequest),
    ExtendIncident(v1::ExtendIncidentRequest),
    CloseIncident(v1::CloseIncidentRequest),
    GetDebrief(v1::GetDebriefRequest),
    ReportOutcome(v1::ReportOutcomeRequest),
    OpenAppeal(v1::OpenAppealRequest),
    ListAppeals(v1::ListAppealsRequest),
    ListReversals(v1::ListReversalsRequest),
    GetTrust(v1::GetTrustRequest),
}

/// A trace of an entry.
pub fn trace(entry_id: u64) -> Call {
    v1::TraceRequest { entry_id, against: vec![] }.into()
}

/// A withdrawal of an entry.
pub fn withdraw(entry_id: u64) -> Call {
    v1::WithdrawRequest { entry_id, reason: v1::WithdrawReason::Mistake.into() }.into()
}

impl Call {
    /// The method's name.
    pub fn method(&self) -> String {
        let shown = format!("{self:?}");
        shown.split('(').next().unwrap().to_owned()
    }

    /// Every hash in the request.
    pub fn hashes(&self) -> Vec<String> {
        let signals: Vec<_> = match self {
            Self::Check(request) => request.queries.iter().filter_map(|query| query.signal.as_ref()).collect(),
            Self::Contribute(request) => request.draft.iter().flat_map(|draft| &draft.signals).collect(),
            Self::Trace(request) => request.against.iter().collect(),
            _ => Vec::new(),
        };
        signals.into_iter().map(|signal| signal.value.clone()).collect()
    }

    /// Makes the call; of what comes back only the status counts.
    pub async fn make(&self, scene: &Scene) -> Result<(), Status> {
        let Scene { member, admin, auditor, reviewer, .. } = scene;
        let done = match self.clone() {
            Self::Check(request) => member.checks().check(request).await.err(),
            Self::CheckMedia(parts) => {
                let parts = parts.into_iter().map(|part| v1::CheckMediaRequest { part: Some(part) });
                let parts = tokio_stream::iter(parts.collect::<Vec<_>>());
                member.checks().check_media(parts).await.err()
            }
            Self::Contribute(request) => member.contributions().contribute(request).await.err(),
            Self::Withdraw(request) => member.contributions().withdraw(request).await.err(),
            Self::Trace(request) => member.reviews().trace(request).await.err(),
            Self::ListQueue(request) => reviewer.reviews().list_queue(request).await.err(),
            Self::Decide(request) => reviewer.reviews().decide(request).await.err(),
            Self::AddBenign(request) => reviewer.reviews().add_benign(request).await.err(),
            Self::RemoveBenign(request) => reviewer.reviews().remove_benign(request).await.err(),
            Self::ListBenign(request) => reviewer.reviews().list_benign(request).await.err(),
            Self::DelistEntity(request) => reviewer.reviews().delist_entity(request).await.err(),
            Self::Follow(request) => match member.ledger().follow(request).await {
                Ok(feed) => feed.into_inner().message().await.err(),
                Err(status) => Some(status),
            },
            Self::GetInclusionProof(request) => member.ledger().get_inclusion_proof(request).await.err(),
            Self::GetConsistencyProof(request) => member.ledger().get_consistency_proof(request).await.err(),
            Self::EnrolMember(request) => admin.admin().enrol_member(request).await.err(),
            Self::ApproveMember(request) => admin.admin().approve_member(request).await.err(),
            Self::SetMemberStatus(request) => admin.admin().set_member_status(request).await.err(),
            Self::GetMemberHistory(request) => admin.admin().get_member_history(request).await.err(),
            Self::IssueKey(request) => admin.admin().issue_key(request).await.err(),
            Self::ListKeys(request) => admin.admin().list_keys(request).await.err(),
            Self::RotateKey(request) => admin.admin().rotate_key(request).await.err(),
            Self::MarkKeyCompromised(request) => admin.admin().mark_key_compromised(request).await.err(),
            Self::ListContributions(request) => admin.admin().list_contributions(request).await.err(),
            Self::RevokeKey(request) => admin.admin().revoke_key(request).await.err(),
            Self::ReleaseMember(request) => admin.admin().release_member(request).await.err(),
            Self::SetQuota(request) => admin.admin().set_quota(request).await.err(),
            Self::ListAudit(request) => admin.admin().list_audit(request).await.err(),
            Self::ListReads(request) => admin.admin().list_reads(request).await.err(),
            Self::OpenIncident(request) => admin.incidents().open_incident(request).await.err(),
            Self::ExtendIncident(request) => admin.incidents().extend_incident(request).await.err(),
            Self::CloseIncident(request) => admin.incidents().close_incident(request).await.err(),
            Self::GetDebrief(request) => member.incidents().get_debrief(request).await.err(),
            Self::GetTaxonomy(request) => member.taxonomy().get_taxonomy(request).await.err(),
            Self::PreviewPolicy(request) => admin.policy().preview_policy(request).await.err(),
            Self::SetPolicy(request) => admin.policy().set_policy(request).await.err(),
            Self::PlaceHold(request) => admin.retention().place_hold(request).await.err(),
            Self::LiftHold(request) => admin.retention().lift_hold(request).await.err(),
            Self::GetReport(request) => auditor.statistics().get_report(request).await.err(),
            Self::DrawSample(request) => auditor.statistics().draw_sample(request).await.err(),
            Self::JudgeSample(request) => auditor.statistics().judge_sample(request).await.err(),
            Self::ReportOutcome(request) => member.feedback().report_outcome(request).await.err(),
            Self::OpenAppeal(request) => member.feedback().open_appeal(request).await.err(),
            Self::ListAppeals(request) => member.feedback().list_appeals(request).await.err(),
            Self::ListReversals(request) => member.feedback().list_reversals(request).await.err(),
            Self::GetTrust(request) => member.feedback().get_trust(request).await.err(),
        };
        done.map_or(Ok(()), Err)
    }
}
