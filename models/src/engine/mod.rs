//! The engines: each explores one scenario on one system and writes a
//! [`Report`](crate::Report).

#[cfg(loom)]
mod collect;
#[cfg(loom)]
pub mod loom;
