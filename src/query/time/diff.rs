//! Times by their distance from now: `now-2h`, `now/d`, `now/w - 1w`.

use chrono::{Datelike, TimeDelta};

use super::{midnight, within_bounds};
use crate::clock::Timestamp;

/// The instant that `text` names: `now`, or the beginning of this day (`now/d`), of this week's Monday (`now/w`) or of
/// this month (`now/m`), all in UTC, and from there at most one step: `+` or `-`, a number, and one of `s m h d w`.
/// `None` where it names none.
pub(in crate::query) fn diff(text: &str, now: Timestamp) -> Option<Timestamp> {
    let trimmed = text.trim();
    let today = now.date_naive();
    let bases = [
        ("now/d", midnight(today)),
        ("now/w", midnight(today) - TimeDelta::days(today.weekday().num_days_from_monday().into())),
        ("now/m", midnight(today.with_day(1)?)),
        ("now", now.naive_utc()),
    ];
    let (base, rest) =
        bases.iter().find_map(|(word, base)| Some((*base, trimmed.strip_prefix(word)?)))?;
    if rest.is_empty() {
        return within_bounds(base, TimeDelta::zero());
    }
    let rest = after_blank(rest);
    let forward = match rest.chars().next()? {
        '+' => true,
        '-' => false,
        _ => return None,
    };
    let rest = after_blank(&rest[1..]);
    let unit = rest.chars().last()?;
    let number = rest.strip_suffix(unit)?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = number.parse().ok()?;
    let step = match unit {
        's' => TimeDelta::try_seconds(number),
        'm' => TimeDelta::try_minutes(number),
        'h' => TimeDelta::try_hours(number),
        'd' => TimeDelta::try_days(number),
        'w' => TimeDelta::try_weeks(number),
        _ => None,
    }?;
    let at = if forward { base.checked_add_signed(step) } else { base.checked_sub_signed(step) };
    within_bounds(at?, TimeDelta::zero())
}

/// What follows, without the one blank that it may begin with.
fn after_blank(text: &str) -> &str {
    text.strip_prefix(' ').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::rfc3339;

    #[test]
    fn distances_are_counted_from_now_or_from_the_beginning_of_something() {
        let now = "2024-05-15T12:34:56.789Z".parse().unwrap();
        for (text, expected) in [
            ("now", "2024-05-15T12:34:56.789Z"),
            ("  now/d  ", "2024-05-15T00:00:00.000Z"),
            ("now/w", "2024-05-13T00:00:00.000Z"),
            ("now/m", "2024-05-01T00:00:00.000Z"),
            ("now-90s", "2024-05-15T12:33:26.789Z"),
            ("now - 2h", "2024-05-15T10:34:56.789Z"),
            (" now/d + 30m ", "2024-05-15T00:30:00.000Z"),
            ("now/w-1w", "2024-05-06T00:00:00.000Z"),
            ("now+1d", "2024-05-16T12:34:56.789Z"),
        ] {
            assert_eq!(diff(text, now).map(rfc3339).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "later",
            "now-1y",
            "now-1h30m",
            "now-h",
            "now-",
            "now  - 1h",
            "now -  1h",
            "NOW",
            "now|1h",
            "now1h",
            "now-1H",
            "now/y",
            "now-99999999999999999999d",
            "now-9999999999d",
            "now-9999999w",
            "now-١h",
        ] {
            assert_eq!(diff(text, now), None, "{text}");
        }
    }
}
