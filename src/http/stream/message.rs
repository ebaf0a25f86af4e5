//! Messages as they go over the wire, and why a stream ends.

use actix_web::web::Bytes;
use serde_json::json;

use crate::{api::stream::Message, bus::Place};

/// Why the server ends a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    /// The reader took nothing for too long.
    TooSlow,
    /// The reader is further behind than anyone may be.
    TooFarBehind,
    /// Something that the reader has not read was removed.
    Removed,
    /// The reader has read what is not there yet.
    Ahead,
    /// The reader's token does not work any more.
    Revoked,
    /// The server stops.
    Stopping,
    /// The store cannot be read.
    Failed,
}

impl Dropped {
    /// Its word, for programs and metrics.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::TooSlow => "TOO_SLOW",
            Self::TooFarBehind => "TOO_FAR_BEHIND",
            Self::Removed => "REMOVED",
            Self::Ahead => "AHEAD",
            Self::Revoked => "REVOKED",
            Self::Stopping => "STOPPING",
            Self::Failed => "FAILED",
        }
    }

    /// What happened, and what to do.
    const fn detail(self) -> &'static str {
        match self {
            Self::TooSlow => {
                "nothing was taken for too long; connect again with the last id, and read faster or filter more"
            }
            Self::TooFarBehind => {
                "too much happened since the last id; list what is missing, then connect again, which goes on from now"
            }
            Self::Removed => {
                "some of what happened since the last id was removed by retention; connect again, which goes on from now"
            }
            Self::Ahead => {
                "the last id lies ahead of what is kept, so the store was restored from a backup; list what is there, then \
                 connect again, which goes on from now"
            }
            Self::Revoked => "the token was revoked or has expired; connect again with another",
            Self::Stopping => "the server stops; connect again with the last id once it is back",
            Self::Failed => "the store could not be read; connect again with the last id",
        }
    }

    /// Whether what the reader has not read cannot be told any more, so that it can only go on from now.
    pub(super) const fn is_gap(self) -> bool {
        match self {
            Self::TooFarBehind | Self::Removed | Self::Ahead => true,
            Self::TooSlow | Self::Revoked | Self::Stopping | Self::Failed => false,
        }
    }

    /// The last message of a stream. Its id is where to go on.
    pub(super) fn message(self, place: Place) -> Bytes {
        let data =
            json!({ "reason": self.word(), "detail": self.detail(), "missed": self.is_gap() });
        Bytes::from(format!("event: dropped\nid: {}\ndata: {data}\n\n", place.text()))
    }
}

/// The first message: where the reader stands, and after how many milliseconds to connect again if this one ends.
pub(super) fn greeting(place: Place) -> Bytes {
    Bytes::from(format!("retry: 2000\nid: {}\n\n", place.text()))
}

/// Where the reader stands, where there is nothing to tell.
pub(super) fn moved_on(place: Place) -> Bytes {
    Bytes::from(format!("id: {}\n\n", place.text()))
}

/// Nothing at all, so that whatever lies between knows that the connection is alive.
pub(super) const NOTHING: Bytes = Bytes::from_static(b":\n\n");

/// A message. JSON as we write it has no line feeds, so it is one line.
pub(super) fn told(message: &Message) -> Bytes {
    let Message { kind, place, data } = message;
    Bytes::from(format!("event: {kind}\nid: {}\ndata: {data}\n\n", place.text()))
}
