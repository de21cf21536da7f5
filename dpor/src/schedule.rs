//! Schedules: whose turn each event is, with as few context switches as a bounded search finds, and
//! the token that they are printed as.

use crate::op::Tid;
use crate::trace::Trace;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// How many states the search for the best schedule may look at. Beyond that it settles for the best
/// it has found.
const EFFORT: usize = 4000;

/// Events of one thread that come one after another in any case.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// The first of them, by its number in the trace.
    event: u32,
    /// How many of the thread's events come before it, and how many there are with it.
    from: u32,
    to: u32,
    /// How many of the thread's events come before something of another's that comes before the first: none of
    /// those can be in the same run.
    apart: u32,
}

/// The search for an order of a trace's events with few context switches.
///
/// One is for one trace. What the trace of an execution shares with that of the last is not taken in again.
#[derive(Default)]
pub(crate) struct Linearizer {
    /// The execution whose trace has been taken in.
    execution: u64,
    /// The events of each thread, and the blocks that they are.
    events: Vec<Vec<u32>>,
    blocks: Vec<Vec<Block>>,
    /// How many runs each thread needs at least, from each of its blocks on.
    needed: Vec<Vec<u32>>,
    /// How many blocks of each thread `path` has.
    done: Vec<u32>,
    /// Runs: a thread, and how many of its blocks.
    path: Vec<(Tid, u32)>,
    effort: usize,
    /// The threads of the last token, by their paths: most tokens have the same.
    pub(crate) named: Arc<[Vec<u32>]>,
}

impl Linearizer {
    /// The order with the fewest context switches that a bounded search finds, as runs of events of
    /// one thread, if it finds one of at most `bound` runs. With room for a run for each event it
    /// always does.
    pub(crate) fn best(&mut self, trace: &Trace, bound: usize) -> Option<Vec<(Tid, u32)>> {
        self.take_in(trace);
        self.effort = 0;
        // A limit that grows keeps the search shallow: most traces need few switches.
        let most = bound.min(trace.len());
        let least: u32 = self.needed.iter().filter_map(|runs| runs.first()).sum();
        for limit in least as usize..most {
            if self.search(trace, limit, EFFORT) {
                return Some(self.runs(trace));
            }
            if self.effort >= EFFORT {
                break;
            }
        }
        // If each event may be a run, whatever comes first is good: no step is taken back.
        let effort = self.effort + EFFORT + trace.len();
        self.search(trace, most, effort).then(|| self.runs(trace))
    }

    /// The path in operations.
    fn runs(&mut self, trace: &Trace) -> Vec<(Tid, u32)> {
        self.done.fill(0);
        let (blocks, done) = (&self.blocks, &mut self.done);
        let run = |&(p, times): &(Tid, u32)| {
            let from = done[p as usize] as usize;
            done[p as usize] += times;
            let run = &blocks[p as usize][from..][..times as usize];
            (p, run.iter().map(|block| block.to - block.from).sum())
        };
        let mut runs: Vec<_> = self.path.iter().map(run).collect();
        // Whose operations are only counted comes last in each order: it knows all that has been done.
        if let Some((_, times)) = runs.last_mut() {
            *times += trace.counted() as u32;
        }
        runs
    }

    fn take_in(&mut self, trace: &Trace) {
        let same = trace.same_as(self.execution);
        self.execution = trace.execution();
        let Linearizer { events, blocks, .. } = self;
        // Two executions part where there is a choice, and in a block there is none: those that remain are whole.
        for (events, blocks) in events.iter_mut().zip(blocks.iter_mut()) {
            events.truncate(events.partition_point(|&i| (i as usize) < same));
            blocks.truncate(blocks.partition_point(|block| (block.event as usize) < same));
        }
        for (i, e) in trace.events().iter().enumerate().skip(same) {
            let p = e.tid as usize;
            if events.len() <= p {
                events.resize_with(p + 1, Vec::new);
                blocks.resize_with(p + 1, Vec::new);
            }
            events[p].push(i as u32);
            // Whoever is alone goes on with nobody in between.
            if let Some(block) = blocks[p].last_mut().filter(|_| trace.is_still_alone(i)) {
                block.to = e.seq;
                continue;
            }
            let through = |(q, &c): (usize, &u32)| {
                let last = (c as usize).checked_sub(1).filter(|_| q != p)?;
                trace.clock(events[q][last] as usize).get(p).copied()
            };
            let apart = trace.clock(i).iter().enumerate().filter_map(through).max();
            let apart = apart.unwrap_or(0);
            blocks[p].push(Block { event: i as u32, from: e.seq - 1, to: e.seq, apart });
        }
        self.needed.resize_with(self.blocks.len(), Vec::new);
        for (blocks, needed) in self.blocks.iter().zip(&mut self.needed) {
            needed.resize(blocks.len(), 0);
            let (mut runs, mut start) = (0, u32::MAX);
            for (block, needed) in blocks.iter().zip(needed).rev() {
                if block.from < start {
                    (runs, start) = (runs + 1, block.apart);
                }
                *needed = runs;
            }
        }
    }

    /// How many more runs are needed at least.
    fn remaining(&self) -> usize {
        let needed = self.needed.iter().zip(&self.done);
        needed.map(|(n, &d)| n.get(d as usize).map_or(0, |&runs| runs as usize)).sum()
    }

