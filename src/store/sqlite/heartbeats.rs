//! Who must be heard from.

use super::work::Work;
use crate::store::Heartbeats;

impl Heartbeats for Work {}
