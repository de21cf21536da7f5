//! Each call as a sequence of atomic steps; the table of [`super`] says which
//! are more than one, and why.

use super::backfill::Turn;
use super::connection::{Looked, Reading};
use super::rest::STATS;
use super::state::{MapState, Place, World};
use super::Limits;
use crate::answers;
use crate::scenario::{Argument, Call, CallId, Conn, Scenario};
use crate::systems::vocabulary::ended;
use orderings::linear::{self, Answer, Specification};
use std::collections::VecDeque;
use std::sync::Arc;

/// What a call has done so far.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Progress {
    Called,
    /// It has looked its connection up.
    Found(Place),
    /// A `step` reads from memory.
    Reading(Place, Reading),
    /// A walk has these connections left, of those in the map when it began, and
    /// has ended so many streams.
    Walking(VecDeque<Place>, u64),
    /// A shutdown has these connections left to close.
    Closing(VecDeque<Place>),
    /// `run_backfill` or `wait` has read this time off the clock.
    AtTime(u64),
    /// A worker has taken the turn of this connection, at this time.
    Taken(Place, u64),
    /// After `Taken`: the host has said whether it uses too much memory.
    Asked(Place, u64, bool),
    /// A `stream_request` on this connection: the host has said whether it uses
    /// too much memory.
    Requesting(Place, bool),
    /// After `Requesting`: a walk can find the request.
    Entered(Place, bool),
    /// A `wait` sleeps, at the longest until the next connection is due.
    Dozing,
    /// A worker runs a backfill.
    Running(Turn),
}

type Did = linear::Did<Progress>;

/// The specification of one scenario: its calls, and how the host behaves.
#[derive(Debug)]
pub(super) struct Rules {
    scenario: Arc<Scenario>,
    limits: Limits,
    /// Whether any call walks over the connections: then a request can be found
    /// before it is answered.
    walks: bool,
}

/// The calls that walk over the connections with a stream on a vb.
const WALKS: [&str; 4] = ["notify", "end_streams", "set_vb_state", "delete_vb"];

impl Rules {
    pub(super) fn new(scenario: &Arc<Scenario>, limits: Limits) -> Self {
        let walks = |call: &Call| WALKS.contains(&call.operation);
        let walks = scenario.parts().flatten().any(walks);
        Rules { scenario: Arc::clone(scenario), limits, walks }
    }

    /// Whether these are the rules of this scenario.
    pub(super) fn are_for(&self, scenario: &Arc<Scenario>, limits: Limits) -> bool {
        Arc::ptr_eq(&self.scenario, scenario) && self.limits == limits
    }
}

impl Specification for Rules {
    type World = World;
    type Progress = Progress;

    fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    fn called(&self) -> Progress {
        Progress::Called
    }

    fn news(&self, world: &World) -> Vec<(CallId, String)> {
        let reported = world.reported.iter();
        reported.map(|(request, status)| (*request, ended(status))).collect()
    }

    /// The state before the first call, with the connections that the scenario
    /// does not open itself.
    fn start(&self) -> World {
        let mut world = World::new(self.limits.slots, self.limits.memory_used);
        let all = (0..self.scenario.receivers.len()).map(Conn);
        let opened = |conn: &Conn| !self.scenario.created.contains(conn);
        all.filter(opened).for_each(|conn| world.add(conn, conn));
        world
    }

    /// Takes the next step of a call.
    fn advance(&self, world: &mut World, id: CallId, call: &Call, progress: Progress) -> Did {
        match progress {
            Progress::Called => self.begin(world, id, call),
            Progress::Found(at) => self.on_receiver(world, at, id, call),
            Progress::Reading(at, reading) => {
                world.bring(at, &self.limits, reading);
                Did::Part(Progress::Found(at))
            }
            Progress::Walking(rest, ended) => self.walk(world, call, rest, ended),
            Progress::Closing(rest) => shut_down(world, rest),
            Progress::AtTime(now) if call.operation == "wait" => wait(world, now),
            Progress::AtTime(now) => match world.take_turn(now) {
                Some(at) => Did::Part(Progress::Taken(at, now)),
                None => Did::Answered(answers::IDLE.into()),
            },
            Progress::Taken(at, now) if self.limits.moves => {
                Did::Part(Progress::Asked(at, now, high(world)))
            }
            Progress::Taken(at, now) => self.begin_turn(world, at, now, high(world)),
            Progress::Asked(at, now, high) => self.begin_turn(world, at, now, high),
            Progress::Requesting(at, high) => self.enter(world, at, id, call, high),
            Progress::Entered(at, high) => {
                world.entered.retain(|(request, ..)| *request != id);
                Did::Answered(self.request(world, at, id, call, high))
            }
            Progress::Dozing => match world.map.state {
                MapState::ShutDown => Did::Answered(answers::STOP.into()),
                _ => Did::Answered(answers::RUN.into()),
            },
            Progress::Running(turn) => match world.run_on(&self.limits, turn) {
                Some(turn) => Did::Part(Progress::Running(turn)),
                None => Did::Answered(answers::RAN.into()),
            },
        }
    }
}

