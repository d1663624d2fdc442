//! What reviewers ask for, decide and get.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::codes::Coded;
use super::entry::assessment;
use super::signal::{signal_to_wire, signals_from_wire};
use super::{optional, timestamp, v1};
use crate::domain::{
    At, Attention, Benign, BenignClass, Decision, EntryId, FieldError, Ruling, RulingReason, Timestamp, check_count,
};
use crate::hub::{ListedBenign, QUEUE_PAGE_DEFAULT, QUEUE_PAGE_MAX, QueuePage, QueueQuery, Waiting};
use crate::policy::attention::Place;

/// Reads what is wanted of the queue.
///
/// # Errors
/// The field that is not as it must be.
pub fn queue_query(request: &v1::ListQueueRequest) -> Result<QueueQuery, FieldError> {
    if request.attention.len() > Attention::ALL.len() {
        let problem = format!("must be at most {}, got {}", Attention::ALL.len(), request.attention.len());
        return Err(FieldError::new("attention", problem));
    }
    let mut attention = BTreeSet::new();
    for (at, number) in request.attention.iter().enumerate() {
        let path = format!("attention[{at}]");
        let one = Attention::from_wire(*number, path.clone())?;
        if !attention.insert(one) {
            return Err(FieldError::new(path, format_args!("`{one}` is given twice")));
        }
    }
    let after = if request.after.is_empty() { None } else { Some(place(&request.after).at("after")?) };
    Ok(QueueQuery { attention, size: page_size(request.page_size)?, after })
}

/// Reads how long a page may be.
///
/// # Errors
/// At `page_size`.
pub fn page_size(size: u32) -> Result<usize, FieldError> {
    match size as usize {
        0 => Ok(QUEUE_PAGE_DEFAULT),
        size if size <= QUEUE_PAGE_MAX => Ok(size),
        size => Err(FieldError::new("page_size", format_args!("must be at most {QUEUE_PAGE_MAX}, got {size}"))),
    }
}

/// Reads a place in the queue as [`place_to_wire`] writes it.
fn place(text: &str) -> Result<Place, &'static str> {
    let number = |text: &str| if text.bytes().all(|b| b.is_ascii_digit()) { text.parse::<u64>().ok() } else { None };
    let read = || {
        let mut parts = text.split('.');
        let [reach, since, entry] = [parts.next()?, parts.next()?, parts.next()?].map(number);
        let since = Timestamp::from_millis(since?).ok()?;
        parts.next().is_none().then_some(Place { reach: Reverse(reach?), since, entry: EntryId(entry?) })
    };
    read().ok_or("must be what `next` of the page before says")
}

fn place_to_wire(place: &Place) -> String {
    format!("{}.{}.{}", place.reach.0, place.since.millis(), place.entry)
}

/// Writes a page of the queue.
pub fn queue_page(page: &QueuePage) -> v1::ListQueueResponse {
    v1::ListQueueResponse {
        items: page.items.iter().map(waiting).collect(),
        next: page.next.as_ref().map(place_to_wire).unwrap_or_default(),
        total: page.total as u64,
        is_complete: page.is_complete,
    }
}

fn waiting(waiting: &Waiting) -> v1::list_queue_response::Item {
    let proposals = waiting.proposals.iter().map(|proposed| v1::Proposal {
        ruling: proposed.decision.ruling.to_wire(),
        reason: proposed.decision.reason.to_wire(),
        by: proposed.by.first().map(ToString::to_string).unwrap_or_default(),
        at: Some(timestamp(proposed.at)),
        event: proposed.event,
        labels: proposed.decision.labels.iter().map(ToString::to_string).collect(),
    });
    v1::list_queue_response::Item {
        entry_id: waiting.place.entry.0,
        attention: waiting.attention.iter().map(|reason| reason.to_wire()).collect(),
        reach: waiting.place.reach.0,
        since: Some(timestamp(waiting.place.since)),
        is_own: waiting.is_own,
        assessment: Some(assessment(&waiting.view.assessment)),
        proposals: proposals.collect(),
    }
}

/// Reads a decision.
///
/// # Errors
/// The field that is not as it must be. Whether its labels are any of the entry's taxonomy is not looked at.
pub fn decision(request: &v1::DecideRequest) -> Result<Decision, FieldError> {
    let ruling = Ruling::from_wire(request.ruling, "ruling")?;
    let reason = RulingReason::from_wire(request.reason, "reason")?;
    if !request.labels.is_empty() {
        check_count("labels", request.labels.len(), crate::domain::Draft::LABELS_MAX)?;
    }
    let labels = request.labels.iter().enumerate().map(|(at, label)| label.parse().at(format!("labels[{at}]")));
    let mut labels: Vec<_> = labels.collect::<Result<_, _>>()?;
    labels.sort_unstable();
    Ok(Decision { ruling, reason, labels })
}

/// Reads a benign item.
///
/// # Errors
/// The field that is not as it must be.
pub fn benign_item(item: &v1::BenignItem) -> Result<Benign, FieldError> {
    // Counted before anything is converted.
    check_count("signals", item.signals.len(), Benign::SIGNALS_MAX)?;
    let class = BenignClass::from_wire(item.class, "class")?;
    Benign::new(signals_from_wire(&item.signals, "signals")?, class, optional(&item.reference, "reference")?)
}

/// Writes a benign item.
pub fn benign_item_to_wire(item: &Benign) -> v1::BenignItem {
    v1::BenignItem {
        signals: item.signals().iter().map(signal_to_wire).collect(),
        class: item.class.to_wire(),
        reference: item.reference.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

/// Writes a page of the benign list.
pub fn benign_page((items, next): &(Vec<ListedBenign>, Option<u64>)) -> v1::ListBenignResponse {
    let items = items.iter().map(|listed| v1::list_benign_response::Listed {
        benign_id: listed.id,
        item: Some(benign_item_to_wire(&listed.item)),
        added: Some(timestamp(listed.added)),
        by: listed.by.map(|by| by.to_string()).unwrap_or_default(),
    });
    v1::ListBenignResponse { items: items.collect(), next: *next }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::testing::benign;

    proptest! {
        #[test]
        fn a_place_is_read_as_it_is_written(reach: u64, since in 0..=253_402_300_799_999u64, entry: u64) {
            let since = Timestamp::from_millis(since).unwrap();
            let there = Place { reach: Reverse(reach), since, entry: EntryId(entry) };
            prop_assert_eq!(place(&place_to_wire(&there)), Ok(there));
        }

        #[test]
        fn a_benign_item_goes_over_the_wire_and_comes_back(item in benign()) {
            prop_assert_eq!(benign_item(&benign_item_to_wire(&item)), Ok(item));
        }
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in ["1", "1.2", "1.2.3.4", "1.2.", "+1.2.3", "1.99999999999999999.3", "a.b.c"] {
            assert!(place(text).is_err(), "{text}");
        }
    }
}
