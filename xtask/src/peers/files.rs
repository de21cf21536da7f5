//! Copies of the crates, in which only what has changed is written, so that cargo builds nothing anew.

use std::fs;
use std::path::Path;

/// Adds to a manifest that the crate is a workspace of its own, and `more`.
pub(super) fn append_workspace(folder: &Path, more: &str) -> Result<(), String> {
    let path = folder.join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    write(&path, &format!("{text}\n[workspace]\n{more}"))
}

/// Copies a folder; what is there already and the same stays.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), String> {
    copy_with(from, to, &|_, bytes| bytes)
}

/// The same, with what `change` makes of each file.
pub(super) fn copy_with(
    from: &Path,
    to: &Path,
    change: &dyn Fn(&Path, Vec<u8>) -> Vec<u8>,
) -> Result<(), String> {
    let fail = |e: std::io::Error| format!("{}: {e}", from.display());
    fs::create_dir_all(to).map_err(fail)?;
    for entry in fs::read_dir(from).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(fail)?.is_dir() {
            copy_with(&entry.path(), &target, change)?;
        } else if entry.file_name() != "Cargo.lock" {
            let bytes = change(&entry.path(), fs::read(entry.path()).map_err(fail)?);
            if fs::read(&target).ok().as_ref() != Some(&bytes) {
                fs::write(target, bytes).map_err(fail)?;
            }
        }
    }
    Ok(())
}

/// Writes a file, unless it is there already and the same.
pub(super) fn write(path: &Path, text: &str) -> Result<(), String> {
    if fs::read(path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(());
    }
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, text))
        .map_err(|e| format!("{}: {e}", path.display()))
}
