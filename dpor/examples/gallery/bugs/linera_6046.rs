//! linera's storage put what it had read into a bounded cache and then got it from there. Another
//! reader's value could have pushed it out by then, and as nobody else held it, it was gone.

use super::{explore, Bug, Form};
use shuttle_dpor::sync::Mutex;
use shuttle_dpor::{name_thread, note, report_violation, thread};
use std::sync::{Arc, Weak};

pub(super) const BUG: Bug = Bug {
    name: "linera-6046",
    url: "https://github.com/linera-io/linera-protocol/pull/6046",
    reported:
        "the Arc returned by insert is dropped immediately; if the bounded cache evicts the entry \
               before get runs, the weak index entry becomes dead and get returns None",
    forms: &[
        Form {
            name: "broken",
            explore: || explore(|| two_readers(false)),
            orderings: 6,
            violates: Some(("read-is-returned", 4)),
        },
        Form {
            name: "mended",
            explore: || explore(|| two_readers(true)),
            orderings: 2,
            violates: None,
        },
    ],
};

/// A cache of one value that knows, weakly, those that it has let go of.
#[derive(Default)]
struct Cache {
    kept: Option<Arc<u32>>,
    index: Vec<Weak<u32>>,
}

struct Storage(Mutex<Cache>);

impl Storage {
    fn insert(&self, value: u32) -> Arc<u32> {
        let mut cache = self.0.lock().unwrap();
        let value = Arc::new(value);
        cache.index.push(Arc::downgrade(&value));
        if cache.kept.replace(value.clone()).is_some() {
            note("pushes another out");
        }
        value
    }

    fn get(&self, value: u32) -> Option<Arc<u32>> {
        let cache = self.0.lock().unwrap();
        cache.index.iter().filter_map(Weak::upgrade).find(|v| **v == value)
    }

    /// Reads a value that the database has.
    fn read(&self, value: u32, mended: bool) -> Option<Arc<u32>> {
        let inserted = self.insert(value);
        if mended {
            return Some(inserted);
        }
        drop(inserted);
        self.get(value)
    }
}

fn two_readers(mended: bool) {
    let storage = Arc::new(Storage(Mutex::named("cache", Cache::default())));
    let readers = [1, 2].map(|value| {
        let storage = storage.clone();
        thread::spawn(move || {
            name_thread(format!("reader {value}"));
            if storage.read(value, mended).is_none() {
                report_violation("read-is-returned", format!("no {value}, and it was read"));
            }
        })
    });
    for reader in readers {
        reader.join().unwrap();
    }
}
