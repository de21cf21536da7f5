//! Copies of what git tracks, in which mistakes are made, so that a run that is
//! cut off leaves nothing broken. A file that is already as it should be is not
//! touched, so that it is not built again.

use super::folder;
use crate::build::root;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A copy of this name, with other texts in these files, by their names from the
/// root.
pub(super) fn copy(name: &str, changed: &BTreeMap<String, String>) -> Result<PathBuf, String> {
    let tree = folder().join(name);
    let mut there = BTreeSet::new();
    for file in tracked()? {
        let to = tree.join(&file);
        let text = match changed.get(&file) {
            Some(text) => text.clone().into_bytes(),
            None => {
                let from = root().join(&file);
                // Deleted in the working tree, and git was not told yet.
                if !from.is_file() {
                    continue;
                }
                fs::read(&from).map_err(|error| format!("{}: {error}", from.display()))?
            }
        };
        let text = match &*file {
            "Cargo.toml" | "Cargo.lock" => of_their_own(&String::from_utf8_lossy(&text), name)?,
            _ => text,
        };
        put(&to, &text)?;
        there.insert(to);
    }
    remove_all_but(&there, &tree)?;
    Ok(tree)
}

/// Writes a file, if it is another by now.
pub(super) fn put(file: &Path, text: &[u8]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", file.display());
    if fs::read(file).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs::create_dir_all(file.parent().unwrap_or(file)).map_err(failed)?;
    fs::write(file, text).map_err(failed)
}

fn tracked() -> Result<Vec<String>, String> {
    let listed = Command::new("git").current_dir(root()).args(["ls-files", "-z"]).output();
    let listed = listed.map_err(|error| format!("git does not start: {error}"))?;
    let names = String::from_utf8_lossy(&listed.stdout);
    Ok(names.split_terminator('\0').map(str::to_owned).collect())
}

fn remove_all_but(there: &BTreeSet<PathBuf>, folder: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            remove_all_but(there, &path)?;
        } else if !there.contains(&path) {
            fs::remove_file(&path).map_err(failed)?;
        }
    }
    Ok(())
}

/// The workspace's manifest or lock file, with another version of its packages:
/// what is built of the copy would be taken for what is built of the original
/// otherwise, and replace it.
fn of_their_own(text: &str, name: &str) -> Result<Vec<u8>, String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml"));
    let manifest = manifest.map_err(|error| format!("Cargo.toml: {error}"))?;
    let version = manifest.lines().find(|line| line.starts_with("version = "));
    let version = version.ok_or("Cargo.toml: no version of the workspace's packages")?;
    let other = format!("{}+{name}\"", version.trim_end_matches('"'));
    let ours = |package: &str| !package.contains("\nsource = ");
    let packages = text.split("\n\n").map(|package| match ours(package) {
        true => package.replacen(&format!("\n{version}\n"), &format!("\n{other}\n"), 1),
        false => package.to_owned(),
    });
    Ok(packages.collect::<Vec<_>>().join("\n\n").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_a_copy_have_a_version_of_their_own() {
        let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
        let of = |text: &str| String::from_utf8(of_their_own(text, "x").unwrap()).unwrap();
        assert_eq!(of(&manifest).matches("+x\"").count(), 1);
        let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
        let changed = of(&lock);
        let connmap = changed.split("[[package]]").find(|p| p.contains("name = \"connmap\"\n"));
        assert!(connmap.unwrap().contains("+x\""));
        assert_eq!(changed.replace("+x\"", "\""), lock);
    }
}
