//! Who watches is told that something was committed, and where it ends; what it was is read from the store.

use tokio::sync::watch;

/// How many changes of alerts are kept for those who watch; nobody may be further behind.
pub const KEPT: u32 = 200_000;

/// A place in the store's two logs: events, and what happened to alerts.
///
/// Rows of both are given their integer keys by the one writer and committed in the order of these keys, and a key that was
/// given is never given again. So whoever has read up to a place has missed nothing before it, and everything that is
/// committed later lies beyond it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The newest event, by its integer key.
    pub event: i64,
    /// The newest change of an alert, by its integer key.
    pub happening: i64,
}

impl Place {
    /// The place as callers see it.
    pub fn text(self) -> String {
        format!("{}-{}", self.event, self.happening)
    }

    /// Reads what [`text`](Self::text) wrote; `None` for anything else.
    pub fn read(text: &str) -> Option<Self> {
        let (event, happening) = text.split_once('-')?;
        let number = |digits: &str| {
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|_| is_number)
        };
        Some(Self { event: number(event)?, happening: number(happening)? })
    }

    /// How many rows lie between this place and one before it.
    pub fn beyond(self, before: Self) -> i64 {
        let rows = |newest: i64, read: i64| newest.saturating_sub(read).max(0);
        rows(self.event, before.event).saturating_add(rows(self.happening, before.happening))
    }

    /// Whether nothing of this place lies beyond `other`.
    pub fn is_within(self, other: Self) -> bool {
        self.event <= other.event && self.happening <= other.happening
    }
}

/// Tells those who watch how far the commits have come. Nothing is queued: who comes late sees the newest place.
#[derive(Debug, Default)]
pub struct Bus {
    newest: watch::Sender<Place>,
}

impl Bus {
    /// The newest place that is committed.
    pub fn newest(&self) -> Place {
        *self.newest.borrow()
    }

    /// Watches from now on.
    pub fn subscribe(&self) -> watch::Receiver<Place> {
        self.newest.subscribe()
    }

    /// Says that everything up to `place` is committed.
    pub fn publish(&self, place: Place) {
        self.newest.send_if_modified(|newest| {
            let is_new = *newest != place;
            *newest = place;
            is_new
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_as_it_was_written() {
        let place = Place { event: 12, happening: 3 };
        assert_eq!(Place::read(&place.text()), Some(place));
        for wrong in ["", "-", "1", "1-", "-1-2", "1--2", "+1-2", "1-2-3", "99999999999999999999-1"]
        {
            assert_eq!(Place::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn who_watches_is_told_once_of_many_commits() {
        let bus = Bus::default();
        let mut watching = bus.subscribe();
        assert!(!watching.has_changed().unwrap());
        bus.publish(Place { event: 1, happening: 0 });
        bus.publish(Place { event: 2, happening: 1 });
        assert_eq!(*watching.borrow_and_update(), Place { event: 2, happening: 1 });
        bus.publish(Place { event: 2, happening: 1 });
        assert!(!watching.has_changed().unwrap(), "nothing is new");
    }
}
