//! The timing of policies, to the millisecond.

use proptest::prelude::*;

use super::*;
use crate::{clock::from_millis, domain::alert::tests_support};

