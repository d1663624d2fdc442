//! Calls that the client would not make: any path, any header, a message without fields.

use hashcommons::wire::DESCRIPTORS;
use prost::Message;
use prost_types::FileDescriptorSet;
use tokio_stream::once;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::support::TestHub;

/// A connection of its own, without a key.
pub async fn connect(hub: &TestHub) -> Channel {
    Endpoint::from_shared(hub.url()).unwrap().connect().await.unwrap()
}

/// Calls `path` with one empty message and these `authorization` headers; waits for the first answer.
///
/// On the wire a unary method is a stream of one message, so this calls methods of every kind.
pub async fn call(channel: &Channel, path: &str, authorization: &[&str]) -> Result<(), Status> {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let mut request = Request::new(once(()));
    for value in authorization {
        request.metadata_mut().append("authorization", value.parse().unwrap());
    }
    let codec = ProstCodec::<(), ()>::default();
    let answers = grpc.streaming(request, path.parse().unwrap(), codec).await?;
    answers.into_inner().message().await.map(|_| ())
}

/// The code of a result.
pub fn code<T>(result: &Result<T, Status>) -> Code {
    result.as_ref().map_or_else(Status::code, |_| Code::Ok)
}

/// The path of every method in the compiled protos.
pub fn methods() -> Vec<String> {
    let files = FileDescriptorSet::decode(DESCRIPTORS).unwrap().file;
    let mut paths = Vec::new();
    for file in &files {
        for service in &file.service {
            let methods = service.method.iter();
            paths.extend(methods.map(|method| format!("/{}.{}/{}", file.package(), service.name(), method.name())));
        }
    }
    paths
}
