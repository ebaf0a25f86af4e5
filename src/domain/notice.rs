//! What people are told.

use serde::{Deserialize, Serialize};

/// What was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum NoticeStep {}

impl NoticeStep {
    /// What came out, in a word.
    pub fn verdict(&self) -> &'static str {
        match *self {}
    }

    /// What came out and why, in a sentence.
    pub fn sentence(&self) -> String {
        match *self {}
    }
}

/// On what occasion people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// The alert opened.
    Opened,
    /// Nobody acted on it in time.
    Escalated,
    /// All steps were tried; it begins again.
    Repeated,
    /// It became worse after someone had acknowledged it.
    Worsened,
    /// A person reopened it, or its acknowledgement ran out, or it was put off until now.
    Reopened,
    /// What muted it is over, and it is open still.
    Unmuted,
    /// It opens and recovers too often.
    Flapping,
    /// It was given to someone.
    Assigned,
    /// It is over.
    Resolved,
    /// Its sender fell silent.
    Expired,
}

/// Which notices a channel takes: all of them, or those of one level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationLevel(pub u8);
