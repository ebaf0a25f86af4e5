//! `note.*`: what people write down about alerts.