    /// Looks for an order of at most `limit` runs, which is then the path. Gives up when the effort
    /// has come to `most`.
    fn search(&mut self, trace: &Trace, limit: usize, most: usize) -> bool {
        let all = self.blocks.len();
        self.path.clear();
        self.done.clear();
        self.done.resize(all, 0);
        let mut next = 0;
        loop {
            if next == 0 {
                let remaining = self.remaining();
                if remaining == 0 {
                    return true;
                }
                if self.effort >= most {
                    return false;
                }
                self.effort += 1;
                if self.path.len() + remaining > limit {
                    next = all;
                }
            }
            if let Some((p, times)) = (next..all).find_map(|p| Some((p, self.run(trace, p)?))) {
                self.path.push((p as Tid, times));
                next = 0;
            } else if let Some((p, times)) = self.path.pop() {
                self.done[p as usize] -= times;
                next = p as usize + 1;
            } else {
                return false;
            }
        }
    }

    /// Lets a thread go on as far as it can: for how many blocks, if any.
    fn run(&mut self, trace: &Trace, p: usize) -> Option<u32> {
        let before = self.done[p];
        while self.ready(trace, p) {
            self.done[p] += 1;
        }
        Some(self.done[p] - before).filter(|&times| times > 0)
    }

    fn ready(&self, trace: &Trace, p: usize) -> bool {
        let Some(block) = self.blocks[p].get(self.done[p] as usize) else { return false };
        let mut clock = trace.clock(block.event as usize).iter().enumerate();
        clock.all(|(q, &c)| q == p || c <= self.events_done(q))
    }

    fn events_done(&self, p: usize) -> u32 {
        match self.done.get(p) {
            None | Some(0) => 0,
            Some(&done) => self.blocks[p][done as usize - 1].to,
        }
    }
}

/// A replayable ordering: which thread performs each operation.
///
/// Printed and parsed with `Display` and `FromStr`. A thread is written as its path in the tree of
/// spawns: `0` is the body's own thread, `0.1` the second that it spawned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    pub(crate) threads: Arc<[Vec<u32>]>,
    /// Runs: a place in `threads`, and how many operations.
    pub(crate) runs: Box<[(u16, u32)]>,
}

/// The version that tokens begin with: another version's may not mean the same operations.
pub(crate) const VERSION: &str = concat!("dpor-", env!("CARGO_PKG_VERSION"));

impl Token {
    /// How often the thread changes.
    pub fn switches(&self) -> usize {
        self.runs.len().saturating_sub(1)
    }

    /// The same ordering by other threads: `other` says by which, for each path in the tree of spawns. Where
    /// [equal threads](crate::thread::spawn_equal) are exchanged, with what they have spawned, it is an
    /// ordering of the same body.
    pub fn exchanged(&self, other: impl Fn(&[u32]) -> Vec<u32>) -> Token {
        let others: Vec<Vec<u32>> = self.threads.iter().map(|path| other(path)).collect();
        // If they are the same threads they are listed as they were, so that equal tokens are one text.
        let places = others.iter().map(|path| self.threads.iter().position(|own| own == path));
        match places.collect::<Option<Vec<usize>>>() {
            Some(places) => {
                let run = |&(thread, times): &(u16, u32)| (places[thread as usize] as u16, times);
                let runs = self.runs.iter().map(run).collect();
                Token { threads: self.threads.clone(), runs }
            }
            None => Token { threads: others.into(), runs: self.runs.clone() },
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}/")?;
        for (n, path) in self.threads.iter().enumerate() {
            let path: Vec<_> = path.iter().map(u32::to_string).collect();
            write!(f, "{}{}", if n == 0 { "" } else { "," }, path.join("."))?;
        }
        f.write_str("/")?;
        for (n, (thread, times)) in self.runs.iter().enumerate() {
            write!(f, "{}{thread}", if n == 0 { "" } else { "," })?;
            if *times != 1 {
                write!(f, "x{times}")?;
            }
        }
        Ok(())
    }
}

/// A token that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenError(String);

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TokenError {}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let mut parts = text.trim().split('/');
        let (version, threads, runs) = (parts.next(), parts.next(), parts.next());
        if version != Some(VERSION) {
            return Err(TokenError(format!("not a token of {VERSION}: {text}")));
        }
        let bad = || TokenError(format!("malformed token: {text}"));
        let number = |s: &str| s.parse::<u32>().map_err(|_| bad());
        let list = |part: Option<&str>| {
            let part = part.ok_or_else(bad)?;
            Ok(part.split(',').filter(|s| !s.is_empty()).map(str::to_owned).collect::<Vec<_>>())
        };
        let child = |s: &str| number(s).and_then(|n| if n < 64 { Ok(n) } else { Err(bad()) });
        let threads = list(threads)?
            .iter()
            .map(|path| path.split('.').map(child).collect::<Result<Vec<_>, _>>())
            .collect::<Result<Vec<_>, _>>()?;
        let mut read = Vec::new();
        for run in list(runs)? {
            let (thread, times) = run.split_once('x').unwrap_or((&run, "1"));
            let thread = u16::try_from(number(thread)?).map_err(|_| bad())?;
            if usize::from(thread) >= threads.len() {
                return Err(bad());
            }
            read.push((thread, number(times)?));
        }
        Ok(Token { threads: threads.into(), runs: read.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_can_be_read_back() {
        let token = Token {
            threads: vec![vec![0], vec![0, 1], vec![0, 1, 0]].into(),
            runs: vec![(0, 1), (2, 12), (0, 3)].into(),
        };
        let text = token.to_string();
        assert_eq!(text, format!("{VERSION}/0,0.1,0.1.0/0,2x12,0x3"));
        assert_eq!(text.parse(), Ok(token));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let good = format!("{VERSION}/0,0.1/0,1x2");
        assert!(good.parse::<Token>().is_ok());
        let bad = [
            "",
            "dpor-0.0.0/0/0",
            &good.replace("1x2", "2"),
            &good.replace("x2", "x"),
            &good.replace("0.1", "0.4000000000"),
            VERSION,
        ];
        for text in bad {
            assert!(text.parse::<Token>().is_err(), "{text}");
        }
    }
}
