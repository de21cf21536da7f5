//! The formats of an answer. Each prints a [`Report`](crate::Report), which is also
//! what JSON holds, field by field; so whatever a program reads is what a person
//! sees.
//!
//! - `said`: what all of them say in the same words
//! - `text`, `table`, `brief`, `columns`: for a terminal, in 80 columns
//! - `eras`: the same, when several systems are asked one thing
//! - `markdown`: for a pull request
//! - `mermaid`: a sequence diagram, as text
//! - `html`, `svg`: one page, with the sequence diagrams drawn
//! - `layout`: widths, wrapping, numbers

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;

mod brief;
pub mod columns;
mod eras;
pub mod html;
pub mod layout;
pub mod markdown;
pub mod mermaid;
mod said;
pub mod svg;
mod table;
pub mod text;
