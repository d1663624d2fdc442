//! Answers as JSON: the canonical protobuf mapping, with the field names of the `.proto` files and plain numbers.

use std::sync::LazyLock;

use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};

use crate::wire::DESCRIPTORS;

static POOL: LazyLock<Option<DescriptorPool>> = LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).ok());

/// A message that cannot be written as JSON: the program was put together wrongly.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// It is not one of the API's.
    #[error("the message {0} is not described")]
    Undescribed(String),
    /// Its bytes do not fit its description.
    #[error("the message does not fit its description: {0}")]
    Form(#[from] prost::DecodeError),
    /// The writer failed.
    #[error(transparent)]
    Write(#[from] serde_json::Error),
}

/// `message` as a JSON value, every field present.
///
/// # Errors
/// [`JsonError`].
pub fn to_json<M: Message + Name>(message: &M) -> Result<serde_json::Value, JsonError> {
    let name = M::full_name();
    let description = POOL.as_ref().and_then(|pool| pool.get_message_by_name(&name));
    let description = description.ok_or(JsonError::Undescribed(name))?;
    let dynamic = DynamicMessage::decode(description, message.encode_to_vec().as_slice())?;
    let options =
        SerializeOptions::new().stringify_64_bit_integers(false).use_proto_field_name(true).skip_default_fields(false);
    Ok(dynamic.serialize_with_options(serde_json::value::Serializer, &options)?)
}
