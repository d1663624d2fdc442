//! Members for tests, enrolled as operators do.

use hashcommons::client::Client;
use hashcommons::domain::{ChecklistItem, Role, Status};
use hashcommons::policy::{ApiKey, approvals_needed};
use hashcommons::wire::{Coded, v1};
use tonic::Status as Answer;

/// Has `operator` stand for a member's climbing, with the whole checklist.
pub async fn approve(operator: &Client, member_id: &str, to: Status) -> Result<v1::Member, Answer> {
    let request = v1::ApproveMemberRequest {
        member_id: member_id.to_owned(),
        to: to.to_wire(),
        checklist: ChecklistItem::ALL.iter().map(|item| item.to_wire()).collect(),
    };
    operator.admin().approve_member(request).await.map(tonic::Response::into_inner)
}

/// The keys of a hub's first start: two people's.
pub struct Operators {
    pub first: Client,
    pub second: Client,
}

impl Operators {
    /// Has both approve `member` for `to`, as far as it takes both.
    pub async fn approve(&self, member_id: &str, to: Status) -> v1::Member {
        let mut member = None;
        for operator in [&self.first, &self.second].into_iter().take(approvals_needed(to)) {
            member = Some(approve(operator, member_id, to).await.unwrap());
        }
        let member = member.unwrap();
        assert_eq!(member.status, to.to_wire());
        member
    }

    /// Lets the rules of standing be those of a policy file, whatever they were.
    pub async fn set_policy(&self, policy: &str) -> u64 {
        let mut rules = self.first.policy();
        let in_force = rules.get_policy(v1::GetPolicyRequest {}).await.unwrap().into_inner();
        let request = v1::SetPolicyRequest { policy: policy.to_owned(), replaces: in_force.event };
        rules.set_policy(request).await.unwrap().into_inner().event
    }

    /// Opens an incident, for as long as the rules allow.
    pub async fn open_incident(&self, code: &str) {
        for operator in [&self.first, &self.second] {
            let (code, r#type) = (code.to_owned(), "livestream".to_owned());
            let request = v1::OpenIncidentRequest { code, r#type, ..Default::default() };
            operator.incidents().open_incident(request).await.unwrap();
        }
    }

    /// Enrols a member that may have these roles; gives its id and a key with just these.
    pub async fn enrol(&self, name: &str, jurisdiction: &str, roles: &[Role]) -> (String, ApiKey) {
        let (own, duties): (Vec<Role>, Vec<Role>) =
            roles.iter().partition(|role| matches!(role, Role::Checker | Role::Contributor));
        let request = v1::EnrolMemberRequest {
            name: name.to_owned(),
            jurisdiction: jurisdiction.to_owned(),
            duties: duties.iter().map(|role| role.to_wire()).collect(),
            ..Default::default()
        };
        let member_id = self.first.admin().enrol_member(request).await.unwrap().into_inner().member_id;
        if own.contains(&Role::Contributor) {
            self.approve(&member_id, Status::Contributor).await;
        } else if !own.is_empty() {
            self.approve(&member_id, Status::Checker).await;
        }
        let roles = roles.iter().map(|role| role.to_wire()).collect();
        let request = v1::IssueKeyRequest { member_id: member_id.clone(), roles, ..Default::default() };
        let issued = self.first.admin().issue_key(request).await.unwrap().into_inner();
        (member_id, issued.secret.parse().unwrap())
    }
}
