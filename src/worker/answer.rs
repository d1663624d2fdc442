//! A worker's answer: what a picture looks like, or why that cannot be said. Written by the worker; read by the parent as a
//! stranger's words.

use serde::{Deserialize, Serialize};

use crate::domain::{Orientation, Quality};
use crate::media::{DecodeLimits, FingerprintError, Format, Looks, Reading, Turns, Words};

/// The answer to one job.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// The job's.
    pub(super) number: u64,
    pub(super) outcome: Result<Picture, FingerprintError>,
}

/// [`Looks`] in JSON: hashes as digits, orientations by their codes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Picture {
    format: Format,
    width: u32,
    height: u32,
    readings: Vec<Look>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    orientation: String,
    pdq: String,
    quality: u32,
    phash: Option<String>,
    dhash: Option<String>,
}

/// What no honest worker answers, by the first thing that is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nonsense(pub(super) &'static str);

impl From<Looks> for Picture {
    fn from(looks: Looks) -> Self {
        let Looks { format, width, height, stored, turned } = looks;
        Self { format, width, height, readings: std::iter::once(stored).chain(turned).map(Look::from).collect() }
    }
}

impl From<Reading> for Look {
    fn from(reading: Reading) -> Self {
        Self {
            orientation: reading.orientation.code().to_owned(),
            pdq: reading.pdq.to_string(),
            quality: reading.quality.percent().into(),
            phash: reading.words.map(|words| words.phash.to_string()),
            dhash: reading.words.map(|words| words.dhash.to_string()),
        }
    }
}

impl Look {
    fn read(&self) -> Result<Reading, Nonsense> {
        let word = |digits: &str| digits.parse().map_err(|_| Nonsense("a 64-bit hash"));
        Ok(Reading {
            orientation: self.orientation.parse().map_err(|_| Nonsense("an orientation"))?,
            pdq: self.pdq.parse().map_err(|_| Nonsense("a PDQ hash"))?,
            quality: Quality::new(self.quality).map_err(|_| Nonsense("a quality"))?,
            words: match (&self.phash, &self.dhash) {
                (Some(phash), Some(dhash)) => Some(Words { phash: word(phash)?, dhash: word(dhash)? }),
                (None, None) => None,
                _ => return Err(Nonsense("one 64-bit hash without the other")),
            },
        })
    }
}

