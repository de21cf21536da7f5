//! Who is refused, on which level, and what has happened then.

use super::super::{mutant, Mutant};
use super::{CONN, MAP, PRODUCER};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "closed-accepts-as-new",
        "a closed connection makes itself anew (MB-37702)",
        CONN,
        &[(r"            Phase::Closed(CloseReason::ShutDown) => return Err(RequestError::MapShutDown),
            Phase::Closed(_) => return Err(RequestError::ConnectionClosed),
            Phase::Open(open) if open.displaced => return Err(RequestError::ConnectionClosed),", r"            Phase::Closed(_) => {
                struct Nobody;
                impl FrontEnd for Nobody {
                    fn wake(&self) {}
                }
                let nobody: Arc<dyn FrontEnd> = Arc::new(Nobody);
                let fresh = Connection::new(&self.shared, Hosted::new(nobody));
                *phase = std::mem::replace(&mut *fresh.phase.lock(), Phase::Closed(CloseReason::ShutDown));
                match &mut *phase {
                    Phase::Open(open) => open,
                    Phase::Closed(_) => return Err(RequestError::ConnectionClosed),
                }
            }
            Phase::Open(open) if open.displaced => return Err(RequestError::ConnectionClosed),")],
    ),
    mutant(
        "displaced-accepts",
        "who was displaced accepts requests",
        CONN,
        &[(r"            Phase::Open(open) if open.displaced => return Err(RequestError::ConnectionClosed),
", "")],
    ),
    mutant(
        "displaced-steps",
        "who was displaced goes on sending",
        CONN,
        &[(r"                    Phase::Open(open) if open.displaced => {
                        return Step::Disconnect(CloseReason::Displaced);
                    }
", "")],
    ),
    mutant(
        "shut-down-says-closed",
        "a request after the shutdown is told that its connection is closed",
        CONN,
        &[(r"            Phase::Closed(CloseReason::ShutDown) => return Err(RequestError::MapShutDown),
", "")],
    ),
    mutant(
        "close-stream-says-closed",
        "the same, of a close_stream",
        CONN,
        &[(r"            Phase::Closed(CloseReason::ShutDown) => return Err(CloseError::MapShutDown),
", "")],
    ),
    mutant(
        "range-is-not-tested",
        "a stream that ends before it starts is accepted",
        CONN,
        &[(r"        if start > end {
            return Err(RequestError::OutOfRange { start, end });
        }
", "")],
    ),
    mutant(
        "empty-range-is-refused",
        "a stream of nothing is refused",
        CONN,
        &[(r"        if start > end {
            return", r"        if start >= end {
            return")],
    ),
    mutant(
        "range-in-the-wrong-words",
        "a refusal names the range the other way round",
        CONN,
        &[("RequestError::OutOfRange { start, end }", "RequestError::OutOfRange { start: end, end: start }")],
    ),
    mutant(
        "two-streams-on-a-vb",
        "a second stream of a vb takes the place of the first",
        CONN,
        &[(r"        if open.streams.on(vb).is_some() {
            return Err(RequestError::StreamExists(vb));
        }
", "")],
    ),
    mutant(
        "exists-says-another-vb",
        "a refusal names another vb",
        CONN,
        &[("RequestError::StreamExists(vb)", "RequestError::StreamExists(VbId(vb.0 + 1))")],
    ),
    mutant(
        "memory-is-not-asked",
        "a host without memory is asked for more",
        CONN,
        &[(r"        if memory_high {
            return Err(RequestError::NoMemory);
        }
", "")],
    ),
    mutant(
        "memory-at-the-threshold",
        "at the threshold requests are refused",
        CONN,
        &[("used > self.config().memory_threshold_percent", "used >= self.config().memory_threshold_percent")],
    ),
    mutant(
        "memory-panic-refuses",
        "a host that cannot say has no memory",
        CONN,
        &[("contain(|| self.source().memory_used_percent()).unwrap_or(0);", "contain(|| self.source().memory_used_percent()).unwrap_or(100);")],
    ),
    mutant(
        "memory-panic-goes-through",
        "a panic of the host comes out of the core",
        CONN,
        &[("contain(|| self.source().memory_used_percent()).unwrap_or(0);", "self.source().memory_used_percent();")],
    ),
    mutant(
        "memory-before-exists",
        "who has a stream is told of the memory",
        CONN,
        &[(r"        if open.streams.on(vb).is_some() {
            return Err(RequestError::StreamExists(vb));
        }
        if memory_high {
            return Err(RequestError::NoMemory);
        }
", r"        if memory_high {
            return Err(RequestError::NoMemory);
        }
        if open.streams.on(vb).is_some() {
            return Err(RequestError::StreamExists(vb));
        }
")],
    ),
    mutant(
        "range-before-closed",
        "who is closed is told of the range",
        CONN,
        &[(r"        let memory_high = self.memory_high();
        let mut phase = self.phase.lock();
        let open", r"        let memory_high = self.memory_high();
        if request.start > request.end {
            let StreamRequest { start, end, .. } = request;
            return Err(RequestError::OutOfRange { start, end });
        }
        let mut phase = self.phase.lock();
        let open")],
    ),
    mutant(
        "id-used-twice",
        "an id in use is given again: the first is lost with its streams",
        MAP,
        &[(r"        } else if state.connections.contains_key(&id) {
            Some(OpenError::IdInUse(id))
", "")],
    ),
    mutant(
        "open-after-shutdown",
        "a map that is shut down opens",
        MAP,
        &[(r"        let refused = if state.shut_down {
            Some(OpenError::MapShutDown)
        } else if state", "        let refused = if state")],
    ),
    mutant(
        "open-refuses-late",
        "an id in use displaces who has the name, and is refused then (side effect before the refusal)",
        MAP,
        &[(r"        if let Some(error) = refused {
            drop(guard);", r"        if let Some(error) = refused {
            let holder = state.names.get(name).and_then(|holder| state.connections.get(holder));
            if let Some(entry) = holder {
                entry.connection.displace(&mut after);
            }
            drop(guard);")],
    ),
    mutant(
        "disconnect-twice",
        "a disconnect leaves its connection in the map",
        MAP,
        &[(r"        let entry = self.connections.remove(&id)?;
", r"        let entry = self.connections.get(&id)?;
        let entry = Entry { name: Arc::clone(&entry.name), connection: Strong::clone(&entry.connection) };
")],
    ),
    mutant(
        "disconnect-of-another",
        "a disconnect of who is not there says another id",
        MAP,
        &[("ok_or(NoSuchConnection(id))", "ok_or(NoSuchConnection(ConnId(id.0 + 1)))")],
    ),
    mutant(
        "close-stream-of-none",
        "a close_stream of no stream says that it closed one",
        CONN,
        &[("        let id = open.streams.on(vb).ok_or(CloseError::NoSuchStream(vb))?;", "        let Some(id) = open.streams.on(vb) else { return Ok(After::default()) };")],
    ),
    mutant(
        "end-streams-counts-all",
        "end_streams counts connections without a stream",
        CONN,
        &[(r"        let Phase::Open(open) = &mut *phase else { return false };
        let Some(id) = open.streams.on(vb) else { return false };
        self.end_stream(open, id, status, after);
        true", r"        let Phase::Open(open) = &mut *phase else { return true };
        let Some(id) = open.streams.on(vb) else { return true };
        self.end_stream(open, id, status, after);
        true")],
    ),
    mutant(
        "get-of-the-closed",
        "a look-up does not find who is closed",
        MAP,
        &[("        state.connections.get(&id).map(|entry| Producer::new(id, &entry.connection))", r"        let open = state.connections.get(&id).filter(|_| !state.shut_down);
        open.map(|entry| Producer::new(id, &entry.connection))")],
    ),
    mutant(
        "get-with-another-id",
        "a handle that was looked up has another id",
        MAP,
        &[("        state.connections.get(&id).map(|entry| Producer::new(id, &entry.connection))", "        state.connections.get(&id).map(|entry| Producer::new(ConnId(id.0 + 1), &entry.connection))")],
    ),
    mutant(
        "gone-says-shut-down",
        "a handle of a connection that is gone says another reason",
        PRODUCER,
        &[("            None => Step::Disconnect(CloseReason::Disconnected),", "            None => Step::Disconnect(CloseReason::ShutDown),")],
    ),
    mutant(
        "gone-pauses",
        "pause of a connection that is gone sleeps",
        PRODUCER,
        &[("map_or(Pause::Ready, |connection| connection.pause())", "map_or(Pause::Paused, |connection| connection.pause())")],
    ),
];
