//! Noticing that an execution does not go on: a thread of it waits for something that is not modelled,
//! and nothing in its OS thread can tell any more.
//!
//! One OS thread watches for the whole process, from when there is something to watch on: to begin one
//! for each exploration would cost more than a small exploration does.

use crate::op::Kind;
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What an execution did last.
#[derive(Default)]
struct Beat {
    /// How often something has happened.
    times: u64,
    /// Whether a thread of an execution runs: between executions nothing is watched.
    running: bool,
    /// Whose turn it is: a name, if the thread has one, and its place among the threads.
    who: String,
    place: usize,
    /// Which operation `who` performed last, and where.
    last: Option<Last>,
}

/// A kind of operation, the name that it has if its kind has several, and where it was performed.
pub(crate) type Last = (Kind, Option<&'static str>, &'static Location<'static>);

/// A worker's pulse, which its watchdog feels.
#[derive(Clone, Default)]
pub(crate) struct Pulse(Arc<Mutex<Beat>>);

impl Pulse {
    fn beat(&self) -> MutexGuard<'_, Beat> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An execution begins, or is over.
    pub(crate) fn runs(&self, running: bool) {
        let mut beat = self.beat();
        beat.times += 1;
        beat.running = running;
    }

    /// It is another thread's turn.
    pub(crate) fn turn(&self, who: Option<&str>, place: usize, last: Option<Last>) {
        let mut beat = self.beat();
        beat.times += 1;
        // This is done very often, and read hardly ever.
        beat.who.clear();
        beat.who.push_str(who.unwrap_or_default());
        beat.place = place;
        beat.last = last;
    }

    /// The thread performs an operation.
    pub(crate) fn performs(&self, last: Last) {
        let mut beat = self.beat();
        beat.times += 1;
        beat.last = Some(last);
    }
}

/// A worker that is watched.
struct Watched {
    pulse: Pulse,
    patience: Duration,
    /// How often something had happened when it was looked at last, and for how long nothing has.
    times: u64,
    silent: Duration,
}

impl Watched {
    fn tick(&self) -> Duration {
        (self.patience / 10).max(Duration::from_millis(1))
    }

    /// Looks at it, after some time. Ends the process if it has been silent for too long.
    fn look(&mut self, slept: Duration) {
        let beat = self.pulse.beat();
        let silent = beat.running && beat.times == self.times;
        self.silent = if silent { self.silent + slept } else { Duration::ZERO };
        self.times = beat.times;
        if self.silent > self.patience {
            eprintln!("{beat}");
            std::process::exit(101);
        }
    }
}

/// All that is watched in this process.
struct All {
    watched: Vec<Watched>,
    /// Whether there is a thread that watches.
    begun: bool,
    /// For how long it sleeps at most; until somebody wakes it, if nothing is said.
    tick: Option<Duration>,
}

static ALL: Mutex<All> = Mutex::new(All { watched: Vec::new(), begun: false, tick: None });
/// The thread is to sleep for a shorter time.
static SOONER: Condvar = Condvar::new();

fn all() -> MutexGuard<'static, All> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch() {
    let mut all = all();
    loop {
        all.tick = all.watched.iter().map(Watched::tick).min();
        let Some(tick) = all.tick else {
            all = SOONER.wait(all).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        let start = Instant::now();
        all = SOONER.wait_timeout(all, tick).unwrap_or_else(PoisonError::into_inner).0;
        // When the machine is asleep or busy, so is this.
        let slept = start.elapsed().min(tick);
        all.watched.iter_mut().for_each(|watched| watched.look(slept));
    }
}

/// Ends the process if nothing happens for too long while a thread of an execution runs. Until dropped.
pub(crate) struct Watchdog(Pulse);

impl Watchdog {
    /// Watches `pulse`, for silences of `patience`.
    pub(crate) fn new(pulse: Pulse, patience: Duration) -> Self {
        let mut all = all();
        let watched = Watched { pulse: pulse.clone(), patience, times: 0, silent: Duration::ZERO };
        let sooner = all.tick.is_none_or(|tick| watched.tick() < tick);
        all.watched.push(watched);
        if !all.begun {
            let builder = thread::Builder::new().name("shuttle-dpor watchdog".into());
            all.begun = builder.spawn(watch).is_ok();
        } else if sooner {
            SOONER.notify_one();
        }
        Watchdog(pulse)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        all().watched.retain(|watched| !Arc::ptr_eq(&watched.pulse.0, &self.0 .0));
    }
}

impl fmt::Display for Beat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("shuttle-dpor: ")?;
        match (&*self.who, self.place) {
            ("", 0) => f.write_str("main")?,
            ("", place) => write!(f, "thread {place}")?,
            (name, _) => f.write_str(name)?,
        }
        f.write_str(" has not come to an operation for a long time")?;
        match self.last {
            Some((kind, verb, at)) => {
                let operation = verb.unwrap_or(kind.name());
                write!(f, "; its last was {operation} at {}:{}", at.file(), at.line())?;
            }
            None => f.write_str("; it has performed none")?,
        }
        f.write_str(
            ". Usually it waits for something that is not modelled: a lock of std's that another \
             thread holds across an operation, a thread or a channel of std's, a loop until \
             something of std's changes. Use shuttle_dpor's instead. If it only takes long: \
             Explorer::watchdog.",
        )
    }
}
