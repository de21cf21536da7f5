//! tokio's oneshot channel: the sender writes the value, then tells by a bit of the state that it is
//! there, and takes it back if the receiver had closed the channel. But a receiver that has closed
//! may still ask, and it looked at that bit first.

use super::{explore, Bug, Form};
use shuttle_dpor::cell::CheckedCell;
use shuttle_dpor::sync::atomic::{AtomicUsize, Ordering::*};
use shuttle_dpor::{name_thread, thread};
use std::sync::Arc;

pub(super) const BUG: Bug = Bug {
    name: "tokio-4225",
    url: "https://github.com/tokio-rs/tokio/issues/4225",
    reported:
        "a race between `send()`, `try_recv()` and `close()`: `rx.close(); rx.try_recv()` happens \
               between the `complete()` check and `consume_value().unwrap()`: called on a `None`",
    forms: &[
        Form {
            name: "broken",
            explore: || explore(|| close_and_ask(false)),
            orderings: 3,
            violates: Some(("no-data-race", 1)),
        },
        Form {
            name: "mended",
            explore: || explore(|| close_and_ask(true)),
            orderings: 3,
            violates: None,
        },
    ],
};

const VALUE_SENT: usize = 1;
const CLOSED: usize = 2;

struct Oneshot {
    state: AtomicUsize,
    value: CheckedCell<Option<u32>>,
}

impl Oneshot {
    /// Tells that the value is there; whether the receiver had not closed the channel.
    fn complete(&self, mended: bool) -> bool {
        if !mended {
            return self.state.fetch_or(VALUE_SENT, AcqRel) & CLOSED == 0;
        }
        // Not of a closed channel: the value stays the sender's.
        let open = |state| (state & CLOSED == 0).then_some(state | VALUE_SENT);
        self.state.fetch_update(AcqRel, Acquire, open).is_ok()
    }

    fn send(&self, value: u32, mended: bool) -> Result<(), u32> {
        self.value.set(Some(value));
        if self.complete(mended) {
            return Ok(());
        }
        Err(self.value.replace(None).unwrap())
    }

    fn close(&self) {
        self.state.fetch_or(CLOSED, AcqRel);
    }

    fn try_recv(&self) -> Option<u32> {
        if self.state.load(Acquire) & VALUE_SENT == 0 {
            return None;
        }
        self.value.replace(None)
    }
}

fn close_and_ask(mended: bool) {
    name_thread("receiver");
    let channel = Arc::new(Oneshot {
        state: AtomicUsize::named("state", 0),
        value: CheckedCell::named("value", None),
    });
    let senders = channel.clone();
    let sender = thread::spawn(move || {
        name_thread("sender");
        senders.send(7, mended)
    });
    channel.close();
    let received = channel.try_recv();
    if let Ok(sent) = sender.join() {
        assert_eq!(sent.is_ok(), received.is_some(), "sent {sent:?}, received {received:?}");
    }
}
