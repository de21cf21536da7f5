//! `Arc` and `Weak`: what they order, what is explored, and what is refused.

use shuttle_dpor::cell::CheckedCell;
use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle_dpor::sync::{counted, Arc, Weak};
use shuttle_dpor::{thread, Explorer, Verdict};

fn explorer() -> Explorer {
    Explorer::new().reference_counts(true)
}

/// Writes a cell when it goes, as a destructor frees what it owns.
struct Freed(CheckedCell<usize>);

impl Drop for Freed {
    fn drop(&mut self) {
        self.0.set(0);
    }
}

/// Performs an operation when it goes.
struct Counts(std::sync::Arc<AtomicUsize>);

impl Drop for Counts {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn keys<T: Ord + Clone>(report: &shuttle_dpor::Report<T>) -> Vec<T> {
    report.outcomes.keys().cloned().collect()
}

#[test]
fn the_last_drop_comes_after_all_others() {
    let body = || {
        let shared = Arc::new(Freed(CheckedCell::new(1)));
        let other = shared.clone();
        thread::spawn(move || {
            other.0.get();
        });
        shared.0.get();
    };
    // No operation, so one ordering.
    let report = Explorer::new().explore(body);
    report.assert_complete();
    assert_eq!(report.orderings, 1);
    let report = explorer().explore(body);
    report.assert_complete();
    assert_eq!(report.orderings, 2);
}

#[test]
fn unwrapping_comes_after_the_drops_of_others() {
    let report = explorer().explore(|| {
        let mut shared = Arc::new(CheckedCell::new(1));
        let other = shared.clone();
        let t = thread::spawn(move || other.set(2));
        let unique = Arc::get_mut(&mut shared).map(|cell| cell.get());
        let unwrapped = Arc::try_unwrap(shared).ok().map(|cell| cell.get());
        t.join().unwrap();
        (unique, unwrapped)
    });
    report.assert_complete();
    assert_eq!(keys(&report), [(None, None), (None, Some(2)), (Some(2), Some(2))]);
}

#[test]
fn a_failed_try_unwrap_releases_nothing() {
    let report = explorer().explore(|| {
        let cell = std::sync::Arc::new(CheckedCell::new(0));
        let (shared, theirs) = (Arc::new(()), cell.clone());
        let weak = Arc::downgrade(&shared);
        let other = shared.clone();
        thread::spawn(move || {
            theirs.set(1);
            std::mem::forget(Arc::try_unwrap(other));
        });
        std::mem::forget(shared);
        if weak.upgrade().is_some() {
            cell.get();
        }
    });
    assert!(report.violation("no-data-race").is_some());
}

#[test]
fn a_failed_upgrade_acquires_nothing() {
    let body = |checks: bool| {
        explorer().explore(move || {
            let cell = std::sync::Arc::new(CheckedCell::new(0));
            let (shared, theirs) = (Arc::new(()), cell.clone());
            let weak = Arc::downgrade(&shared);
            thread::spawn(move || {
                theirs.set(1);
                drop(shared);
            });
            let gone = weak.upgrade().is_none();
            if gone && checks {
                cell.get();
            }
            gone
        })
    };
    assert_eq!(keys(&body(false)), [false, true]);
    assert!(body(true).violation("no-data-race").is_some());
}

#[test]
fn counts_are_explored() {
    let report = explorer().explore(|| {
        let shared = Arc::new(());
        let other = shared.clone();
        let t = thread::spawn(move || {
            let more = other.clone();
            drop((more, other));
        });
        let n = Arc::strong_count(&shared);
        t.join().unwrap();
        n
    });
    report.assert_complete();
    assert_eq!(keys(&report), [1, 2, 3]);
}

#[test]
fn one_of_two_gets_what_is_inside() {
    let report = explorer().explore(|| {
        let shared = Arc::new(7);
        let other = shared.clone();
        let t = thread::spawn(move || Arc::into_inner(other));
        let mine = Arc::into_inner(shared);
        (mine, t.join().unwrap())
    });
    report.assert_complete();
    assert_eq!(keys(&report), [(None, Some(7)), (Some(7), None)]);
}

#[test]
fn make_mut_clones_what_is_shared() {
    let report = explorer().explore(|| {
        let mut shared = Arc::new(1);
        let other = shared.clone();
        let weak = Arc::downgrade(&shared);
        let t = thread::spawn(move || *other);
        *Arc::make_mut(&mut shared) = 2;
        // Whether it was cloned or moved, the weak one is left behind.
        let left = weak.upgrade().map(|left| *left);
        (t.join().unwrap(), *shared, left)
    });
    report.assert_complete();
    assert_eq!(keys(&report), [(1, 2, None), (1, 2, Some(1))]);
}

#[test]
fn what_others_may_decide_is_refused_unless_it_is_asked_for() {
    fn refused(what: &str, f: impl Fn(Arc<u8>, &Weak<u8>) + Send + Sync + 'static) {
        let report = Explorer::new().explore(move || {
            let shared = Arc::new(0);
            let (other, weak) = (shared.clone(), Arc::downgrade(&shared));
            let t = thread::spawn(move || drop(other));
            f(shared, &weak);
            t.join().unwrap();
        });
        match &report.verdict {
            Verdict::Incomplete { why } => {
                assert!(why.contains(what) && why.contains("reference_counts(true)"), "{why}");
            }
            other => panic!("{what} is {other}"),
        }
    }
    refused("Arc::try_unwrap", |shared, _| drop(Arc::try_unwrap(shared)));
    refused("Arc::into_inner", |shared, _| assert!(Arc::into_inner(shared) != Some(9)));
    refused("Arc::get_mut", |mut shared, _| assert!(Arc::get_mut(&mut shared) != Some(&mut 9)));
    refused("Arc::make_mut", |mut shared, _| *Arc::make_mut(&mut shared) = 1);
    refused("Arc::strong_count", |shared, _| assert!(Arc::strong_count(&shared) > 0));
    refused("Arc::weak_count", |shared, _| assert!(Arc::weak_count(&shared) > 0));
    refused("Weak::upgrade", |_, weak| drop(weak.upgrade()));
}

#[test]
fn what_is_certain_is_allowed() {
    let report = Explorer::new().explore(|| {
        let mut shared = Arc::new(1);
        let (other, weak) = (shared.clone(), Arc::downgrade(&shared));
        assert_eq!(Arc::strong_count(&shared), 2);
        let t = thread::spawn(move || *other);
        t.join().unwrap();
        assert_eq!(weak.upgrade().as_deref(), Some(&1));
        drop(weak);
        *Arc::get_mut(&mut shared).unwrap() = 2;
        Arc::try_unwrap(shared).unwrap()
    });
    report.assert_complete();
    assert_eq!(keys(&report), [2]);
}

#[test]
fn a_destructor_with_operations_is_explored_or_refused() {
    let body = || {
        let drops = std::sync::Arc::new(AtomicUsize::new(0));
        let shared = Arc::new(Counts(drops.clone()));
        let other = shared.clone();
        let t = thread::spawn(move || drop(other));
        drop(shared);
        let seen = drops.load(SeqCst);
        t.join().unwrap();
        seen
    };
    let report = Explorer::new().explore(body);
    let Verdict::Incomplete { why } = &report.verdict else { panic!("{}", report.verdict) };
    assert!(why.contains("whose destructor performs an operation"), "{why}");
    let report = explorer().explore(body);
    report.assert_complete();
    assert_eq!(keys(&report), [0, 1]);
}

/// The other thread has ended, and its last operation is known. What it dropped after that might have been the
/// last reference all the same.
#[test]
fn a_destructor_is_refused_to_who_is_alone() {
    let report = Explorer::new().explore(|| {
        let seen = Arc::new(AtomicUsize::new(0));
        let shared = Arc::new(Counts(std::sync::Arc::new(AtomicUsize::new(0))));
        let (stores, other) = (seen.clone(), shared.clone());
        drop(thread::spawn(move || {
            stores.store(1, SeqCst);
            drop(other);
        }));
        match seen.load(SeqCst) {
            0 => std::mem::forget(shared),
            _ => {
                thread::spawn(|| ()).join().unwrap();
                drop(shared);
            }
        }
    });
    let Verdict::Incomplete { why } = &report.verdict else { panic!("{}", report.verdict) };
    assert!(why.contains("whose destructor performs an operation"), "{why}");
}

#[test]
fn references_become_trait_objects() {
    let report = explorer().explore(|| {
        type Dyn = dyn std::fmt::Debug + Send + Sync;
        let shared = Arc::unsize(Arc::new(5), |arc| arc as std::sync::Arc<Dyn>);
        let other = shared.clone();
        let t = thread::spawn(move || format!("{other:?}"));
        let text: Arc<str> = "text".into();
        let slice: counted::Arc<[u8]> = vec![1, 2].into();
        assert_eq!((&*text, slice.len()), ("text", 2));
        let alone: Arc<Dyn> = Arc::from_std(std::sync::Arc::new(6));
        assert_eq!(format!("{alone:?} {:?}", Arc::pin(7)), "6 7");
        t.join().unwrap()
    });
    assert_eq!(keys(&report), ["5"]);
    // Whose other references would be counted nowhere.
    let shared = std::sync::Arc::new(6);
    let report = Explorer::new().check(move || drop(Arc::from_std(shared.clone())));
    assert!(report.violation("panic").unwrap().detail.contains("there are other references"));
}

#[test]
fn references_are_made_outside_of_executions() {
    let shared = Arc::new(std::sync::Mutex::new(0));
    let theirs = shared.clone();
    let report = Explorer::new().explore(move || *theirs.lock().unwrap() += 1);
    report.assert_complete();
    // Once more for its outcome's witness.
    assert_eq!(*shared.lock().unwrap(), 2);
    assert!(Arc::strong_count(&shared) > 0);
}

#[test]
fn a_witness_names_what_is_done() {
    let report = explorer().explore(|| {
        let shared = Arc::new(());
        Arc::set_name(&shared, "shared");
        let other = shared.clone();
        let failed = Arc::try_unwrap(other).is_err();
        assert!(!failed);
    });
    let text = report.violations[0].to_string();
    assert!(text.contains("try_unwrap shared: fails"), "{text}");
    assert!(text.contains("references.rs:"), "{text}");
    assert!(!text.contains("arc.rs:"), "{text}");
}
