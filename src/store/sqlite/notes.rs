//! What people write down about alerts.

use super::work::Work;
use crate::store::Notes;

impl Notes for Work {}
