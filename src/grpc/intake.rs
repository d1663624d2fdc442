//! What a request may bring, method by method: how long its messages may be, and whether it may go on for as long as it likes.

/// The longest message of any method: a piece of a picture, of 64 KiB with our client. A decoder may make tens of times as much
/// of a message in memory before anything can be counted.
pub const MESSAGE_BYTES_MAX: usize = 128 << 10;

/// What a request of one method may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intake {
    /// The longest message, unpacked; nothing is taken packed.
    pub message_bytes_max: usize,
    /// Whether messages may come at any time. If not, the request must be complete soon after it began.
    pub streams: bool,
    /// Whether only a few are answered at a time, the others refused: for what has long answers and asks for no key.
    pub scarce: bool,
}

/// What the method at `path` takes; of one that is not there, what the smallest take.
pub fn intake(path: &str) -> Intake {
    let (message_kib_max, streams) = match path {
        "/hashcommons.v1.CheckService/Check" => (16, false),
        "/hashcommons.v1.CheckService/CheckStream" => (16, true),
        "/hashcommons.v1.CheckService/CheckMedia" => (MESSAGE_BYTES_MAX >> 10, true),
        // Sixteen signals and all their provenance take a few KiB.
        "/hashcommons.v1.ContributeService/Contribute" => (32, false),
        "/hashcommons.v1.ContributeService/ContributeStream" => (32, true),
        "/hashcommons.v1.ReviewService/Trace" => (16, false),
        // 256 items of one or two signals.
        "/hashcommons.v1.ReviewService/AddBenign" => (MESSAGE_BYTES_MAX >> 10, false),
        path if path.starts_with("/hashcommons.v1.AdminService/") => (16, false),
        // A policy file of 16 KiB and its field.
        "/hashcommons.v1.PolicyService/PreviewPolicy" | "/hashcommons.v1.PolicyService/SetPolicy" => (17, false),
        // What needs no key, and questions of a number or two.
        _ => (4, false),
    };
    let scarce = path.starts_with("/grpc.reflection.");
    Intake { message_bytes_max: message_kib_max << 10, streams, scarce }
}
