//! Feeds of any kind, interrupted anywhere.

use proptest::prelude::*;

use super::*;
use crate::wire::timestamp;
use v1::opening::Fact;

const LEDGER: &str = "test.example/ledger+00000000+key";

/// Something that happens. Entries are named by how many came before.
#[derive(Clone, Debug)]
enum Step {
    Contributed {
        drill: bool,
        hours: Option<u64>,
    },
    Sealed,
    Withdrawn(usize),
    Expired(usize),
    /// One that was revoked, if it was.
    Erased(usize),
    Decided {
        entry: usize,
        ruling: Ruling,
        is_enough: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let ruling = (0..Ruling::ALL.len()).prop_map(|at| Ruling::ALL[at]);
    prop_oneof![
        4 => (any::<bool>(), prop::option::of(1..40_u64))
            .prop_map(|(drill, hours)| Step::Contributed { drill: drill && hours.is_none(), hours }),
        1 => Just(Step::Sealed),
        1 => (0..8_usize).prop_map(Step::Withdrawn),
        1 => (0..8_usize).prop_map(Step::Expired),
        1 => (0..8_usize).prop_map(Step::Erased),
        8 => (0..8_usize, ruling, prop::bool::weighted(0.8))
            .prop_map(|(entry, ruling, is_enough)| Step::Decided { entry, ruling, is_enough }),
    ]
}

fn event(index: u64, fact: Option<Fact>) -> v1::LedgerEvent {
    // An event an hour.
    let at = Some(timestamp(Timestamp::from_millis(index * 3_600_000).unwrap()));
    let opening =
        fact.map(|fact| v1::Opening { at, actor: "m-aaaaaaaa".to_owned(), fact: Some(fact), ..Default::default() });
    v1::LedgerEvent { index, leaf: vec![], opening, ahead: false, erased_by: None }
}

fn contributed(index: u64, drill: bool, hours: Option<u64>) -> Fact {
    let label = if drill { "incident-exercise" } else { "glorification" };
    let lapses = hours.map(|hours| timestamp(Timestamp::from_millis((index + hours) * 3_600_000).unwrap()));
    let draft = v1::Draft {
        signals: vec![v1::Signal { kind: 1, value: format!("{index:064x}"), quality: Some(90) }],
        labels: vec![label.to_owned()],
        provenance: Some(v1::Provenance::default()),
    };
    Fact::Contributed(v1::opening::Contributed { taxonomy_version: 1, draft: Some(draft), lapses })
}

fn opened() -> v1::LedgerEvent {
    let changed = v1::opening::IncidentChanged {
        incident: "exercise".to_owned(),
        is_drill: true,
        is_enough: true,
        ..Default::default()
    };
    event(0, Some(Fact::IncidentChanged(changed)))
}

/// The feed of these steps, the first event of which opens a drill.
fn feed(steps: &[Step]) -> Vec<v1::LedgerEvent> {
    let mut events = vec![opened()];
    let mut entries = Vec::new();
    for step in steps {
        let index = events.len() as u64;
        let id = |n: &usize| entries.get(*n).copied().unwrap_or(9_999);
        let fact = match step {
            Step::Contributed { drill, hours } => {
                entries.push(index);
                Some(contributed(index, *drill, *hours))
            }
            Step::Sealed => None,
            Step::Withdrawn(entry) => {
                Some(Fact::Withdrawn(v1::opening::Withdrawn { entry_id: id(entry), reason: String::new() }))
            }
            Step::Expired(entry) => Some(Fact::Expired(v1::opening::Expired { entry_ids: vec![id(entry)] })),
            Step::Erased(entry) => {
                let entry_ids = vec![id(entry)];
                Some(Fact::Erased(v1::opening::Erased { entry_ids, recounted_entry_ids: vec![] }))
            }
            Step::Decided { entry, ruling, is_enough } => {
                let labels = if *ruling == Ruling::Relabel { vec![format!("label-{index}")] } else { vec![] };
                let (ruling, reason) = (ruling.to_string(), "legal".to_owned());
                let decided =
                    v1::opening::Decided { entry_id: id(entry), ruling, reason, labels, is_enough: *is_enough };
                Some(Fact::Decided(decided))
            }
        };
        events.push(event(index, fact));
    }
    events
}

/// Entries that match after `events`, with their labels and the last ruling: each worked out by itself from the whole of it.
fn expected(events: &[v1::LedgerEvent]) -> Vec<(u64, Vec<String>, Option<String>)> {
    let facts = || events.iter().filter_map(|event| Some((event.index, event.opening.as_ref()?.fact.as_ref()?)));
    let entries = facts().filter_map(|(index, fact)| match fact {
        Fact::Contributed(said) => {
            Some((index, said.draft.as_ref()?.labels.clone(), said.lapses.map(|lapses| lapses.seconds)))
        }
        _ => None,
    });
    let state = |(entry, labels, lapses): (u64, Vec<String>, Option<i64>)| {
        let about: Vec<_> = facts().filter(|(index, _)| *index > entry).collect();
        let is_gone = about.iter().any(|(_, fact)| match fact {
            Fact::Withdrawn(said) => said.entry_id == entry,
            Fact::Expired(said) => said.entry_ids == [entry],
            Fact::Erased(said) => said.entry_ids == [entry],
            _ => false,
        });
        let decided = about.iter().filter_map(|(index, fact)| match fact {
            Fact::Decided(said) if said.is_enough && said.entry_id == entry => Some((*index, said)),
            _ => None,
        });
        let decided: Vec<_> = decided.collect();
        let too_late = |(index, said): &(u64, &v1::opening::Decided)| {
            said.ruling == "reinstate" && lapses.is_some_and(|lapses| lapses <= *index as i64 * 3_600)
        };
        let last = decided.last().map(|(_, said)| said.ruling.clone());
        let relabelled = decided.iter().rev().find(|(_, said)| said.ruling == "relabel");
        let is_drill = labels == ["incident-exercise"];
        let is_away = last.as_deref() == Some("revoke") || decided.iter().any(too_late);
        let labels = relabelled.map_or(labels, |(_, said)| said.labels.clone());
        (!is_gone && !is_drill && !is_away).then_some((entry, labels, last))
    };
    entries.filter_map(state).collect()
}

fn followed(path: &Path, events: &[v1::LedgerEvent]) -> Mirror {
    let mut mirror = Mirror::open(path, LEDGER).unwrap();
    let from = mirror.position() as usize;
    events[from..].iter().for_each(|event| mirror.apply(event).unwrap());
    mirror
}

proptest! {
    #[test]
    fn the_file_is_what_the_ledger_says_however_often_it_was_interrupted(
        steps in prop::collection::vec(step(), 0..60),
        stops in prop::collection::vec((0..61_usize, any::<bool>()), 0..6),
    ) {
        let events = feed(&steps);
        let folder = tempfile::tempdir().unwrap();
        let [whole, broken] = ["whole", "broken"].map(|name| folder.path().join(name));
        let mut mirror = followed(&whole, &events);
        mirror.save().unwrap();
        let told = |entry: &Listed| (entry.entry_id, entry.labels.clone(), entry.ruling.clone());
        prop_assert_eq!(mirror.listed.values().map(told).collect::<Vec<_>>(), expected(&events));
        let erased = events.iter().filter_map(|event| match event.opening.as_ref()?.fact.as_ref()? {
            Fact::Erased(said) => Some(said.entry_ids[0]),
            _ => None,
        });
        for erased in erased {
            prop_assert!(!mirror.revoked.contains_key(&erased), "entry {} is kept", erased);
        }

        for (stop, is_saved) in stops {
            let begun = Mirror::open(&broken, LEDGER).unwrap().position() as usize;
            // What came before is sent again, or before its turn, now and then: nothing comes of it.
            let mut mirror = followed(&broken, &events[..stop.clamp(begun, events.len())]);
            events.iter().take(begun).for_each(|event| mirror.apply(event).unwrap());
            let ahead = events.iter().map(|event| v1::LedgerEvent { ahead: true, ..event.clone() });
            ahead.for_each(|event| mirror.apply(&event).unwrap());
            if is_saved {
                mirror.save().unwrap();
            }
        }
        followed(&broken, &events).save().unwrap();
        prop_assert_eq!(std::fs::read(&broken).unwrap(), std::fs::read(&whole).unwrap());
    }
}

#[test]
fn what_is_no_mirror_or_of_another_ledger_or_has_a_gap_is_refused_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.ndjson");
    let events = feed(&[Step::Contributed { drill: false, hours: None }, Step::Sealed]);
    let mut mirror = followed(&path, &events[..2]);
    let gap = mirror.apply(&event(7, None)).unwrap_err();
    assert_eq!(gap.to_string(), "event 2 is missing in the feed: 7 came in its place");
    assert_eq!((mirror.position(), mirror.entries(), mirror.is_unsaved()), (2, 1, true));
    mirror.save().unwrap();
    assert!(!mirror.is_unsaved());

    let whole = std::fs::read_to_string(&path).unwrap();
    let other = Mirror::open(&path, "another").unwrap_err();
    assert!(matches!(other, MirrorError::OtherLedger { .. }));
    let lines: Vec<_> = whole.lines().collect();
    let shown = format!("{:064x}", 1);
    assert!(lines[1].contains(&shown));
    for (broken, line) in [
        (String::new(), 1),
        ("{}\n".to_owned(), 1),
        (whole.replace("\"mirror\":1", "\"mirror\":2"), 1),
        (whole[..whole.len() - 20].to_owned(), 2),
        (whole.replace("\"ruling\"", "\"rulings\""), 2),
    ] {
        std::fs::write(&path, &broken).unwrap();
        let error = Mirror::open(&path, LEDGER).unwrap_err();
        assert!(matches!(&error, MirrorError::Line { line: at, .. } if *at == line), "{broken}: {error}");
        assert!(!error.to_string().contains(&shown), "{error}");
    }
}
