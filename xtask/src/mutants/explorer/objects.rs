//! What operations do to their objects, and what they synchronise.

use super::super::{mutant, Mutant};
use super::{HOOK, MUTEX, OBJECT, REFERENCES, RT, STATE, STRAYS, SYNCHRONISE};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "last-drop-acquires-nothing",
        "the destructor of the last owner knows nothing of the others",
        SYNCHRONISE,
        &[(
            "released.release(known);
                if succeeded {",
            "released.release(known);
                if false {",
        )],
    ),
    mutant(
        "failed-upgrade-acquires",
        "an upgrade acquires though it fails",
        SYNCHRONISE,
        &[(
            "Kind::TryUnwrap | Kind::Upgrade if succeeded =>",
            "Kind::TryUnwrap | Kind::Upgrade =>",
        )],
    ),
    mutant(
        "counts-are-not-refused",
        "what depends on a count that is not explored is one of its outcomes",
        REFERENCES,
        &[("if alone || self.ending.is_some()", "if true || alone || self.ending.is_some()")],
    ),
    mutant(
        "contested-destructors-are-not-refused",
        "who drops the last reference is one of those who might",
        REFERENCES,
        &[(
            "contest.or(contested.then_some(at))",
            "contest.or(contested.then_some(at)).filter(|_| false)",
        )],
    ),
    mutant(
        "statics-belong-to-who-comes-first",
        "what a static is made of is named by the thread that comes to it first",
        STATE,
        &[("match &mut self.making {", "match &mut None::<Making> {")],
    ),
    mutant(
        "received-before-it-is-sent",
        "who receives a message is not ordered behind its send",
        OBJECT,
        &[("done.val = c.recv();\n                done.after = Some(by);", "done.val = c.recv();")],
    ),
    mutant(
        "timed-receive-is-certain",
        "a receiver that might have timed out is taken for one that waits",
        OBJECT,
        &[("self.messages > 0 && arg & MAY_END == 0", "self.messages > 0")],
    ),
    mutant(
        "received-where-others-wait-for-room",
        "a message is received from a channel with a limit, and nobody notices",
        OBJECT,
        &[("self.room.is_none() && self.messages > 0", "self.messages > 0")],
    ),
    mutant(
        "strays-are-not-looked-for",
        "a thread of std's that uses a primitive is stopped, and nothing is said",
        STRAYS,
        &[("if COUNT.load(Relaxed) > 0 {", "if false && COUNT.load(Relaxed) > 0 {")],
    ),
    mutant(
        "wakes-are-never-certain",
        "a waiter takes its notification by a race that nobody else can have a part in",
        OBJECT,
        &[(
            "if self.waiting.len() <= self.tokens.len() {",
            "if self.waiting.len() < self.tokens.len() {",
        )],
    ),
    mutant(
        "wakes-are-certain-too-early",
        "who is notified goes on though another competes for the notification",
        OBJECT,
        &[(
            "if self.waiting.len() <= self.tokens.len() {",
            "if self.waiting.len() <= self.tokens.len() + 1 {",
        )],
    ),
    mutant(
        "notified-who-comes-later",
        "a notification wakes who begins to wait after it",
        OBJECT,
        &[(
            "self.waiting.push(Waiter { tid, since: self.notifications });",
            "self.waiting.push(Waiter { tid, since: self.notifications.saturating_sub(1) });",
        )],
    ),
    mutant(
        "offer-outlasts-the-wait",
        "who has waited at a rendezvous is taken to wait on",
        OBJECT,
        &[(
            "        self.offers = false;\n        if self.messages > 0 {",
            "        if self.messages > 0 {",
        )],
    ),
    mutant(
        "writer-waits-on",
        "a writer that has the lock still waits for it, and shuts readers out afterwards",
        OBJECT,
        &[("lock.waiting.retain(|&w| w != tid);", "lock.waiting.retain(|&w| w != tid || true);")],
    ),
    mutant(
        "panics-poison-no-once",
        "a once whose closure panics is as it was",
        OBJECT,
        &[(
            "*once = Initialisation { running: false, done: over, poisoned: !over };",
            "*once = Initialisation { running: false, done: over, poisoned: false };",
        )],
    ),
    mutant(
        "downgrade-releases-nothing",
        "what a writer wrote that becomes a reader is a race with the next reader",
        SYNCHRONISE,
        &[(
            "Kind::Unlock | Kind::UnlockWrite | Kind::Downgrade | Kind::Leave | Kind::Unpark => {",
            "Kind::Unlock | Kind::UnlockWrite | Kind::Leave | Kind::Unpark => {",
        )],
    ),
    mutant(
        "goodbyes-say-nothing",
        "who finds all senders gone knows nothing of them",
        SYNCHRONISE,
        &[(
            "_ if done.val == HUNG_UP => released.learn_goodbyes(known),",
            "_ if false => released.learn_goodbyes(known),",
        )],
    ),
    mutant(
        "panics-of-others-are-dropped",
        "of all threads together as many panics are kept as of one",
        HOOK,
        &[("all.iter().filter(|panic| panic.thread == thread).count() > KEPT", "all.len() > KEPT")],
    ),
    mutant(
        "unlock-while-another-unwinds",
        "a guard that goes while another thread unwinds has changed its value",
        MUTEX,
        &[(
            "self.changed || crate::thread::panicking()",
            "self.changed || std::thread::panicking()",
        )],
    ),
    mutant(
        "what-never-begins-goes-last",
        "what a thread has that never begins goes behind its end",
        RT,
        &[("            false => drop(f),", "            false => once = f,")],
    ),
];
