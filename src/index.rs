//! Index: the connections with a stream on each vb, so that the cost of a write
//! depends on the streams of its vb alone.
//!
//! A vb belongs to one of [`SHARDS`] shards, and each shard's lock
//! (`Rank::Index`) guards the entries of its vbs. It is held for one lookup, or
//! for moving the entries of one vb closer together, inside a connection's lock
//! or inside none, and nothing is locked under it.
//!
//! A stream's entry is inserted and removed in the critical section of the
//! connection's lock in which the stream is inserted and ended; only the entries
//! of a connection that is closed are removed after that section. So a walk over
//! a vb may be wrong in two ways, and neither matters:
//!
//! - **It misses a stream that is open now.** Then the shard's lock was taken
//!   before the stream's entry was inserted. For `notify`: the item could be
//!   read before that, and the stream's scan, which cannot be opened before the
//!   request has released the connection's lock, reads it. For `end_streams`: the
//!   stream is accepted later, and the host's vb state lock, which is held
//!   around both calls, has shown that request the new state.
//! - **It finds a stream that is gone** (rule 7). The handle does not upgrade; or
//!   the connection, under its lock, is closed or has no stream on the vb; or it
//!   has a later stream on the vb, for which the call is as true as for the
//!   earlier one.

use crate::sync::{Mutex, Rank, Strong, Weak};
use crate::VbId;

/// Sixteen: threads on different vbs seldom meet at one lock, and an empty map
/// stays small.
const SHARDS: usize = 16;

/// Handles that are copied in one critical section.
const BATCH: usize = 16;

#[derive(Debug)]
pub(crate) struct Index<T> {
    shards: Box<[Shard<T>]>,
}

/// The vbs of a shard, up to the highest that had a stream. It is so large that its lock
/// shares no cache line with another's: threads on different shards do not slow each
/// other down.
#[derive(Debug)]
struct Shard<T> {
    vbs: Mutex<Vec<Entries<T>>>,
    /// With the lock and its vector, 128 bytes.
    _apart: [u64; 11],
}

/// The place of a stream's entry among those of its vb: later ones are greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// The connections with a stream on one vb, in the order of their requests.
///
/// A handle that is taken out leaves a gap, and the gaps are closed when they
/// are the greater part, as a vector grows: so each method is O(1), amortised,
/// or O(log k) to find a ticket from before the last time that they were.
#[derive(Debug)]
struct Entries<T> {
    slots: Vec<(Ticket, Option<Weak<T>>)>,
    live: usize,
    next: Ticket,
}

impl<T> Entries<T> {
    fn new() -> Self {
        Entries { slots: Vec::new(), live: 0, next: Ticket(0) }
    }

    fn push(&mut self, connection: &Weak<T>) -> Ticket {
        let ticket = self.next;
        self.next.0 += 1;
        self.slots.push((ticket, Some(Weak::clone(connection))));
        self.live += 1;
        ticket
    }

    /// The position of this ticket, or of the first behind it.
    fn position(&self, ticket: Ticket) -> usize {
        // Where it is if no gap behind it was closed. If one was it is behind the guess,
        // or is the first of all, where the guess cannot be less.
        let behind = (self.next.0 - ticket.0) as usize;
        let guess = self.slots.len().saturating_sub(behind);
        match self.slots.get(guess) {
            Some((there, _)) if *there >= ticket => guess,
            _ => self.slots.partition_point(|(there, _)| *there < ticket),
        }
    }

    fn remove(&mut self, ticket: Ticket) {
        let at = self.position(ticket);
        let slot = self.slots.get_mut(at).filter(|(there, _)| *there == ticket);
        if slot.and_then(|(_, connection)| connection.take()).is_none() {
            return;
        }
        self.live -= 1;
        if self.live * 2 < self.slots.len() {
            self.slots.retain(|(_, connection)| connection.is_some());
            if self.slots.capacity() > 16 {
                self.slots.shrink_to(self.live * 2);
            }
        }
    }
}

impl<T> Index<T> {
    pub(crate) fn new() -> Self {
        let shard = |_| Shard { vbs: Mutex::new(Rank::Index, Vec::new()), _apart: [0; 11] };
        Index { shards: (0..SHARDS).map(shard).collect() }
    }

    /// The shard of a vb, and the vb's place in it.
    fn place(&self, vb: VbId) -> (&Mutex<Vec<Entries<T>>>, usize) {
        let vb = usize::from(vb.0);
        (&self.shards[vb % SHARDS].vbs, vb / SHARDS)
    }

    /// Inserts the entry of a stream of this connection on `vb`.
    #[track_caller]
    pub(crate) fn insert(&self, vb: VbId, connection: &Weak<T>) -> Ticket {
        let (shard, at) = self.place(vb);
        let mut shard = shard.lock();
        if shard.len() <= at {
            shard.resize_with(at + 1, Entries::new);
        }
        shard[at].push(connection)
    }