impl World {
    /// Whether a walk finds a stream, or a request for one, of this connection.
    fn has(&self, at: Place, vb: u64) -> bool {
        let entered = self.entered.iter().any(|(_, of, on)| (*of, *on) == (at, vb));
        entered || self.connections[at].streams.contains_key(&vb)
    }
}

impl Rules {
    fn begin(&self, world: &mut World, id: CallId, call: &Call) -> Did {
        let now = world.clock;
        match call.operation {
            "run_backfill" | "wait" if self.limits.moves => {
                return Did::Part(Progress::AtTime(now));
            }
            "run_backfill" => return self.advance(world, id, call, Progress::AtTime(now)),
            "wait" => return wait(world, now),
            "tick" => {
                world.clock += call.int(0).unwrap_or(1);
                return Did::Answered(answers::DONE.into());
            }
            "memory_used" => {
                world.memory_used = call.int(0).unwrap_or(0);
                return Did::Answered(answers::DONE.into());
            }
            STATS => return Did::Answered(world.stats(&self.scenario).into()),
            _ => {}
        }
        let through_the_map = match (call.operation, call.receiver) {
            ("open" | "lookup" | "disconnect", _) | (_, None) => true,
            (_, Some(conn)) => self.scenario.created.contains(&conn),
        };
        match call.receiver {
            Some(conn) if !through_the_map => {
                // Connections that are open from the start have the first places.
                let opened = &self.scenario.created;
                let at = (0..conn.0).filter(|other| !opened.contains(&Conn(*other))).count();
                self.on_receiver(world, at, id, call)
            }
            connection => self.on_map(world, connection, call),
        }
    }

    fn on_map(&self, world: &mut World, connection: Option<Conn>, call: &Call) -> Did {
        let all = || world.map.ids.values().copied().collect::<VecDeque<Place>>();
        let Some(conn) = connection else {
            return match call.operation {
                "shutdown" => shut_down(world, all()),
                // The walk leaves out streams that are requested from here on.
                _ => {
                    let vb = call.int(0).unwrap_or(0);
                    let there = all();
                    let found = world
                        .found
                        .iter()
                        .filter(|(at, on)| *on == vb && there.contains(at) && world.has(*at, vb));
                    Did::Part(Progress::Walking(found.map(|(at, _)| *at).collect(), 0))
                }
            };
        };
        let known = world.map.ids.get(&conn).copied();
        let answer = match (call.operation, known) {
            ("open", _) if world.map.state != MapState::Open => answers::MAP_SHUT_DOWN,
            ("open", Some(_)) => answers::ID_IN_USE,
            ("open", None) => {
                let name = match call.arguments.first() {
                    Some(Argument::Receiver(name)) => *name,
                    _ => conn,
                };
                for other in all() {
                    if world.connections[other].name == name {
                        world.displace(other);
                    }
                }
                world.add(conn, name);
                answers::OPENED
            }
            ("lookup", Some(_)) => answers::FOUND,
            ("disconnect", Some(at)) => {
                world.map.ids.remove(&conn);
                world.close(at, answers::DISCONNECTED);
                answers::DONE
            }
            ("disconnect", None) => answers::NO_SUCH_CONNECTION,
            (_, None) => answers::NOT_FOUND,
            (_, Some(at)) => return Did::Part(Progress::Found(at)),
        };
        Did::Answered(answer.into())
    }

