//! Links that acknowledge an alert.

use super::work::Work;
use crate::store::AckLinks;

impl AckLinks for Work {}
