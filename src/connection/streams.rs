//! The streams of one connection: by vb, by place, and in turn.
//!
//! A plain value, guarded by the connection's lock (`Rank::Connection`). To
//! find a stream by its vb is O(log streams); everything else is O(1).

use crate::line::Line;
use crate::live::Token;
use crate::slab::Slab;
use crate::stream::{ActiveStream, StreamId};
use crate::{StreamRequest, VbId};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Streams {
    streams: Slab<ActiveStream>,
    by_vb: BTreeMap<VbId, u32>,
    /// Those with something to send, in turn.
    ready: Line,
    next_serial: u64,
}

impl Streams {
    /// The stream of `vb`.
    pub(super) fn on(&self, vb: VbId) -> Option<StreamId> {
        let place = self.by_vb.get(&vb)?;
        self.streams.get(*place).map(|stream| stream.id)
    }

    /// The stream with this id, if it has not ended.
    pub(super) fn get(&mut self, id: StreamId) -> Option<&mut ActiveStream> {
        self.streams.get_mut(id.place).filter(|stream| stream.id == id)
    }

    pub(super) fn insert(&mut self, request: StreamRequest, live: Token) -> &ActiveStream {
        let id = StreamId { place: self.streams.vacant(), serial: self.next_serial };
        self.next_serial += 1;
        self.by_vb.insert(request.vb, id.place);
        self.streams.insert(ActiveStream::new(id, request, live));
        self.streams.get(id.place).expect("it was inserted")
    }

    pub(super) fn remove(&mut self, id: StreamId) -> Option<ActiveStream> {
        let vb = self.get(id)?.vb();
        self.ready.remove(id.place);
        self.by_vb.remove(&vb);
        self.streams.remove(id.place)
    }

    /// The stream may have something to send now.
    pub(super) fn changed(&mut self, id: StreamId) {
        if self.get(id).is_some_and(|stream| stream.ready()) {
            self.ready.push_back(id.place);
        }
    }

    /// Whether any has something to send.
    pub(super) fn any_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Takes the stream whose turn it is; [`Self::changed`] gives it another.
    pub(super) fn next_ready(&mut self) -> Option<&mut ActiveStream> {
        let place = self.ready.pop_front()?;
        self.streams.get_mut(place)
    }

    /// In the order of their vbs.
    pub(super) fn iter(&self) -> impl Iterator<Item = &ActiveStream> {
        self.by_vb.values().filter_map(|place| self.streams.get(*place))
    }

    /// The same.
    pub(super) fn into_streams(self) -> impl Iterator<Item = ActiveStream> {
        let Streams { mut streams, by_vb, .. } = self;
        by_vb.into_values().filter_map(move |place| streams.remove(place))
    }
}
