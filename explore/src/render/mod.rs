//! The formats of an answer. Each prints a [`Report`](crate::Report), whose fields are
//! also those of JSON: a program reads what a person sees.
//!
//! - `said`: the words that all formats share
//! - `text`, `table`, `brief`, `columns`: for a terminal
//! - `eras`: for a terminal, when several systems are asked one question
//! - `markdown`: for a pull request
//! - `mermaid`: a sequence diagram, as text
//! - `html`, `svg`: a page with drawn sequence diagrams
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
