//! Whether what was found still holds: it does until a source changes that it
//! was found with.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::Path;

/// The names and contents of files.
#[derive(Clone)]
pub(crate) struct Sources(DefaultHasher);

impl Sources {
    /// Every file in these folders of `root`, but for what is only read by people.
    pub(crate) fn of(root: &Path, folders: &[&str]) -> Result<Self, String> {
        let mut sources = Sources(DefaultHasher::new());
        for folder in folders {
            let path = root.join(folder);
            sources.add(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(sources)
    }

    fn add(&mut self, path: &Path) -> io::Result<()> {
        path.file_name().hash(&mut self.0);
        if !path.is_dir() {
            fs::read(path)?.hash(&mut self.0);
            return Ok(());
        }
        let entries: Result<Vec<_>, _> = fs::read_dir(path)?.collect();
        let mut paths: Vec<_> = entries?.into_iter().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_none_or(|extension| extension != "md"));
        paths.sort();
        paths.iter().try_for_each(|path| self.add(path))
    }

    /// A number that is another when they, or `besides`, are others.
    pub(crate) fn stamp_with(&self, besides: impl Hash) -> u64 {
        let mut hasher = self.0.clone();
        besides.hash(&mut hasher);
        hasher.finish()
    }

    pub(crate) fn stamp(&self) -> u64 {
        self.stamp_with(())
    }
}
