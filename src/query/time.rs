//! Times as people write them in a condition.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use crate::clock::{Timestamp, to_millis};

/// The instant that `text` names: RFC 3339, the same with a blank for the `T`, without a zone (then UTC), without
/// seconds, or a date alone (then its beginning). `None` where it names none.
pub(super) fn lenient(text: &str) -> Option<Timestamp> {
    const MOMENTS: [&str; 4] =
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    const DATES: [&str; 4] = ["%Y-%m-%d", "%Y/%m/%d", "%d %b %Y", "%d %B %Y"];

    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(to_millis(time.to_utc()));
    }
    if let Ok(time) = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z") {
        return Some(to_millis(time.to_utc()));
    }
    let moment = MOMENTS.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    if let Some(moment) = moment {
        return Some(to_millis(moment.and_utc()));
    }
    let date = DATES.iter().find_map(|form| NaiveDate::parse_from_str(text, form).ok())?;
    Some(to_millis(date.and_hms_opt(0, 0, 0)?.and_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::rfc3339;

    #[test]
    fn times_are_read_in_the_forms_people_write() {
        let same = [
            "2024-05-15T00:00:00Z",
            "2024-05-15 00:00:00Z",
            "2024-05-15T02:00:00+02:00",
            "2024-05-15 02:00:00 +0200",
            "2024-05-15T00:00:00",
            "2024-05-15 00:00",
            "2024-05-15",
            " 15 May 2024 ",
        ];
        for text in same {
            let read = lenient(text).map(rfc3339);
            assert_eq!(read.as_deref(), Some("2024-05-15T00:00:00.000Z"), "{text}");
        }
        assert_eq!(lenient("garbage"), None);
        assert_eq!(lenient("2024-13-01"), None);
    }
}
