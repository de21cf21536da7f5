//! The engines' test binaries.
