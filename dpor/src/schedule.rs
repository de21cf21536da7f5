//! Schedules: whose turn each event is, with as few context switches as the trace allows, and the
//! token that they are printed as.

use crate::op::Pid;
use crate::trace::Trace;
use std::fmt;
use std::str::FromStr;

/// How many states the search for the best schedule may look at. Beyond that it settles for the best
/// it has found.
const EFFORT: usize = 4000;

/// The search for an order of a trace's events with few context switches.
#[derive(Default)]
pub(crate) struct Linearizer {
    threads: Vec<Vec<u32>>,
    best: Option<Vec<(Pid, u32)>>,
    path: Vec<(Pid, u32)>,
    effort: usize,
}

impl Linearizer {
    /// The order with the fewest context switches, as runs of events of one thread, if it has fewer
    /// than `bound` of them.
    pub(crate) fn best(&mut self, trace: &Trace, bound: usize) -> Option<Vec<(Pid, u32)>> {
        for t in &mut self.threads {
            t.clear();
        }
        for (i, e) in trace.events().iter().enumerate() {
            let p = e.pid as usize;
            if self.threads.len() <= p {
                self.threads.resize_with(p + 1, Vec::new);
            }
            self.threads[p].push(i as u32);
        }
        let mut done = vec![0u32; self.threads.len()];
        self.best = None;
        self.path.clear();
        self.effort = 0;
        let least = self.remaining(&done);
        // A limit that grows keeps the search shallow: most traces need few switches.
        let most = bound.min(trace.len().max(1));
        let mut limit = least;
        while limit <= most && self.best.is_none() {
            if self.effort >= EFFORT {
                limit = most;
            }
            self.search(trace, &mut done, limit);
            limit += 1;
        }
        self.best.take()
    }

    /// At least one more run is needed for each thread that has events left.
    fn remaining(&self, done: &[u32]) -> usize {
        self.threads.iter().zip(done).filter(|(t, &d)| t.len() > d as usize).count()
    }

    fn search(&mut self, trace: &Trace, done: &mut Vec<u32>, limit: usize) {
        self.effort += 1;
        let remaining = self.remaining(done);
        if remaining == 0 {
            self.best = Some(self.path.clone());
            return;
        }
        if self.path.len() + remaining > limit {
            return;
        }
        for p in 0..self.threads.len() {
            let before = done[p];
            while self.ready(trace, done, p) {
                done[p] += 1;
            }
            if done[p] > before {
                self.path.push((p as Pid, done[p] - before));
                self.search(trace, done, limit);
                self.path.pop();
                done[p] = before;
                if self.best.is_some() {
                    return;
                }
            }
        }
    }

    fn ready(&self, trace: &Trace, done: &[u32], p: usize) -> bool {
        let Some(&i) = self.threads[p].get(done[p] as usize) else { return false };
        let clock = trace.clock(i as usize);
        clock.iter().enumerate().all(|(q, &c)| q == p || done.get(q).copied().unwrap_or(0) >= c)
    }
}

/// A replayable ordering: which thread performs each operation.
///
/// Printed and parsed with `Display` and `FromStr`. A thread is written as its path in the tree of
/// spawns: `0` is the body's own thread, `0.1` the second that it spawned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    pub(crate) threads: Vec<Vec<u32>>,
    /// Runs: a place in `threads`, and how many operations.
    pub(crate) runs: Vec<(usize, u32)>,
}

/// The version that tokens begin with: another version's may not mean the same operations.
const VERSION: &str = concat!("dpor-", env!("CARGO_PKG_VERSION"));

impl Token {
    /// How often the thread changes.
    pub fn switches(&self) -> usize {
        self.runs.len().saturating_sub(1)
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
            let thread = number(thread)? as usize;
            if thread >= threads.len() {
                return Err(bad());
            }
            read.push((thread, number(times)?));
        }
        Ok(Token { threads, runs: read })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_can_be_read_back() {
        let token = Token {
            threads: vec![vec![0], vec![0, 1], vec![0, 1, 0]],
            runs: vec![(0, 1), (2, 12), (0, 3)],
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
