//! A crate's dependency that uses loom in its own tests alone.
//!
//! Where it is a dependency it is built on std's types, which neither engine sees: what threads share through
//! it is not explored, and makes a body that is not deterministic. So it is copied with that condition
//! weakened, to `loom` from `all(test, loom)`, and loom is a dependency of its own.

use super::files::copy_with;
use std::path::Path;

/// Copies the crate so.
pub(super) fn modelled(from: &Path, to: &Path) -> Result<(), String> {
    copy_with(from, to, &|path, bytes| match (path.extension(), String::from_utf8(bytes)) {
        (Some(rust), Ok(text)) if rust == "rs" => under_loom(&text).into_bytes(),
        (_, Ok(text)) if path.file_name().is_some_and(|name| name == "Cargo.toml") => {
            let tests = "[target.\"cfg(loom)\".dev-dependencies.loom]";
            text.replace(tests, "[target.\"cfg(loom)\".dependencies.loom]").into_bytes()
        }
        (_, Ok(text)) => text.into_bytes(),
        (_, Err(other)) => other.into_bytes(),
    })
}

/// What a file says under `all(test, loom)`, but for its tests, it says under `loom`.
fn under_loom(text: &str) -> String {
    let mut lines = text.split_inclusive('\n').peekable();
    let mut changed = String::with_capacity(text.len());
    while let Some(line) = lines.next() {
        if lines.peek().is_some_and(|next| next.trim_start().starts_with("mod tests")) {
            changed += line;
        } else {
            changed += &line.replace("all(test, loom)", "loom").replace("all(loom, test)", "loom");
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_for_tests_alone_stays() {
        let text = "#[cfg(not(all(test, loom)))]\nmod std;\n#[cfg(all(loom, test))]\nmod mocked;\n\
                    #[cfg(all(test, loom))]\nmod tests {\n}";
        let changed = "#[cfg(not(loom))]\nmod std;\n#[cfg(loom)]\nmod mocked;\n\
                       #[cfg(all(test, loom))]\nmod tests {\n}";
        assert_eq!(super::under_loom(text), changed);
    }
}