impl Answer {
    /// The answer to the job with this number, asked with these turns.
    ///
    /// # Errors
    /// [`Nonsense`] unless it is an answer that an honest worker could give to it.
    pub(super) fn read(
        bytes: &[u8],
        number: u64,
        turns: Turns,
        limits: &DecodeLimits,
    ) -> Result<Result<Looks, FingerprintError>, Nonsense> {
        let answer: Self = serde_json::from_slice(bytes).map_err(|_| Nonsense("not an answer at all"))?;
        if answer.number != number {
            return Err(Nonsense("the answer to another job"));
        }
        match answer.outcome {
            Ok(picture) => picture.read(turns, limits).map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }
}

impl Picture {
    fn read(&self, turns: Turns, limits: &DecodeLimits) -> Result<Looks, Nonsense> {
        let &Self { format, width, height, .. } = self;
        let longest = width.max(height);
        let pixels = u64::from(width) * u64::from(height);
        if width.min(height) == 0 || longest > limits.side_max || pixels > limits.pixels_max {
            return Err(Nonsense("a size beyond the limits"));
        }
        let mut readings = self.readings.iter().map(Look::read);
        let stored = readings.next().ok_or(Nonsense("no reading"))??;
        if stored.orientation != Orientation::AsStored || stored.words.is_none() {
            return Err(Nonsense("a first reading that is not the stored one"));
        }
        let turned = readings.collect::<Result<Vec<_>, _>>()?;
        let mut seen = vec![Orientation::AsStored];
        for (at, reading) in turned.iter().enumerate() {
            if seen.contains(&reading.orientation) {
                return Err(Nonsense("one orientation twice"));
            }
            seen.push(reading.orientation);
            // Only what is shown has words, and it comes first.
            if reading.words.is_some() && at > 0 {
                return Err(Nonsense("two readings as shown"));
            }
        }
        let complete = match turns {
            Turns::Shown => turned.len() <= 1 && turned.iter().all(|reading| reading.words.is_some()),
            Turns::All => seen.len() == Orientation::ALL.len(),
        };
        if !complete {
            return Err(Nonsense("other orientations than were asked for"));
        }
        Ok(Looks { format, width, height, stored, turned })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::media::{DecodeError, looks};

    const PICTURE: &[u8] = include_bytes!("samples/tiny.png");

    fn read(answer: &Value, turns: Turns) -> Result<Result<Looks, FingerprintError>, Nonsense> {
        Answer::read(answer.to_string().as_bytes(), 7, turns, &DecodeLimits::default())
    }

    fn answered(turns: Turns) -> Value {
        let outcome = looks(PICTURE, &DecodeLimits::default(), turns).map(Picture::from);
        serde_json::to_value(Answer { number: 7, outcome }).unwrap()
    }

    #[test]
    fn what_a_worker_answers_reads_back_as_what_it_found() {
        for turns in [Turns::Shown, Turns::All] {
            let found = looks(PICTURE, &DecodeLimits::default(), turns).unwrap();
            assert_eq!(read(&answered(turns), turns), Ok(Ok(found)));
        }
        let error = FingerprintError::from(DecodeError::UnknownFormat);
        let answer = serde_json::to_value(Answer { number: 7, outcome: Err(error.clone()) }).unwrap();
        assert_eq!(read(&answer, Turns::Shown), Ok(Err(error)));
    }

    #[test]
    fn what_no_honest_worker_answers_is_refused_at_the_first_thing_that_is_wrong() {
        let first = |answer: &mut Value, field: &str, value: Value| {
            answer["outcome"]["Ok"]["readings"][0][field] = value;
        };
        #[expect(clippy::type_complexity, reason = "a table: what is asked, what is wrong, how it is made so")]
        let changes: [(Turns, &str, &dyn Fn(&mut Value)); 17] = [
            (Turns::Shown, "the answer to another job", &|answer| answer["number"] = json!(8)),
            (Turns::Shown, "not an answer at all", &|answer| answer["more"] = json!(1)),
            (Turns::Shown, "not an answer at all", &|answer| answer["outcome"]["Ok"]["more"] = json!(1)),
            (Turns::Shown, "not an answer at all", &|answer| answer["outcome"]["Ok"]["format"] = json!("exe")),
            (Turns::Shown, "a size beyond the limits", &|answer| answer["outcome"]["Ok"]["width"] = json!(0)),
            (Turns::Shown, "a size beyond the limits", &|answer| answer["outcome"]["Ok"]["height"] = json!(16_385)),
            (Turns::Shown, "no reading", &|answer| answer["outcome"]["Ok"]["readings"] = json!([])),
            (Turns::Shown, "a PDQ hash", &|answer| first(answer, "pdq", json!("f".repeat(63)))),
            (Turns::Shown, "a quality", &|answer| first(answer, "quality", json!(101))),
            (Turns::Shown, "an orientation", &|answer| first(answer, "orientation", json!("upright"))),
            (Turns::Shown, "a 64-bit hash", &|answer| first(answer, "phash", json!("+123456789abcdef"))),
            (Turns::Shown, "one 64-bit hash without the other", &|answer| first(answer, "dhash", Value::Null)),
            (Turns::Shown, "a first reading that is not the stored one", &|answer| {
                first(answer, "orientation", json!("rotated-90"));
            }),
            (Turns::Shown, "one orientation twice", &|answer| {
                let again = answer["outcome"]["Ok"]["readings"][0].clone();
                answer["outcome"]["Ok"]["readings"].as_array_mut().unwrap().push(again);
            }),
            (Turns::All, "other orientations than were asked for", &|answer| {
                answer["outcome"]["Ok"]["readings"].as_array_mut().unwrap().pop();
            }),
            (Turns::All, "two readings as shown", &|answer| {
                let words = answer["outcome"]["Ok"]["readings"][0]["phash"].clone();
                answer["outcome"]["Ok"]["readings"][3]["phash"] = words.clone();
                answer["outcome"]["Ok"]["readings"][3]["dhash"] = words;
            }),
            (Turns::All, "not an answer at all", &|answer| *answer = json!("hello")),
        ];
        for (turns, nonsense, change) in changes {
            let mut answer = answered(turns);
            assert!(matches!(read(&answer, turns), Ok(Ok(_))));
            change(&mut answer);
            assert_eq!(read(&answer, turns), Err(Nonsense(nonsense)));
        }
        // Eight orientations, where only that as shown was asked for.
        assert_eq!(read(&answered(Turns::All), Turns::Shown), Err(Nonsense("other orientations than were asked for")));
    }
}
