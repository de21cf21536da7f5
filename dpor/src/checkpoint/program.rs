//! Which program this is: another build may do something else in the same orderings, and keep its statics
//! elsewhere.

use crate::trace::mix;
use std::io::Read;
use std::sync::OnceLock;

/// A number for this program's file. 0 if it cannot be read.
pub(crate) fn program() -> u64 {
    static PROGRAM: OnceLock<u64> = OnceLock::new();
    *PROGRAM.get_or_init(|| digest().unwrap_or_default())
}

fn digest() -> Option<u64> {
    let mut file = std::fs::File::open(std::env::current_exe().ok()?).ok()?;
    let mut buffer = vec![0; 1 << 16];
    let mut sum = 0;
    loop {
        match file.read(&mut buffer).ok()? {
            0 => return Some(sum),
            n => {
                let words = buffer[..n].chunks(8).map(|bytes| {
                    let mut word = [0; 8];
                    word[..bytes.len()].copy_from_slice(bytes);
                    u64::from_le_bytes(word)
                });
                // A read may end anywhere, but for a file it does so at the end alone.
                sum = words.fold(sum, mix);
            }
        }
    }
}
