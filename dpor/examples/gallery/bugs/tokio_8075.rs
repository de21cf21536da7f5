//! tokio's mpsc channel: a receiver that has closed the channel still waits for those who hold a
//! permit to send. A permit given back unused has to wake it as a message does.

use super::{explore, Bug, Form};
use shuttle_dpor::sync::{Condvar, Mutex};
use shuttle_dpor::{name_thread, note, thread};
use std::sync::Arc;

pub(super) const BUG: Bug = Bug {
    name: "tokio-8075",
    url: "https://github.com/tokio-rs/tokio/pull/8075",
    reported: "sync: notify receivers in mpsc `OwnedPermit::release()` method",
    forms: &[
        Form {
            name: "broken",
            explore: || explore(|| close_with_a_permit_out(false)),
            orderings: 3,
            violates: Some(("no-deadlock", 1)),
        },
        Form {
            name: "mended",
            explore: || explore(|| close_with_a_permit_out(true)),
            orderings: 3,
            violates: None,
        },
    ],
};

#[derive(Default)]
struct State {
    messages: Vec<u32>,
    permits_out: u32,
    closed: bool,
}

struct Channel {
    state: Mutex<State>,
    /// Wakes the receiver.
    wake: Condvar,
}

impl Channel {
    fn release(&self, mended: bool) {
        self.state.lock().unwrap().permits_out -= 1;
        if mended {
            self.wake.notify_one();
        }
    }

    fn close(&self) {
        self.state.lock().unwrap().closed = true;
    }

    /// A message, or `None` when the channel is closed and nobody can send any more.
    fn recv(&self) -> Option<u32> {
        let mut state = self.state.lock().unwrap();
        loop {
            if let Some(message) = state.messages.pop() {
                return Some(message);
            }
            if state.closed && state.permits_out == 0 {
                return None;
            }
            note("a permit is out");
            state = self.wake.wait(state).unwrap();
        }
    }
}

fn close_with_a_permit_out(mended: bool) {
    name_thread("receiver");
    let state = State { permits_out: 1, ..State::default() };
    let channel = Arc::new(Channel {
        state: Mutex::named("state", state),
        wake: Condvar::named("receiver's waker"),
    });
    let senders = channel.clone();
    let sender = thread::spawn(move || {
        name_thread("sender");
        senders.release(mended);
    });
    channel.close();
    assert_eq!(channel.recv(), None);
    sender.join().unwrap();
}
