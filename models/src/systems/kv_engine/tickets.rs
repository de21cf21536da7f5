//! The tickets of this family: for each, the scenario that has its ordering,
//! the protocol on which it happens, the one on which it does not any more, and
//! how an execution is recognised as the ticket's.

use crate::Invariant;

/// The scenarios, in the format of [`orderings::parse::file`].
pub const SCENARIOS: &str = include_str!("../../../scenarios-kv-engine.txt");

/// One ticket.
#[derive(Clone, Copy, Debug)]
pub struct Ticket {
    /// The ticket's numbers.
    pub name: &'static str,
    /// The scenario's name in [`SCENARIOS`].
    pub scenario: &'static str,
    /// The protocol with the bug, without [`super::PREFIX`].
    pub before: &'static str,
    /// The protocol with the repair, without [`super::PREFIX`].
    pub after: &'static str,
    /// The invariant that `before` violates, and `after` does not.
    pub breaks: Invariant,
    /// Calls and their answers in an execution that shows the ticket's bug; empty
    /// where none is answered (a deadlock), or every violation is the ticket's.
    pub outcome: &'static str,
    /// What happens, step by step.
    pub story: &'static str,
}

/// The tickets that the scenarios can express, oldest first.
pub const TICKETS: &[Ticket] = &[
    Ticket {
        name: "MB-14205",
        scenario: "mb-14205",
        before: "mb-45255",
        after: "mb-57772",
        breaks: Invariant::NoOrphanBackfill,
        outcome: "close_stream(0): closed; run_backfill: snoozed",
        story: "FE opens a stream, its backfill is queued. FE closes it. BT snoozes because \
                memory is high, before it looks at any queue. The dead backfill stays.",
    },
    Ticket {
        name: "MB-20645, MB-41332",
        scenario: "mb-20645",
        before: "mb-38521+mb-20645",
        after: "mb-38521",
        breaks: Invariant::NoDangling,
        outcome: "lookup: crash",
        story: "BD resets the manager pointer; the connection is still in the map. Another \
                thread's statistics use the pointer.",
    },
    Ticket {
        name: "MB-20751",
        scenario: "mb-20751",
        before: "before-mb-20751",
        after: "mb-20751",
        breaks: Invariant::NoDeadlock,
        outcome: "",
        story: "FE holds its thread lock. BD takes the map lock in shutdown, notifies FE and \
                wants its thread lock. FE disconnects, and wants the map lock.",
    },
    Ticket {
        name: "MB-17230",
        scenario: "mb-17230",
        before: "mb-20751+mb-17230",
        after: "mb-20751",
        breaks: Invariant::EndedOnce,
        outcome: "stream_request(0): accepted; set_vb_state(0, 0): done",
        story: "FE finds the vb alive and builds the stream. SV sets the vb dead and ends every \
                stream in the containers. FE inserts its stream: nobody will end it.",
    },
    Ticket {
        name: "MB-19428",
        scenario: "mb-19428",
        before: "mb-20751+mb-19428",
        after: "mb-20751",
        breaks: Invariant::BytesBalance,
        outcome: "stream_request(0): not my vbucket; run_backfill: ran",
        story: "The first repair of MB-17230: FE schedules, and only then looks at the vb again. \
                BT has charged bytes for a stream that is refused.",
    },
    Ticket {
        name: "MB-25803",
        scenario: "mb-25803",
        before: "mb-20751+mb-25803",
        after: "mb-20751",
        breaks: Invariant::NoDangling,
        outcome: "stream_request(0): crash",
        story: "FE looks the vb up. SV deletes it. FE looks it up again, and uses null.",
    },
    Ticket {
        name: "MB-26470",
        scenario: "mb-26470",
        before: "mb-20751+mb-26470",
        after: "mb-20751",
        breaks: Invariant::NoLeak,
        outcome: "",
        story: "A stream holds its producer, which holds the stream. The map goes without \
                closing its connections, and nothing is freed.",
    },
    Ticket {
        name: "MB-32084",
        scenario: "mb-32084",
        before: "mb-20751",
        after: "mb-32084",
        breaks: Invariant::NoDataRace,
        outcome: "",
        story: "BD's and FE's closeAllStreams of one connection both reset the bare pointer.",
    },
    Ticket {
        name: "MB-35049, MB-35073",
        scenario: "mb-35073",
        before: "mb-36557+mb-35073",
        after: "mb-36557",
        breaks: Invariant::NoDeadlock,
        outcome: "",
        story: "A writer holds the vb state lock for reading and wants the container lock, to \
                notify. closeAllStreams holds the container lock, sets the stream dead and wants \
                the state lock. SV, queued on that for writing, keeps it out.",
    },
    Ticket {
        name: "MB-36451",
        scenario: "mb-36451",
        before: "mb-36557+mb-36451",
        after: "mb-36557",
        breaks: Invariant::NoDangling,
        outcome: "open(b, a): crash; step: disconnect",
        story: "A second producer of the name closes the first one's streams itself, from its own \
                thread, and is setting one dead. The first one's FE is in step, finds the flag, \
                disconnects and resets the manager pointer. The next that the foreign thread \
                does is to give bytes back through it.",
    },
    Ticket {
        name: "MB-36557, MB-36915",
        scenario: "mb-36557",
        before: "mb-32084",
        after: "mb-36557",
        breaks: Invariant::NoDeadlock,
        outcome: "",
        story: "FE disconnects: it holds the map lock and, setting a stream dead, wants the vb \
                state lock. SV holds the state lock for writing and wants the map lock.",
    },
    Ticket {
        name: "MB-36637",
        scenario: "mb-36637",
        before: "mb-36557+mb-36637",
        after: "mb-36557",
        breaks: Invariant::NoDeadlock,
        outcome: "",
        story: "SV holds the state lock for writing and ends a stream, which takes it for \
                reading. One thread is enough.",
    },
    Ticket {
        name: "MB-37468",
        scenario: "mb-37468",
        before: "mb-36557+mb-37468",
        after: "mb-36557",
        breaks: Invariant::NoLostWakeup,
        outcome: "step: item 1; step: idle; run_backfill: ran",
        story: "BT has scanned the last item and sees the flag: already notified. FE steps, \
                finds nothing, marks the stream as not ready. BT completes and does not notify.",
    },
    Ticket {
        name: "MB-37702",
        scenario: "mb-37702",
        before: "before-mb-37702",
        after: "mb-37702",
        breaks: Invariant::NoDangling,
        outcome: "stream_request(0): accepted; step: idle; disconnect: crash",
        story: "BD: closeAllStreams, all streams dead and removed. FE: streamRequest, the flag \
                is not set; a new stream goes to Backfilling, is scheduled and inserted. BD: \
                resets the manager pointer. FE: steps, disconnects, closeAllStreams: setDead \
                gives bytes back through the null pointer.",
    },
    Ticket {
        name: "MB-37827",
        scenario: "mb-37827",
        before: "mb-37702+mb-37827",
        after: "mb-37702",
        breaks: Invariant::NoDangling,
        outcome: "seqno_ack(0): crash",
        story: "FE handles an ack: finds the stream, keeps a raw pointer, lets the container \
                lock go. BD closes all streams: it is freed. FE uses it.",
    },
    Ticket {
        name: "MB-38521",
        scenario: "mb-38521",
        before: "mb-37702",
        after: "mb-38521",
        breaks: Invariant::NoDangling,
        outcome: "shutdown: crash; disconnect: done",
        story: "BD is setting streams dead. FE, disconnecting, finishes its closeAllStreams \
                first and resets the manager pointer. BD: the next setDead uses null.",
    },
    Ticket {
        name: "MB-40052",
        scenario: "mb-40052",
        before: "mb-38521+mb-40052",
        after: "mb-38521",
        breaks: Invariant::NoOrphanBackfill,
        outcome: "",
        story: "A manager dies with a backfill in one of its queues, and the bucket's slot is \
                not counted back: at the cap, every further backfill stays pending.",
    },
    Ticket {
        name: "MB-45255",
        scenario: "mb-45255",
        before: "mb-37520",
        after: "mb-45255",
        breaks: Invariant::NoDangling,
        outcome: "stream_request(0): accepted; disconnect: crash",
        story: "FE: streamRequest passes the flag test and schedules. BD: flags, closes all, \
                resets. FE: inserts, answers SUCCESS. FE: disconnects: setDead, null.",
    },
    Ticket {
        name: "MB-54591",
        scenario: "mb-54591",
        before: "mb-45255+mb-54591",
        after: "mb-45255",
        breaks: Invariant::NoLostWakeup,
        outcome: "step: idle; notify(0): done",
        story: "FE, in next(): nothing to send. A write: notified already, so it does nothing. \
                FE: clears the notified flag. The item waits for the next write.",
    },
    Ticket {
        name: "MB-57772",
        scenario: "mb-57772",
        before: "mb-45255",
        after: "mb-57772",
        breaks: Invariant::NoOrphanBackfill,
        outcome: "close_stream(0): closed; run_backfill: snoozed",
        story: "MB-14205 again: FE closes a stream, BT snoozes before it looks at any queue, \
                the dead backfill stays.",
    },
    Ticket {
        name: "MB-67263",
        scenario: "mb-67263",
        before: "mb-57772",
        after: "mb-67263",
        breaks: Invariant::Linearizable,
        outcome: "stream_request(0): accepted; set_vb_state(0, 2): done",
        story: "FE: streamRequest sees the vb active. SV: changes the state. FE: checks against \
                the old failover table. SV: adds the entry. The client is not told to roll back. \
                (SV's change of the state and FE's check have nothing to do with each other: \
                with these two the other way round, as in the witness, it is the same ordering.)",
    },
    Ticket {
        name: "MB-69075",
        scenario: "mb-69075",
        before: "mb-67263",
        after: "mb-69075",
        breaks: Invariant::NoDataRace,
        outcome: "",
        story: "FE reads the bare manager pointer while BD's closeAllStreams resets it.",
    },
];

