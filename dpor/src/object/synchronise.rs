//! What an operation on an object synchronises with, for the detection of data races.

use super::{Applied, Object, State, HUNG_UP};
use crate::memory::Known;
use crate::op::{Kind, Op, ACQUIRE, ACQUIRE_ON_FAILURE, RELEASE};

impl Object {
    /// Takes in what an operation synchronises, by a thread that knows `known`.
    pub(crate) fn synchronise(&mut self, op: &Op, done: &Applied, known: &mut Known) {
        let Object { released, state, .. } = self;
        let succeeded = done.val == 1;
        match done.label.kind {
            Kind::Lock | Kind::Enter | Kind::FindDone | Kind::WaitDone | Kind::Park => {
                released.acquire(known)
            }
            // Neither a lock's poison nor `is_finished` synchronises.
            Kind::Look if matches!(state, State::Once(_)) => released.acquire(known),
            Kind::Recv | Kind::Received | Kind::TryRecv => match state {
                State::Channel(c) if succeeded => released.recv(c.received - 1, c.room, known),
                _ if done.val == HUNG_UP => released.learn_goodbyes(known),
                _ => {}
            },
            Kind::TryLock | Kind::Read | Kind::TryRead if succeeded => released.acquire(known),
            Kind::Write | Kind::TryWrite if succeeded => released.acquire_to_write(known),
            Kind::Unlock | Kind::UnlockWrite | Kind::Downgrade | Kind::Leave | Kind::Unpark => {
                released.release(known)
            }
            Kind::Send | Kind::TrySend if succeeded => {
                if let State::Channel(c) = state {
                    released.send(c.sent - 1, c.room, known);
                }
            }
            // The receiver's, for the senders that wait at a rendezvous.
            Kind::Hangup => released.release(known),
            Kind::DropSender => released.say_goodbye(known),
            Kind::UnlockRead => released.release_to_writers(known),
            Kind::Arrive => {
                released.release(known);
                released.acquire(known);
            }
            Kind::DropRef => {
                released.release(known);
                if succeeded {
                    released.acquire(known);
                }
            }
            Kind::TryUnwrap | Kind::Upgrade if succeeded => released.acquire(known),
            Kind::Unique if succeeded => released.acquire_to_write(known),
            Kind::DropWeak => released.release_to_writers(known),
            Kind::Load => released.load(known, op.order & ACQUIRE != 0),
            Kind::CompareExchangeFailed => released.load(known, op.order & ACQUIRE_ON_FAILURE != 0),
            Kind::Store => released.store(known, op.order & RELEASE != 0),
            Kind::Rmw => {
                released.load(known, op.order & ACQUIRE != 0);
                released.add(known, op.order & RELEASE != 0);
            }
            _ => {}
        }
    }
}
