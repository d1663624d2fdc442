//! Protobuf's wire format, read by hand: what a stranger would write who has the files and not the program.

/// A field of a message: numbers, and everything that has a length.
pub enum Value {
    Number(u64),
    Bytes(Vec<u8>),
}

/// The fields of a message, in order.
pub fn fields(mut message: &[u8]) -> Vec<(u64, Value)> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message);
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut message)),
            2 => {
                let (value, rest) = {
                    let length = varint(&mut message) as usize;
                    message.split_at(length)
                };
                message = rest;
                Value::Bytes(value.to_vec())
            }
            other => panic!("wire type {other} is not used"),
        };
        found.push((tag >> 3, value));
    }
    found
}

/// The number in the first field of this tag; 0 where it is absent, as protobuf has it.
pub fn number(fields: &[(u64, Value)], tag: u64) -> u64 {
    fields
        .iter()
        .find_map(|(found, value)| match value {
            Value::Number(number) if *found == tag => Some(*number),
            _ => None,
        })
        .unwrap_or_default()
}

/// The bytes of the first field of this tag; empty where it is absent.
pub fn bytes(fields: &[(u64, Value)], tag: u64) -> Vec<u8> {
    fields
        .iter()
        .find_map(|(found, value)| match value {
            Value::Bytes(bytes) if *found == tag => Some(bytes.clone()),
            _ => None,
        })
        .unwrap_or_default()
}

fn varint(rest: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first().expect("a number that ends");
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
    }
    panic!("a number of more than 64 bits");
}
