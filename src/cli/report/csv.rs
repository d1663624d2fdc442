//! A report as CSV: RFC 4180, and safe to open in a spreadsheet.

use std::collections::BTreeSet;

use crate::cli::output;
use crate::wire::v1::{self, Suppressed, figure::Value};

/// A report as lines: what it is of, then a line for each figure, with a column for each dimension.
pub fn write(report: &v1::StatisticsReport) -> String {
    let dimensions: BTreeSet<&str> =
        report.figures.iter().flat_map(|figure| figure.by.iter().map(|one| one.name.as_str())).collect();
    let mut csv = String::new();
    line(&mut csv, ["figure"].into_iter().chain(dimensions.iter().copied()).chain(["value", "unit"]).map(text));
    let empty = || dimensions.iter().map(|_| text(""));
    for (name, value) in [
        ("from", text(&report.from)),
        ("to", text(&report.to)),
        ("tree-size", report.tree_size.to_string()),
        ("at", text(&output::time(report.at.as_ref()))),
    ] {
        line(&mut csv, [text(name)].into_iter().chain(empty()).chain([value, text("")]));
    }
    for figure in &report.figures {
        let code = |dimension: &&str| figure.by.iter().find(|one| one.name == *dimension).map_or("", |one| &one.code);
        let (value, unit) = match &figure.value {
            None => (text(""), ""),
            Some(Value::Count(count)) => (count.to_string(), "count"),
            Some(Value::Suppressed(why)) if *why == i32::from(Suppressed::Few) => (text("<5"), "count"),
            Some(Value::Suppressed(_)) => (text("not shown"), "count"),
            Some(Value::BasisPoints(points)) => (points.to_string(), "basis-points"),
            Some(Value::Seconds(seconds)) => (seconds.to_string(), "seconds"),
        };
        let codes = dimensions.iter().map(|dimension| text(code(dimension)));
        line(&mut csv, [text(&figure.name)].into_iter().chain(codes).chain([value, text(unit)]));
    }
    csv
}

fn line(csv: &mut String, fields: impl Iterator<Item = String>) {
    csv.push_str(&fields.collect::<Vec<_>>().join(","));
    csv.push_str("\r\n");
}

/// Text as a field: always quoted. What a spreadsheet would take for a formula stands behind an apostrophe.
fn text(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn report(names: Vec<(String, String)>) -> v1::StatisticsReport {
        let figure = |(name, code): (String, String)| v1::Figure {
            name,
            by: vec![v1::figure::Dimension { name: "label".to_owned(), code }],
            value: Some(Value::Count(7)),
        };
        v1::StatisticsReport { figures: names.into_iter().map(figure).collect(), ..Default::default() }
    }

    proptest! {
        #[test]
        fn no_field_is_a_formula_and_every_text_reads_back(
            names in proptest::collection::vec(("[-=+@\t\r\n\"',;a-z]{0,6}", "[-=+@\t\r\n\"',;|]{0,4}"), 1..5),
        ) {
            let written = write(&report(names.clone()));
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(written.as_bytes());
            let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(rows.len(), 5 + names.len());
            for field in rows.iter().flatten() {
                prop_assert!(!field.starts_with(['=', '+', '-', '@', '\t', '\r']), "{:?}", field);
            }
            for (row, (name, code)) in rows[5..].iter().zip(&names) {
                let plain = |field: &str, text: &str| field == text || field == format!("'{text}");
                prop_assert!(plain(&row[0], name) && plain(&row[1], code) && &row[2] == "7");
            }
        }
    }

    #[test]
    fn lines_end_and_quotes_are_doubled_as_rfc_4180_has_it() {
        let written = write(&report(vec![("a\"b".to_owned(), "=1+1".to_owned())]));
        assert!(
            written.starts_with("\"figure\",\"label\",\"value\",\"unit\"\r\n\"from\",\"\",\"\",\"\"\r\n"),
            "{written}"
        );
        assert!(written.ends_with("\r\n\"a\"\"b\",\"'=1+1\",7,\"count\"\r\n"), "{written}");
    }
}
