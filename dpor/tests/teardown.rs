//! A teardown that races requests: the figures are an independent optimal checker's, for the same
//! program in C.

use shuttle_dpor::sync::atomic::{AtomicBool, Ordering::SeqCst};
use shuttle_dpor::sync::{Arc, Mutex};
use shuttle_dpor::{thread, Explorer, Verdict};

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

#[derive(Clone, Copy)]
enum Call {
    Shutdown,
    Disconnect,
    Request(usize),
    Backfill,
}

fn orderings(calls: &'static [Call]) -> u64 {
    let report = Explorer::new().explore(move || {
        let world = Arc::new(World::new(3));
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
        for t in threads {
            t.join().unwrap();
        }
    });
    assert_eq!(report.verdict, Verdict::Complete);
    assert_eq!((report.blocked, report.executions), (0, report.orderings));
    report.orderings
}

use Call::{Backfill, Disconnect, Request, Shutdown};

#[test]
fn shutdown_and_a_request() {
    assert_eq!(orderings(&[Shutdown, Request(0)]), 3);
}

#[test]
fn shutdown_a_request_and_its_backfill() {
    assert_eq!(orderings(&[Shutdown, Request(0), Backfill]), 8);
}

#[test]
fn shutdown_disconnect_and_a_request() {
    assert_eq!(orderings(&[Shutdown, Disconnect, Request(0)]), 23);
}

#[test]
fn shutdown_disconnect_a_request_and_its_backfill() {
    assert_eq!(orderings(&[Shutdown, Disconnect, Request(0), Backfill]), 56);
}

#[test]
fn shutdown_disconnect_and_three_requests() {
    assert_eq!(orderings(&[Shutdown, Disconnect, Request(0), Request(1), Request(2)]), 753);
}
