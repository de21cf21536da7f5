//! A small DCP server: connmap's core behind Couchbase's memcached binary
//! protocol, with a persistent store, whose bucket can be deleted under load.
//!
//! Read in this order: [`server`] (buckets, by name), [`bucket`] (a bucket from
//! its creation to its deletion), `writer` (every change), `connection` (one
//! client's task), and what they use: [`protocol`], [`codec`], [`store`],
//! [`vbucket`], `tail`, `record`.

pub mod bucket;
pub mod codec;
mod connection;
pub mod options;
pub mod protocol;
mod record;
pub mod server;
mod stats;
pub mod store;
mod tail;
pub mod vbucket;
mod writer;
