//! Channels, with the interface of [`std::sync::mpsc`].
//!
//! The operations on one channel are dependent, with these exceptions. Drops of senders commute among
//! themselves and with sends: that the last of them has gone is what a receiver sees, and which one that
//! was nobody. Sends that find the receiver gone commute among themselves. And who waits for a message of
//! a channel without a limit receives it in no order with anything but its send: nobody could tell when.
//! To clone a sender is no operation, nor is a sender's going on when its message has been received at
//! a rendezvous.

use crate::object::{Channel, State, HUNG_UP, NOT_NOW};
use crate::op::{Kind, ObjId, Op};
use crate::rt::{self, Runtime, Status};
use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

struct Shared<T> {
    id: ObjId,
    /// Whether sender and receiver meet.
    meets: bool,
    /// With their numbers.
    messages: Mutex<VecDeque<(u64, T)>>,
}

impl<T> Shared<T> {
    #[track_caller]
    fn new(room: Option<usize>) -> Arc<Self> {
        let channel = Channel {
            messages: 0,
            room,
            senders: 1,
            receiver: true,
            offers: false,
            sent: 0,
            received: 0,
            sent_by: Default::default(),
        };
        let id = rt::create(State::Channel(channel));
        Arc::new(Shared { id, meets: room == Some(0), messages: Mutex::default() })
    }

    fn messages(&self) -> MutexGuard<'_, VecDeque<(u64, T)>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends, and returns the message if that did not succeed, with the reason.
    fn send(&self, kind: Kind, message: T, at: &'static Location<'static>) -> Result<(), (T, u64)> {
        let number = |rt: &Runtime| match &rt.objects[self.id as usize].state {
            State::Channel(c) => c.sent,
            state => unreachable!("a channel is {state:?}"),
        };
        match rt::announced(Op::new(self.id, kind, at), number) {
            Some((number, 1)) => {
                self.messages().push_back((number, message));
                if self.meets && kind == Kind::Send {
                    rt::wait(Status::Meeting(self.id, number, at));
                    // If the receiver is gone, it is still there.
                    let mut messages = self.messages();
                    let left = messages.iter().position(|(n, _)| *n == number);
                    if let Some((_, message)) = left.and_then(|i| messages.remove(i)) {
                        return Err((message, HUNG_UP));
                    }
                }
                Ok(())
            }
            Some((_, why)) => Err((message, why)),
            None => Err((message, HUNG_UP)),
        }
    }

    fn recv(&self, kind: Kind, arg: u64, at: &'static Location<'static>) -> Result<T, u64> {
        if self.meets && kind == Kind::Recv {
            rt::perform(Op::new(self.id, Kind::Offer, at));
        }
        match rt::perform(Op::new(self.id, kind, at).with_arg(arg)) {
            Some(1) => Ok(self.messages().pop_front().expect("the model says that there is one").1),
            Some(why) => Err(why),
            None => Err(HUNG_UP),
        }
    }

    fn clone_sender(&self) {
        rt::with(|rt| {
            if let State::Channel(c) = &mut rt.objects[self.id as usize].state {
                c.senders += 1;
            }
        });
    }

    /// A sender goes that was made there.
    fn drop_sender(&self, at: &'static Location<'static>) {
        if !rt::dying() {
            rt::perform(Op::new(self.id, Kind::DropSender, at));
        }
    }
}

/// A channel without a limit.
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (shared, at) = (Shared::new(None), Location::caller());
    (Sender { shared: shared.clone(), at }, Receiver { shared, at, one: PhantomData })
}

/// A channel with room for `bound` messages. If that is zero, sender and receiver have to meet.
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (shared, at) = (Shared::new(Some(bound)), Location::caller());
    (SyncSender { shared: shared.clone(), at }, Receiver { shared, at, one: PhantomData })
}

/// The sending side of a [`channel`].
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
    /// Where it was made.
    at: &'static Location<'static>,
}

/// The sending side of a [`sync_channel`].
pub struct SyncSender<T> {
    shared: Arc<Shared<T>>,
    at: &'static Location<'static>,
}

/// The receiving side. Like std's, it is not [`Sync`]:
///
/// ```compile_fail,E0277
/// fn shared<T: Sync>() {}
/// shared::<shuttle_dpor::sync::mpsc::Receiver<u8>>();
/// ```
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    at: &'static Location<'static>,
    one: PhantomData<Cell<()>>,
}

impl<T> Sender<T> {
    /// Sends a message, unless the receiver is gone.
    #[track_caller]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        let sent = self.shared.send(Kind::Send, message, Location::caller());
        sent.map_err(|(message, _)| SendError(message))
    }
}

impl<T> SyncSender<T> {
    /// Sends a message once there is room, unless the receiver is gone.
    #[track_caller]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        let sent = self.shared.send(Kind::Send, message, Location::caller());
        sent.map_err(|(message, _)| SendError(message))
    }

    /// Sends a message if there is room.
    #[track_caller]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let sent = self.shared.send(Kind::TrySend, message, Location::caller());
        sent.map_err(|(message, why)| match why {
            NOT_NOW => TrySendError::Full(message),
            _ => TrySendError::Disconnected(message),
        })
    }
}

impl<T> Receiver<T> {
    /// Receives a message once there is one, unless all senders are gone.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.shared.recv(Kind::Recv, 0, Location::caller()).map_err(|_| RecvError)
    }

    /// Receives a message if there is one.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.shared.recv(Kind::TryRecv, 0, Location::caller()).map_err(|why| match why {
            NOT_NOW => TryRecvError::Empty,
            _ => TryRecvError::Disconnected,
        })
    }

    /// Like [`recv`](Self::recv), but whenever there is no message it may also time out.
    #[track_caller]
    pub fn recv_timeout(&self, _timeout: Duration) -> Result<T, RecvTimeoutError> {
        let arg = rt::with(|rt| rt.timed());
        self.shared.recv(Kind::Recv, arg, Location::caller()).map_err(|why| match why {
            NOT_NOW => {
                rt::with(|rt| rt.timed_out());
                RecvTimeoutError::Timeout
            }
            _ => RecvTimeoutError::Disconnected,
        })
    }

    /// Receives until all senders are gone.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self)
    }

    /// Receives until there is no message.
    pub fn try_iter(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.try_recv().ok())
    }
}

/// See [`Receiver::iter`].
#[derive(Debug)]
pub struct Iter<'a, T>(&'a Receiver<T>);

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// Owns a [`Receiver`], and receives until all senders are gone.
#[derive(Debug)]
pub struct IntoIter<T>(Receiver<T>);

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter(self)
    }
}

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        self.shared.clone_sender();
        Sender { shared: self.shared.clone(), at: Location::caller() }
    }
}

impl<T> Clone for SyncSender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        self.shared.clone_sender();
        SyncSender { shared: self.shared.clone(), at: Location::caller() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.drop_sender(self.at);
    }
}

impl<T> Drop for SyncSender<T> {
    fn drop(&mut self) {
        self.shared.drop_sender(self.at);
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if !rt::dying() {
            rt::perform(Op::new(self.shared.id, Kind::Hangup, self.at));
            if !self.shared.meets {
                let unread = std::mem::take(&mut *self.shared.messages());
                drop(unread);
            }
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for SyncSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncSender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
