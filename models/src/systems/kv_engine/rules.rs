//! The rules of the core's design, each with the tickets and findings that it
//! prevents.

/// One rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The rule in a few words.
    pub name: &'static str,
    /// What the rule asks for, and what cannot happen then.
    pub text: &'static str,
    /// Names of [`super::tickets::TICKETS`].
    pub tickets: &'static [&'static str],
    /// Names of [`super::tickets::FINDINGS`].
    pub findings: &'static [&'static str],
}

/// The rules, in the order of HISTORY.md.
pub const RULES: &[Rule] = &[
    Rule {
        name: "Closed is the absence of everything else",
        text: "A connection is open and has its streams, its backfills and its buffer, or it is \
               closed and has a reason. There is no flag beside a connection that still looks \
               whole, and no pointer that one step of the teardown resets while another step, or \
               another thread, still needs it. Whoever takes the connection's lock finds all of \
               it or nothing.",
        tickets: &[
            "MB-20645, MB-41332",
            "MB-32084",
            "MB-36451",
            "MB-37702",
            "MB-37827",
            "MB-38521",
            "MB-45255",
            "MB-69075",
        ],
        findings: &[
            "late-backfill",
            "closing-backfill",
            "closing-stream",
            "late-schedule",
            "late-state-change",
            "late-item",
        ],
    },
    Rule {
        name: "Check and act under one lock",
        text: "A request is checked, scheduled and inserted under the lock under which a teardown \
               takes everything out. It comes before the teardown, and is torn down, or after it, \
               and is refused. Falling asleep and being woken are decided under that lock too. \
               What the host decides (whether a client must roll back) it decides under its own \
               lock, which it may hold until the request has returned.",
        tickets: &[
            "MB-17230", "MB-25803", "MB-37468", "MB-37702", "MB-45255", "MB-54591", "MB-67263",
        ],
        findings: &["late-open", "late-stream", "late-schedule", "late-state-change", "late-item"],
    },
    Rule {
        name: "Refuse before any side effect",
        text: "All checks come first. A request that is refused has scheduled nothing, charged \
               nothing and counted nothing, so there is nothing to take back.",
        tickets: &["MB-19428"],
        findings: &[],
    },
    Rule {
        name: "Locks are leaves: nothing of the host is called under one",
        text: "Wake-ups are collected under the core's locks and delivered by the caller when it \
               holds none; items are read from the host without a lock. So no lock of the host \
               (a front end's thread lock, a vb's state lock) is ever taken inside one of the \
               core's, and the host may hold its own around any call.",
        tickets: &["MB-20751", "MB-35049, MB-35073", "MB-36557, MB-36915", "MB-36637"],
        findings: &["notify-under-map-lock"],
    },
    Rule {
        name: "No destructor takes a lock",
        text: "What a stream leaves behind is taken out by the call that ends it, by name, under \
               the lock that it holds anyway. Dropping the last reference only frees memory, so \
               it does not matter which thread does it, nor what that thread holds.",
        tickets: &[],
        findings: &[
            "late-stream-destructor",
            "replaced-stream-destructor",
            "promoted-stream-destructor",
        ],
    },
    Rule {
        name: "One owner",
        text: "A connection owns its streams and its backfills, each in one place; everybody else \
               has an id, and looks it up. Ending a stream removes its backfill and returns its \
               slot and its bytes in the same step. Only the owner ends: a second connection of \
               the same name makes the first one refuse from then on, and tears nothing down.",
        tickets: &["MB-14205", "MB-26470", "MB-36451", "MB-37827", "MB-40052", "MB-57772"],
        findings: &["closing-backfill", "closing-stream", "promoted-stream-destructor"],
    },
    Rule {
        name: "One rank",
        text: "The core's few locks have a rank and are taken in that order, which every debug \
               build asserts. Two threads cannot wait for each other in a circle.",
        tickets: &["MB-20751", "MB-35049, MB-35073", "MB-36557, MB-36915"],
        findings: &[
            "replaced-stream-destructor",
            "promoted-stream-destructor",
            "notify-under-map-lock",
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::super::tickets::{FINDINGS, TICKETS};
    use super::RULES;

    fn covered<'a>(of_rules: Vec<&'a str>, all: Vec<&'a str>) {
        for name in &of_rules {
            assert!(all.contains(name), "there is no {name}");
        }
        for name in all {
            assert!(of_rules.contains(&name), "no rule prevents {name}");
        }
    }

    #[test]
    fn every_ticket_and_finding_is_prevented_by_a_rule() {
        covered(
            RULES.iter().flat_map(|rule| rule.tickets).copied().collect(),
            TICKETS.iter().map(|ticket| ticket.name).collect(),
        );
        covered(
            RULES.iter().flat_map(|rule| rule.findings).copied().collect(),
            FINDINGS.iter().map(|finding| finding.name).collect(),
        );
    }
}
