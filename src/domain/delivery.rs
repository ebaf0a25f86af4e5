//! What a monitoring system posted, untouched.

use std::{collections::BTreeMap, fmt};

use super::webhook::Webhook;
use crate::{
    clock::Timestamp,
    digest::Digest,
    id::{Id, Identified},
};

/// What a monitoring system posted, untouched.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its identifier, which is also its receipt's.
    pub delivery_id: Id<Delivery>,
    /// The webhook it was posted to.
    pub webhook_id: Id<Webhook>,
    /// The key it was posted with.
    pub presented: PresentedKey,
    /// Its headers by lower-case name, without those that carry credentials.
    pub headers: BTreeMap<String, String>,
    /// The parameters of its query string.
    pub query: BTreeMap<String, String>,
    /// Its body, decompressed.
    pub body: Vec<u8>,
    /// The address it came from.
    pub remote: String,
    /// When it arrived.
    pub received_at: Timestamp,
}

/// The digest of an access key as a sender presented it; the key itself is forgotten at the door.
#[derive(Clone, Copy)]
pub struct PresentedKey(pub Digest);

impl fmt::Debug for PresentedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresentedKey(…)")
    }
}

impl Identified for Delivery {
    const PREFIX: &'static str = "receipt";
}

impl Delivery {
    /// The value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(&name.to_ascii_lowercase()).map(String::as_str)
    }
}
