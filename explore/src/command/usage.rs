//! Mistakes in a command line.

use super::options::SCENARIO;
use std::error::Error;
use std::ffi::OsString;
use std::fmt;

/// A mistake in the options. Its text is one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Usage {
    /// There is no such option.
    Unknown {
        /// The option as it was written, with its dashes.
        option: String,
        /// The option that may have been meant.
        near: Option<String>,
    },
    /// An option was given more than once.
    Twice {
        /// The option.
        option: &'static str,
    },
    /// Two options exclude each other.
    Excludes {
        /// One option.
        option: &'static str,
        /// The option, or the scenario, that cannot stand beside it.
        other: &'static str,
    },
    /// An option was given without another that it needs.
    Needs {
        /// The option.
        option: &'static str,
        /// The option that it needs.
        other: String,
    },
    /// An option was given a value that it does not take.
    Value {
        /// The option.
        option: &'static str,
        /// The value that it was given.
        value: String,
        /// The values that it takes.
        expected: String,
    },
    /// An option was given that the chosen engine does not have.
    OnlyFor {
        /// The option.
        option: &'static str,
        /// The engines that have it.
        of: &'static str,
    },
    /// `--compare` with a format other than text, json and markdown.
    ComparisonFormat,
    /// `--generate` with a format other than text.
    GeneratedFormat,
    /// `--generate` with loom, whose process ends with the first scenario that
    /// deadlocks.
    GeneratedLoom,
    /// An argument is not text.
    NotText(OsString),
    /// A value is missing, or is one too many.
    Missing(String),
}

impl Usage {
    pub(super) fn unknown(option: &str, near: Option<&str>) -> Usage {
        Usage::Unknown { option: option.to_owned(), near: near.map(str::to_owned) }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dashes = |option: &str| if option == SCENARIO { "" } else { "--" };
        match self {
            Usage::Unknown { option, near: Some(near) } => {
                write!(f, "there is no option {option}: did you mean `--{near}`?")
            }
            Usage::Unknown { option, near: None } => {
                write!(f, "there is no option {option}, see --help")
            }
            Usage::Twice { option } => write!(f, "--{option} is given twice"),
            Usage::Excludes { option, other } => {
                write!(f, "--{option} cannot be used with {}{other}", dashes(other))
            }
            Usage::Needs { option, other } => write!(f, "--{option} needs --{other}"),
            Usage::Value { option, value, expected } => {
                write!(f, "--{option}: `{value}` is not {expected}")
            }
            Usage::OnlyFor { option, of } => write!(f, "--{option} is for the {of} only"),
            Usage::ComparisonFormat => f.write_str("a comparison is text, json or markdown"),
            Usage::GeneratedFormat => f.write_str("--generate answers with numbers, as text only"),
            Usage::GeneratedLoom => {
                f.write_str("--generate is not for loom: a deadlock ends its process")
            }
            Usage::NotText(word) => write!(f, "not text: {}", word.to_string_lossy()),
            Usage::Missing(said) => f.write_str(said),
        }
    }
}

impl Error for Usage {}

impl From<lexopt::Error> for Usage {
    fn from(error: lexopt::Error) -> Self {
        Usage::Missing(error.to_string())
    }
}
