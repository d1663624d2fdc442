//! What operators can get wrong about holds.

use std::time::Duration;

use hashcommons::domain::Clock;
use hashcommons::wire::timestamp;
use hashcommons::wire::v1::{self, hold_scope};
use tonic::Code;

use super::{Row, Scene, bad};

pub fn rows(scene: &Scene) -> Vec<Row> {
    use hold_scope::Scope::{Entries, Incident, MemberId};
    let days = |days: u32| Some(timestamp(scene.hub.clock.now().plus(days * Duration::from_hours(24))));
    let good = |scope| v1::PlaceHoldRequest {
        scope: Some(v1::HoldScope { scope: Some(scope) }),
        reference: "12-O-345/26".to_owned(),
        authority: "Landgericht Berlin".to_owned(),
        until: days(1),
    };
    let of = |entry_ids| Entries(hold_scope::Entries { entry_ids });
    let own = || good(of(vec![scene.own]));
    let twice = format!("scope.entries: `{}` is given twice", scene.own);
    let nobody = "m-aaaaaaaa".to_owned();
    let mut rows = vec![
        bad(v1::PlaceHoldRequest { until: None, ..own() }, "until: is required"),
        bad(v1::PlaceHoldRequest { until: days(0), ..own() }, "until: must be in the future"),
        bad(v1::PlaceHoldRequest { until: days(366), ..own() }, "until: must be at most 365 days from now"),
        bad(v1::PlaceHoldRequest { scope: None, ..own() }, "scope: is required"),
        bad(v1::PlaceHoldRequest { scope: Some(v1::HoldScope { scope: None }), ..own() }, "scope: is required"),
        bad(good(of(vec![])), "scope.entries: must be 1 to 100, got 0"),
        bad(good(of((0..101).collect())), "scope.entries: must be 1 to 100, got 101"),
        bad(good(of(vec![scene.own, scene.own])), &twice),
        bad(good(Incident("nowhere".to_owned())), "scope.incident: there is no incident `nowhere`"),
        bad(good(Incident("No Where".to_owned())), "scope.incident: must be 1 to 48"),
        bad(good(MemberId(nobody)), "scope.member_id: there is no member m-aaaaaaaa"),
        bad(good(MemberId("somebody".to_owned())), "scope.member_id: must be"),
        bad(v1::PlaceHoldRequest { reference: String::new(), ..own() }, "reference: must be 1 to 64"),
        bad(v1::PlaceHoldRequest { authority: "a\nb".to_owned(), ..own() }, "authority: must be 1 to 80"),
    ];
    let absent = good(of(vec![scene.own, scene.size + 9]));
    rows.push((absent.into(), Code::NotFound, format!("entry {}: no such entry", scene.size + 9)));
    let lift = v1::LiftHoldRequest { hold_id: scene.own };
    rows.push((lift.into(), Code::NotFound, format!("hold {}: no such hold", scene.own)));
    rows
}
