//! All services behind one access check.

use tonic::service::Routes;
use tonic_health::pb::health_server::{Health, HealthServer};
use tower::Layer;

use super::access::{AccessLayer, AccessService};
use super::intake::MESSAGE_BYTES_MAX;
use super::{
    Desk, admin, check, contribute, feedback, incident, ledger, policy, retention, review, statistics, taxonomy,
};
use crate::wire::DESCRIPTORS;
use crate::wire::v1::admin_service_server::AdminServiceServer;
use crate::wire::v1::check_service_server::CheckServiceServer;
use crate::wire::v1::contribute_service_server::ContributeServiceServer;
use crate::wire::v1::feedback_service_server::FeedbackServiceServer;
use crate::wire::v1::incident_service_server::IncidentServiceServer;
use crate::wire::v1::ledger_service_server::LedgerServiceServer;
use crate::wire::v1::policy_service_server::PolicyServiceServer;
use crate::wire::v1::retention_service_server::RetentionServiceServer;
use crate::wire::v1::review_service_server::ReviewServiceServer;
use crate::wire::v1::statistics_service_server::StatisticsServiceServer;
use crate::wire::v1::taxonomy_service_server::TaxonomyServiceServer;

/// Every service, behind the access check.
///
/// # Errors
/// The compiled protobuf files cannot be read: the program is broken.
pub fn services(
    desk: &Desk,
    health: HealthServer<impl Health>,
) -> Result<AccessService<Routes>, tonic_reflection::server::Error> {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let check = CheckServiceServer::new(check::Service(desk.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let contribute =
        ContributeServiceServer::new(contribute::Service(desk.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let review = ReviewServiceServer::new(review::Service(desk.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let feedback =
        FeedbackServiceServer::new(feedback::Service(desk.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let ledger = LedgerServiceServer::new(ledger::Service(desk.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let incident =
        IncidentServiceServer::new(incident::Service(desk.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let admin = AdminServiceServer::new(admin::Service(desk.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let policy = PolicyServiceServer::new(policy::Service(desk.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let retention =
        RetentionServiceServer::new(retention::Service(desk.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let statistics =
        StatisticsServiceServer::new(statistics::Service(desk.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let taxonomy =
        TaxonomyServiceServer::new(taxonomy::Service(desk.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
    // The transport holds each method to a length of its own (`intake`); here is what holds without it.
    let health = health.max_decoding_message_size(MESSAGE_BYTES_MAX);
    let reflection_v1 = reflection().build_v1()?.max_decoding_message_size(MESSAGE_BYTES_MAX);
    let reflection_v1alpha = reflection().build_v1alpha()?.max_decoding_message_size(MESSAGE_BYTES_MAX);
    let routes = Routes::new(health)
        .add_service(reflection_v1)
        .add_service(reflection_v1alpha)
        .add_service(check)
        .add_service(contribute)
        .add_service(review)
        .add_service(feedback)
        .add_service(ledger)
        .add_service(incident)
        .add_service(admin)
        .add_service(policy)
        .add_service(retention)
        .add_service(statistics)
        .add_service(taxonomy)
        .prepare();
    Ok(AccessLayer(desk.clone()).layer(routes))
}
