//! What is left to be done when something that mutes begins or ends: which open alerts are to be looked at again. It is
//! kept as the subject of a timer, so that it goes on page by page, and after a restart.

use crate::{
    domain::{project::Project, suppress::EqualValues, timer::TimerKind},
    error::{Error, Result},
    id::Id,
    store::{OpenPlace, Tx},
};

use super::super::Hand;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// A window or a silence begins or ends, e.g. `silence:silence-…`.
    Turn(String),
    /// The open alerts are looked at that something may be about, e.g. `inhibition:inhibition-…`.
    Within(String),
    /// The open alerts are looked at that something mutes.
    Muted(String),
    /// The open alerts are looked at that an inhibition mutes while an alert with these values is open.
    Equal(String, EqualValues),
    /// The open alerts are looked at that wait for the alert of a key.
    Key(Id<Project>, String),
}

impl Errand {
    /// Has it done with the next tick, from `place` on.
    pub(super) fn begin(&self, tx: &mut dyn Tx, place: OpenPlace, hand: &Hand<'_>) -> Result<()> {
        tx.set_timer(TimerKind::Window, &self.subject(place), Some(hand.now))
    }

    /// It as the subject of a timer. What may hold blanks comes last.
    pub(super) fn subject(&self, place: OpenPlace) -> String {
        let OpenPlace { project, created_at, alert } = place;
        let what = match self {
            Self::Turn(by) => format!("turn {by}"),
            Self::Within(by) => format!("within {by}"),
            Self::Muted(by) => format!("muted {by}"),
            Self::Equal(inhibition, values) => format!("equal {} {inhibition}", values.hex()),
            Self::Key(project, key) => format!("key {project} {key}"),
        };
        format!("{project}.{created_at}.{alert} {what}")
    }

    /// What the subject of a timer says.
    pub(super) fn read(subject: &str) -> Result<(Self, OpenPlace)> {
        Self::parse(subject).ok_or_else(|| {
            Error::internal(format!("a timer whose subject means nothing: {subject}"))
        })
    }

    fn parse(subject: &str) -> Option<(Self, OpenPlace)> {
        let (place, what) = subject.split_once(' ')?;
        let mut numbers = place.split('.').map(|number| number.parse::<i64>().ok());
        let mut next = || numbers.next().flatten();
        let place = OpenPlace { project: next()?, created_at: next()?, alert: next()? };
        let (kind, rest) = what.split_once(' ')?;
        let errand = match kind {
            "turn" => Self::Turn(rest.to_owned()),
            "within" => Self::Within(rest.to_owned()),
            "muted" => Self::Muted(rest.to_owned()),
            "equal" => {
                let (hex, inhibition) = rest.split_once(' ')?;
                Self::Equal(inhibition.to_owned(), EqualValues::from_hex(hex)?)
            }
            "key" => {
                let (project, key) = rest.split_once(' ')?;
                Self::Key(project.into(), key.to_owned())
            }
            _ => return None,
        };
        Some((errand, place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errand_survives_as_the_subject_of_a_timer() {
        let place = OpenPlace { project: 3, created_at: -17, alert: 99 };
        let errands = [
            Errand::Turn("silence:silence-1".to_owned()),
            Errand::Within("inhibition:inhibition-1".to_owned()),
            Errand::Muted("maintenance_window:mw-1".to_owned()),
            Errand::Equal(
                "inhibition-1".to_owned(),
                EqualValues([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]),
            ),
            Errand::Key("p".into(), "a key with  blanks ".to_owned()),
        ];
        for errand in errands {
            let subject = errand.subject(place);
            assert_eq!(Errand::read(&subject).unwrap(), (errand, place), "{subject}");
        }
        for nonsense in ["", "1.2.3", "1.2 turn x", "1.2.3 dance x", "1.2.3 equal abc x"] {
            assert!(Errand::read(nonsense).is_err(), "{nonsense}");
        }
    }
}
