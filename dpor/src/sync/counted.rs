//! Reference counts as operations, whoever asks: who drops the last reference is explored, and whether
//! an upgrade succeeds.
//!
//! For bodies in which that matters of some references; it multiplies the orderings. To clone is no
//! operation even here, as it commutes with everything: whoever clones holds a reference, so no drop
//! elsewhere can be the last. What `strong_count` and `get_mut` tell is explored where
//! [`Explorer::reference_counts`](crate::Explorer::reference_counts) says so, and refused otherwise
//! unless it is certain.

/// A counted reference, with the interface of [`std::sync::Arc`].
pub type Arc<T> = super::arc::Arc<T, true>;

/// A reference that keeps nothing alive, with the interface of [`std::sync::Weak`].
pub type Weak<T> = super::arc::Weak<T, true>;
