//! A program of locks and one flag in the shape of a teardown that races requests, over the
//! primitives that the including file calls `prims`.

use crate::prims::sync::atomic::{AtomicBool, Ordering::SeqCst};
use crate::prims::sync::Mutex;
use crate::prims::thread;
use std::sync::Arc;

struct Connection {
    closed: AtomicBool,
    state: Mutex<State>,
    queue: Mutex<Vec<usize>>,
    streams: Vec<Mutex<()>>,
}

struct State {
    closed: bool,
    streams: Vec<usize>,
    manager: bool,
}

struct World {
    map: Mutex<bool>,
    connection: Connection,
}

impl World {
    fn new(streams: usize) -> Self {
        World {
            map: Mutex::new(true),
            connection: Connection {
                closed: AtomicBool::new(false),
                state: Mutex::new(State { closed: false, streams: Vec::new(), manager: true }),
                queue: Mutex::new(Vec::new()),
                streams: (0..streams).map(|_| Mutex::new(())).collect(),
            },
        }
    }

    fn shutdown(&self) {
        let found = *self.map.lock().unwrap();
        if found {
            self.close();
        }
    }

    fn disconnect(&self) {
        let found = std::mem::replace(&mut *self.map.lock().unwrap(), false);
        if found {
            self.close();
        }
    }

    fn close(&self) {
        let c = &self.connection;
        c.closed.store(true, SeqCst);
        let (streams, manager) = {
            let mut state = c.state.lock().unwrap();
            state.closed = true;
            (std::mem::take(&mut state.streams), std::mem::take(&mut state.manager))
        };
        for s in streams {
            drop(c.streams[s].lock().unwrap());
        }
        if manager {
            drop(c.queue.lock().unwrap());
        }
    }

    fn request(&self, stream: usize) {
        let c = &self.connection;
        if c.closed.load(SeqCst) {
            return;
        }
        let mut state = c.state.lock().unwrap();
        if !state.closed {
            state.streams.push(stream);
            c.queue.lock().unwrap().push(stream);
        }
    }

    fn backfill(&self) {
        let c = &self.connection;
        let popped = c.queue.lock().unwrap().pop();
        if let Some(s) = popped {
            drop(c.streams[s].lock().unwrap());
        }
    }
}

/// What a thread does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    Shutdown,
    Disconnect,
    Request(usize),
    Backfill,
}

/// Makes the calls, each in a thread of its own, and waits for them.
pub(crate) fn run(calls: &[Call]) {
    let world = Arc::new(World::new(calls.len()));
    let threads: Vec<_> = calls
        .iter()
        .map(|&call| {
            let world = world.clone();
            thread::spawn(move || match call {
                Call::Shutdown => world.shutdown(),
                Call::Disconnect => world.disconnect(),
                Call::Request(stream) => world.request(stream),
                Call::Backfill => world.backfill(),
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
}