/// The tickets that no scenario can express, and why.
pub const NOT_EXPRESSED: &[(&str, &str)] = &[(
    "MB-61257, MB-62152",
    "when a full buffer lets the task go on is arithmetic, not an ordering: stop and go at every \
     item, or never, in one thread",
)];

/// A violation that the explorer finds and no ticket lists.
#[derive(Clone, Copy, Debug)]
pub struct Finding {
    /// The finding's name on the page.
    pub name: &'static str,
    /// The scenario's name in [`SCENARIOS`].
    pub scenario: &'static str,
    /// The invariant that is violated.
    pub breaks: Invariant,
    /// The first era of those in one piece, up to the last with the finding, in which
    /// the scenario shows it.
    pub since: &'static str,
    /// The first era without the finding again; `None`: the newest era has it.
    pub until: Option<&'static str>,
    /// Calls and their answers, as in [`Ticket::outcome`].
    pub outcome: &'static str,
    /// What happens, step by step.
    pub story: &'static str,
}

/// The findings; those of the newest era come first.
pub const FINDINGS: &[Finding] = &[
    Finding {
        name: "late-stream-destructor",
        scenario: "late-stream-destructor",
        breaks: Invariant::NoDeadlock,
        since: "mb-57772",
        until: None,
        outcome: "",
        story: "FE: streamRequest passes the flag test and schedules: the stream has an id. BD: \
                flags, closes all, resets the manager pointer. FE: inserts. FE disconnects: \
                closeAllStreams takes closeAllStreamsLock; the pointer is null, so the id stays \
                in the stream; its last reference is dropped there, and the destructor takes \
                closeAllStreamsLock again. FE hangs for ever, holding its thread lock; BD, \
                notifying it, with it.",
    },
    Finding {
        name: "replaced-stream-destructor",
        scenario: "replaced-stream-destructor",
        breaks: Invariant::NoDeadlock,
        since: "mb-57772",
        until: None,
        outcome: "",
        story: "SV has ended a stream, which stays in its container with its backfill's id. FE: \
                streamRequest on that vb drops it under the container's lock; the destructor \
                wants closeAllStreamsLock. BD: closeAllStreams holds that, and wants the \
                container's lock.",
    },
    Finding {
        name: "promoted-stream-destructor",
        scenario: "promoted-stream-destructor",
        breaks: Invariant::NoDeadlock,
        since: "mb-57772",
        until: None,
        outcome: "",
        story: "The buffer is full. BT, under the manager's mutex, promotes the weak pointer of \
                a queued backfill. FE: closeStream has taken that stream out, set it dead, and \
                drops its reference; the id is still in it. BT drops the last reference: the \
                destructor takes closeAllStreamsLock and wants the manager's mutex, which BT \
                holds. (With a shutdown as well: BD holds closeAllStreamsLock and wants the \
                manager's mutex.)",
    },
    Finding {
        name: "late-backfill",
        scenario: "late-backfill",
        breaks: Invariant::NoDangling,
        since: "before-mb-20751",
        until: None,
        outcome: "stream_request(0): accepted; run_backfill: crash",
        story: "FE: streamRequest passes the flag test and schedules. BT owns the manager for a \
                run and has the backfill. BD: (since MB-37702 flags,) closes all, resets. BT: \
                bytesRead goes through the null pointer.",
    },
    Finding {
        name: "closing-backfill",
        scenario: "closing-backfill",
        breaks: Invariant::NoDangling,
        since: "mb-45255",
        until: None,
        outcome: "close_stream(0): closed; run_backfill: crash",
        story: "FE: closeStream takes a stream out of its container. BD: closeAllStreams does \
                not find it, and resets the manager pointer. BT, reading for that stream, which \
                is not dead yet: bytesRead goes through the null pointer.",
    },
    Finding {
        name: "late-open",
        scenario: "late-open",
        breaks: Invariant::NoLateStream,
        since: "before-mb-20751",
        until: None,
        outcome: "c.stream_request(0): accepted",
        story: "BD has copied the map. FE opens a connection: it is not in the copy, and nobody \
                closes it.",
    },
    Finding {
        name: "late-stream",
        scenario: "mb-69075",
        breaks: Invariant::NoLateStream,
        since: "before-mb-20751",
        until: None,
        outcome: "shutdown: done; stream_request(0): accepted",
        story: "FE passes the flag test. BD (since MB-37702 flags,) closes all streams and \
                returns. FE inserts: a stream is open on a connection that was shut down. \
                (MB-45255 made this end without a crash; its message says that the window itself \
                was left open.)",
    },
    Finding {
        name: "closing-stream",
        scenario: "closing-stream",
        breaks: Invariant::NoDangling,
        since: "before-mb-20751",
        until: Some("mb-69075"),
        outcome: "close_stream(0): crash; shutdown: done",
        story: "FE: closeStream takes a stream out of its container. BD: closeAllStreams does \
                not find it, and resets the manager pointer. FE: setDead gives bytes back \
                through it: MB-38521 without a second closeAllStreams, so its lock does not \
                help. Since MB-45255 only the copy of the bare pointer is unsafe.",
    },
    Finding {
        name: "late-schedule",
        scenario: "mb-69075",
        breaks: Invariant::NoDangling,
        since: "before-mb-20751",
        until: Some("mb-69075"),
        outcome: "stream_request(0): crash",
        story: "FE passes the flag test. BD: (since MB-37702 flags,) closes all, resets. FE: \
                setActive schedules through the null pointer: MB-45255 one step earlier, which \
                its repair of bytesSent does not reach. Where the pointer is bare, FE may also \
                be copying it while BD resets it. The two crashes are counted together; the \
                witness shows the second, a copy of the pointer to a manager that is freed.",
    },
    Finding {
        name: "late-state-change",
        scenario: "late-state-change",
        breaks: Invariant::NoDangling,
        since: "before-mb-20751",
        until: Some("mb-69075"),
        outcome: "shutdown: done; set_vb_state(0, 2): crash",
        story: "FE passes the flag test. BD: (since MB-37702 flags,) closes all, resets the \
                manager pointer. FE inserts. SV changes the vb's state, walks the map, which still has the \
                connection, and finds the stream: setDead gives bytes back through the null \
                pointer, with the state lock and the map lock held. MB-45255 with SV in FE's \
                place. Since its repair only the copy of the bare pointer is unsafe.",
    },
    Finding {
        name: "notify-under-map-lock",
        scenario: "late-state-change",
        breaks: Invariant::NoDeadlock,
        since: "before-mb-20751",
        until: Some("mb-20751"),
        outcome: "",
        story: "BD, in shutdown, holds the map lock and, notifying FE, wants its thread lock. FE \
                holds that and, in streamRequest, wants the vb state lock for reading. SV holds \
                the state lock for writing and wants the map lock. MB-20751 with a third thread \
                between the two; its repair ends both.",
    },
    Finding {
        name: "late-item",
        scenario: "late-item",
        breaks: Invariant::NoDangling,
        since: "before-mb-20751",
        until: Some("mb-37702"),
        outcome: "stream_request(0): accepted; step: crash; run_backfill: ran",
        story: "BD has ended all streams. FE: streamRequest, the flag is not set; a new stream is \
                scheduled and inserted. BT reads an item for it. BD resets the manager pointer. \
                FE steps and sends the item: bytesSent uses null. MB-37702 without a disconnect; \
                its repair ends both.",
    },
];
