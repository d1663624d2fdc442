//! Calls that the client would not make: any path, any header, a message without fields, messages as bytes.

use hashcommons::policy::ApiKey;
use hashcommons::wire::DESCRIPTORS;
use prost::Message;
use prost::bytes::{Buf, BufMut};
use prost_types::FileDescriptorSet;
use tokio_stream::once;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};
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

/// Messages as bytes.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining()).to_vec()))
    }
}

/// Opens a call of `method`, as in `CheckService/Check`, of any kind: on the wire all are streams.
pub async fn open(
    channel: &Channel,
    key: Option<&ApiKey>,
    method: &str,
    messages: Vec<Vec<u8>>,
) -> Result<Streaming<Vec<u8>>, Status> {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let mut request = Request::new(tokio_stream::iter(messages));
    if let Some(key) = key {
        let bearer = format!("Bearer {}", key.reveal());
        request.metadata_mut().append("authorization", bearer.parse().unwrap());
    }
    let path = format!("/hashcommons.v1.{method}").parse().unwrap();
    grpc.streaming(request, path, Raw).await.map(tonic::Response::into_inner)
}