    fn on_receiver(&self, world: &mut World, at: Place, id: CallId, call: &Call) -> Did {
        let limits = &self.limits;
        let vb = call.int(0).unwrap_or(0);
        Did::Answered(match call.operation {
            "stream_request" if self.limits.moves => {
                return Did::Part(Progress::Requesting(at, high(world)));
            }
            "stream_request" => return self.enter(world, at, id, call, high(world)),
            "close_stream" => world.close_stream(at, limits, vb),
            "step" => match world.look(at, limits) {
                Looked::Answer(answer) => answer,
                Looked::Read(reading) => return Did::Part(Progress::Reading(at, reading)),
            },
            "pause" => world.pause(at),
            "wake" => {
                world.connections[at].wake();
                answers::DONE.into()
            }
            "seqno_ack" => answers::DONE.into(),
            "backfills" => world.backfills_of(at).into(),
            other => unreachable!("{other} is not an operation of a producer"),
        })
    }

    fn begin_turn(&self, world: &mut World, at: Place, now: u64, high: bool) -> Did {
        match world.begin_turn(at, &self.limits, now, high) {
            Some(turn) => Did::Part(Progress::Running(turn)),
            None => Did::Answered(answers::RAN.into()),
        }
    }

    /// A walk can find the request from here on, and waits for its answer then;
    /// other requests may be answered before it.
    fn enter(&self, world: &mut World, at: Place, id: CallId, call: &Call, high: bool) -> Did {
        if !self.walks {
            return Did::Answered(self.request(world, at, id, call, high));
        }
        let vb = call.int(0).unwrap_or(0);
        if !world.has(at, vb) {
            world.found.retain(|other| *other != (at, vb));
            world.found.push((at, vb));
        }
        world.entered.insert((id, at, vb));
        Did::Part(Progress::Entered(at, high))
    }

    fn request(&self, world: &mut World, at: Place, id: CallId, call: &Call, high: bool) -> Answer {
        let vb = call.int(0).unwrap_or(0);
        let range = (call.int(1).unwrap_or(0), call.int(2).unwrap_or(u64::MAX));
        world.request(at, &self.limits, id, vb, range, high)
    }

    /// The step of a walk on its next connection.
    fn walk(
        &self,
        world: &mut World,
        call: &Call,
        mut rest: VecDeque<Place>,
        mut ended: u64,
    ) -> Did {
        let vb = call.int(0).unwrap_or(0);
        if let Some(at) = rest.pop_front() {
            match call.operation {
                "notify" => world.notify(at, vb, call.int(1).unwrap_or(0)),
                "end_streams" | "set_vb_state" | "delete_vb" => {
                    ended +=
                        u64::from(world.end_stream(at, &self.limits, vb, answers::STATE_CHANGED));
                }
                other => unreachable!("{other} does not walk over the connections"),
            }
        }
        if !rest.is_empty() {
            return Did::Part(Progress::Walking(rest, ended));
        }
        Did::Answered(match call.operation {
            "end_streams" | "set_vb_state" | "delete_vb" => format!("{ended} ended").into(),
            _ => answers::DONE.into(),
        })
    }
}

/// Closes the next connection that is still in the map; after the last one,
/// the workers are told to stop.
fn shut_down(world: &mut World, mut rest: VecDeque<Place>) -> Did {
    if world.map.state == MapState::Open {
        world.map.state = MapState::ShuttingDown;
    }
    rest.retain(|at| world.map.ids.values().any(|there| there == at));
    match rest.pop_front() {
        Some(at) => {
            world.close(at, "shut down");
            Did::Part(Progress::Closing(rest))
        }
        None => {
            world.map.state = MapState::ShutDown;
            Did::Answered(answers::DONE.into())
        }
    }
}

/// Whether the host uses so much memory that requests are refused and backfills
/// put off.
fn high(world: &World) -> bool {
    world.memory_used > Limits::THRESHOLD
}

/// A worker's `wait`, after it has read this time off the clock.
fn wait(world: &World, now: u64) -> Did {
    let first = world.bucket.resting.iter().map(|(time, _)| *time).min();
    match (world.map.state, first) {
        (MapState::ShutDown, _) => Did::Answered(answers::STOP.into()),
        _ if !world.bucket.ready.is_empty() => Did::Answered(answers::RUN.into()),
        (_, Some(time)) if time <= now => Did::Answered(answers::RUN.into()),
        (_, Some(_)) => Did::Part(Progress::Dozing),
        (_, None) => Did::Waits,
    }
}