    /// Removes the entry of a stream on `vb`.
    #[track_caller]
    pub(crate) fn remove(&self, vb: VbId, ticket: Ticket) {
        let (shard, at) = self.place(vb);
        if let Some(entries) = shard.lock().get_mut(at) {
            entries.remove(ticket);
        }
    }

    /// Calls `visit`, with no lock held, for each connection that has a stream
    /// on `vb` from now until it is visited, in the order of their requests.
    /// O(1) when there is none, and for each.
    #[track_caller]
    pub(crate) fn visit(&self, vb: VbId, mut visit: impl FnMut(&T)) {
        let (shard, at) = self.place(vb);
        let mut from = Ticket(0);
        // Streams that are requested later are not visited: there might be no end of
        // them.
        let mut end = None;
        loop {
            let mut batch = [const { None::<Weak<T>> }; BATCH];
            let mut copied = 0;
            let locked = shard.lock();
            let Some(entries) = locked.get(at) else { return };
            let end = *end.get_or_insert(entries.next);
            for (ticket, connection) in &entries.slots[entries.position(from)..] {
                if copied == BATCH || *ticket >= end {
                    break;
                }
                from = Ticket(ticket.0 + 1);
                if let Some(connection) = connection {
                    batch[copied] = Some(Weak::clone(connection));
                    copied += 1;
                }
            }
            drop(locked);
            for connection in batch.into_iter().flatten() {
                if let Some(connection) = connection.upgrade() {
                    let connection: &Strong<T> = &connection;
                    visit(connection);
                }
            }
            if copied < BATCH {
                return;
            }
        }
    }

    /// Streams that have an entry.
    #[cfg(all(test, not(any(loom, shuttle))))]
    pub(crate) fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.vbs.lock().iter().map(|vb| vb.live).sum::<usize>())
            .sum()
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    /// The entries of so many streams.
    fn entries(count: usize) -> (Entries<()>, Vec<Ticket>) {
        let (mut entries, connection) = (Entries::new(), Weak::default());
        let tickets = (0..count).map(|_| entries.push(&connection)).collect();
        (entries, tickets)
    }

    fn shape(entries: &Entries<()>) -> (usize, usize) {
        (entries.slots.len(), entries.live)
    }

    /// Unit tests, for no caller can observe an entry that stays, or is looked for in
    /// vain: it is memory and time.
    #[test]
    fn gaps_are_closed_when_they_are_the_greater_part() {
        let (mut entries, tickets) = entries(8);
        let removed = |at: usize, entries: &mut Entries<()>| {
            entries.remove(tickets[at]);
            shape(entries)
        };
        assert_eq!(removed(1, &mut entries), (8, 7));
        assert_eq!(removed(6, &mut entries), (8, 6));
        assert_eq!(removed(2, &mut entries), (8, 5));
        assert_eq!(removed(2, &mut entries), (8, 5), "it was removed before");
        assert_eq!(removed(0, &mut entries), (8, 4), "as many as the gaps");
        assert_eq!(removed(3, &mut entries), (3, 3));
        // What is left is found where it is now, from before the gaps were closed and
        // from behind.
        let last = entries.push(&Weak::default());
        assert_eq!(shape(&entries), (4, 4));
        for ticket in [tickets[7], last, tickets[4], tickets[5]] {
            entries.remove(ticket);
        }
        assert_eq!(shape(&entries), (0, 0));
    }

    #[test]
    fn a_position_is_that_of_the_ticket_or_of_the_first_behind_it() {
        let (mut entries, tickets) = entries(64);
        for ticket in tickets.iter().filter(|ticket| ticket.0 % 3 != 0 && ticket.0 < 60) {
            entries.remove(*ticket);
            for at in (0..=64).map(Ticket) {
                let behind = entries.slots.iter().take_while(|(there, _)| *there < at).count();
                assert_eq!(entries.position(at), behind, "{at:?}");
            }
        }
        assert_eq!(entries.live, 24);
    }

    #[test]
    fn memory_is_given_back_but_for_twice_what_there_is() {
        let (mut many, tickets) = entries(64);
        tickets[9..].iter().for_each(|ticket| many.remove(*ticket));
        let (len, live) = shape(&many);
        let room = many.slots.capacity();
        assert_eq!((len, live), (15, 9));
        // Twice the fifteen that there were when the gaps were closed.
        assert!((30..64).contains(&room), "{room}");
        // What is small stays as it is.
        let (mut few, tickets) = entries(16);
        let room = few.slots.capacity();
        tickets.iter().for_each(|ticket| few.remove(*ticket));
        assert_eq!((shape(&few), few.slots.capacity()), ((0, 0), room));
    }
}
