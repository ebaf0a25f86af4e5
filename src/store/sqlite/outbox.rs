//! Messages on their way.

use super::work::Work;
use crate::store::Outbox;

impl Outbox for Work {}
