//! The table of what methods take is about methods that there are.

use hashcommons::grpc::access::TABLE;
use hashcommons::grpc::{MESSAGE_BYTES_MAX, intake};
use hashcommons::wire::DESCRIPTORS;
use prost::Message;
use prost_types::FileDescriptorSet;

#[test]
fn only_methods_that_clients_stream_to_may_take_their_time() {
    let mut streaming = Vec::new();
    for file in &FileDescriptorSet::decode(DESCRIPTORS).unwrap().file {
        for service in &file.service {
            let methods = service.method.iter().filter(|method| method.client_streaming());
            streaming.extend(methods.map(|method| format!("/{}.{}/{}", file.package(), service.name(), method.name())));
        }
    }
    let mut patient: Vec<_> = TABLE.iter().map(|(path, _)| *path).filter(|path| intake(path).streams).collect();
    streaming.sort();
    patient.sort_unstable();
    assert_eq!(patient, streaming);
}

#[test]
fn no_method_takes_more_than_the_longest_and_what_needs_no_key_takes_least() {
    let longest = TABLE.iter().map(|(path, _)| intake(path).message_bytes_max).max();
    assert_eq!(longest, Some(MESSAGE_BYTES_MAX));
    for (path, access) in TABLE {
        if *access == hashcommons::grpc::access::Access::Open {
            assert_eq!(intake(path).message_bytes_max, 4 << 10, "{path}");
        }
    }
}
