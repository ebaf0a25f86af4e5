//! Whatever the plan, the page is the same.
