//! The streams of one connection: by vb, by place, and in two lines, of the streams
//! with something to send and of those that wait for a backfill.
//!
//! A plain value, guarded by the connection's lock (`Rank::Connection`). To
//! find a stream by its vb is O(log streams); everything else is O(1).

use crate::index::Ticket;
use crate::line::{Line, Link, Links};
use crate::live::Token;
use crate::slab::Slab;
use crate::stream::{ActiveStream, StreamId};
use crate::{StreamRequest, VbId};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Streams {
    places: Slab<Place>,
    by_vb: BTreeMap<VbId, u32>,
    /// The streams with something to send; `step` takes the first.
    ready: Line,
    /// The streams whose backfill is pending: it has no slot, and has not begun.
    pending: Line,
    next_serial: u64,
}

#[derive(Debug)]
struct Place {
    stream: ActiveStream,
    /// The stream's link in `ready`.
    ready: Link,
    /// The stream's link in `pending`.
    pending: Link,
}

/// The bytes of a stream.
#[cfg(all(test, not(any(loom, shuttle))))]
pub(super) const PLACE: usize = size_of::<Option<Place>>();

impl AsMut<Link> for Place {
    fn as_mut(&mut self) -> &mut Link {
        &mut self.ready
    }
}

/// The links of `pending`.
struct Pending<'a>(&'a mut Slab<Place>);

impl Links for Pending<'_> {
    fn link(&mut self, number: u32) -> &mut Link {
        &mut self.0.get_mut(number).expect("who is in a line is there").pending
    }
}

impl Streams {
    /// The stream of `vb`.
    pub(super) fn on(&self, vb: VbId) -> Option<StreamId> {
        let place = self.by_vb.get(&vb)?;
        self.places.get(*place).map(|place| place.stream.id)
    }

    /// The stream with this id, if it has not ended.
    pub(super) fn get(&mut self, id: StreamId) -> Option<&mut ActiveStream> {
        let place = self.places.get_mut(id.place)?;
        Some(&mut place.stream).filter(|stream| stream.id == id)
    }

    pub(super) fn insert(
        &mut self,
        request: StreamRequest,
        ticket: Ticket,
        live: Token,
    ) -> &mut ActiveStream {
        let id = StreamId { place: self.places.vacant(), serial: self.next_serial };
        self.next_serial += 1;
        self.by_vb.insert(request.vb, id.place);
        let stream = ActiveStream::new(id, request, ticket, live);
        self.places.insert(Place { stream, ready: Link::OUT, pending: Link::OUT });
        &mut self.places.get_mut(id.place).expect("it was inserted").stream
    }

    pub(super) fn remove(&mut self, id: StreamId) -> Option<ActiveStream> {
        let vb = self.get(id)?.vb();
        self.ready.remove(&mut self.places, id.place);
        self.pending.remove(&mut Pending(&mut self.places), id.place);
        self.by_vb.remove(&vb);
        self.places.remove(id.place).map(|place| place.stream)
    }

    /// Puts a stream that has something to send at the end of `ready`, unless it is
    /// there.
    pub(super) fn changed(&mut self, id: StreamId) {
        if self.get(id).is_some_and(|stream| stream.ready()) {
            self.ready.push_back(&mut self.places, id.place);
        }
    }

    /// Whether a stream has something to send.
    pub(super) fn any_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Takes the first stream out of `ready`; [`Self::changed`] puts it back.
    pub(super) fn next_ready(&mut self) -> Option<&mut ActiveStream> {
        let place = self.ready.pop_front(&mut self.places)?;
        self.places.get_mut(place).map(|place| &mut place.stream)
    }

    /// Puts a stream that is to be read by a backfill at the end of `pending`.
    pub(super) fn want_backfill(&mut self, id: StreamId) {
        self.pending.push_back(&mut Pending(&mut self.places), id.place);
    }

    /// How many backfills are pending.
    pub(super) fn pending(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn any_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Takes the first stream out of `pending`, for its backfill to begin.
    pub(super) fn next_pending(&mut self) -> Option<&ActiveStream> {
        let place = self.pending.pop_front(&mut Pending(&mut self.places))?;
        self.places.get(place).map(|place| &place.stream)
    }

    /// The streams, in the order of their vbs.
    pub(super) fn iter(&self) -> impl Iterator<Item = &ActiveStream> {
        self.by_vb.values().filter_map(|place| self.places.get(*place)).map(|place| &place.stream)
    }

    /// The streams, in the order of their vbs.
    pub(super) fn into_streams(self) -> impl ExactSizeIterator<Item = ActiveStream> {
        let mut places = self.places.into_entries();
        self.by_vb
            .into_values()
            .map(move |place| places[place as usize].take().expect("a vb has its stream").stream)
    }
}
