//! Posting to a channel, and what its answer means where nothing else is agreed.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Delivered, Retry, SendFault, text::cut};
use crate::{
    clock::Timestamp,
    outbound::{Answer, Outbound, OutboundError, Post},
};

/// How much of an answer is told.
const LONGEST_WORDS: usize = 200;

/// Statuses that say that the message itself is not wanted, so that it need not be sent again. All others may pass: also
/// that a key is wrong or an address gone, since people mend that while the message waits.
const REFUSALS: [u16; 11] = [400, 405, 406, 410, 411, 413, 414, 415, 422, 431, 501];

/// Posts JSON.
pub(super) async fn post_json(
    outbound: &Outbound,
    url: &str,
    headers: Vec<(String, String)>,
    body: &Value,
) -> Result<Answer, SendFault> {
    let body = body.to_string().into_bytes();
    post(outbound, Post { url, content_type: "application/json", headers, body }).await
}

/// Posts, and gives what is answered, whatever it is.
pub(super) async fn post(outbound: &Outbound, post: Post<'_>) -> Result<Answer, SendFault> {
    outbound.post(post).await.map_err(|fault| uncalled(&fault))
}

/// Why nothing could be sent.
pub(super) fn uncalled(fault: &OutboundError) -> SendFault {
    let retry = if fault.is_final() { Retry::Never } else { Retry::Later(None) };
    SendFault { retry, reason: fault.to_string(), status: None }
}

/// What an answer means by its status.
pub(super) fn taken(answer: &Answer) -> Result<Delivered, SendFault> {
    if (200..300).contains(&answer.status) {
        return Ok(Delivered { status: Some(answer.status), ..Delivered::default() });
    }
    Err(refused(answer, &words(&answer.body)))
}

/// A refusal of this status, with the target's own words for it.
pub(super) fn refused(answer: &Answer, words: &str) -> SendFault {
    let status = answer.status;
    let retry =
        if REFUSALS.contains(&status) { Retry::Never } else { Retry::Later(answer.retry_after) };
    let redirect = if (300..400).contains(&status) { " (redirects are not followed)" } else { "" };
    let words = if words.is_empty() { String::new() } else { format!(": {words}") };
    SendFault {
        retry,
        reason: format!("it answered {status}{redirect}{words}"),
        status: Some(status),
    }
}

/// The beginning of an answer, in one line.
pub(super) fn words(body: &str) -> String {
    let plain: String = body.chars().filter(|it| !it.is_control() || it.is_whitespace()).collect();
    cut(&super::text::one_line(&plain), LONGEST_WORDS)
}

/// A text as a part of the path or the query of an address.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// A time in whole seconds since 1970.
pub(super) fn seconds(time: Timestamp) -> i64 {
    time.timestamp()
}
