//! Incidents that cannot be opened, or are not there.

use hashcommons::wire::{timestamp, v1};
use prost_types::Timestamp;
use tonic::Code;

use super::calls::Call;
use super::{Row, Scene, bad};
use crate::support::{check_of, pdq};

const HOUR: std::time::Duration = std::time::Duration::from_hours(1);

pub fn rows(scene: &Scene) -> Vec<Row> {
    let open = |code: &str, kind: &str, until| v1::OpenIncidentRequest {
        code: code.to_owned(),
        r#type: kind.to_owned(),
        is_drill: false,
        until,
    };
    let now = hashcommons::domain::Clock::now(&*scene.hub.clock);
    let until = |until, message: &str| bad(open("harbour", "footage", Some(until)), message);
    let range = "until: must be in the future, at most 24 hours from now, got ";
    let extend = |code: &str| v1::ExtendIncidentRequest { code: code.to_owned(), until: None };
    let close = |code: &str| v1::CloseIncidentRequest { code: code.to_owned() };
    let debrief = |code: &str| v1::GetDebriefRequest { code: code.to_owned() };
    let drill =
        |code: &str, message: &str| bad(v1::CheckRequest { drill: code.to_owned(), ..check_of([pdq(1)]) }, message);
    let absent = |call: Call| (call, Code::NotFound, "code: there is no incident `nowhere`".to_owned());
    let form = "code: must be 1 to 48 characters of a-z, 0-9 and `-`";
    let wrong_time =
        v1::ExtendIncidentRequest { until: Some(Timestamp { seconds: 0, nanos: -1 }), ..extend("harbour") };
    vec![
        bad(open("", "footage", None), form),
        bad(open("Harbour", "footage", None), form),
        bad(open(&"x".repeat(49), "footage", None), form),
        bad(open(&"x".repeat(40), "footage", None), "code: must be at most 39 characters"),
        bad(open("harbour", "", None), "type: must be 1 to 48 characters"),
        bad(
            open("harbour", "flood", None),
            "type: unknown type `flood`: must be one of livestream, manifesto, footage",
        ),
        until(timestamp(now), range),
        until(timestamp(now.plus(24 * HOUR).plus(std::time::Duration::from_millis(1))), range),
        until(Timestamp { seconds: -1, nanos: 0 }, "until: must be a UTC time from 1970 to 9999"),
        bad(extend("A"), form),
        bad(wrong_time, "until: must be a UTC time from 1970 to 9999"),
        bad(close(""), form),
        bad(debrief("a b"), form),
        absent(extend("nowhere").into()),
        absent(close("nowhere").into()),
        absent(debrief("nowhere").into()),
        drill("A drill", "drill: must be 1 to 48 characters"),
        drill("nowhere", "drill: there is no open drill `nowhere`"),
    ]
}
