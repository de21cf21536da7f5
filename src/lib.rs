//! connmap.
