//! The steps of a tree, and the threads and objects that they name, in a file.
//!
//! Numbers of threads and objects are those of one run, in which somebody met them first. A file says with
//! each number what it stands for: whose child number what, whose object number what.

use crate::names::{Names, ObjectName};
use crate::op::{Class, Kind, Label, ObjId, Tid, Transition, NO_OBJECT};
use crate::spin::intern;
use std::collections::HashMap;
use std::fmt::{self, Write};

/// The kind after this one: a kind that is missing here does not compile.
fn after(kind: Kind) -> Option<Kind> {
    use Kind::*;
    Some(match kind {
        Load => Store,
        Store => Rmw,
        Rmw => CompareExchange,
        CompareExchange => CompareExchangeFailed,
        CompareExchangeFailed => Lock,
        Lock => TryLock,
        TryLock => Unlock,
        Unlock => Read,
        Read => TryRead,
        TryRead => UnlockRead,
        UnlockRead => QueueWrite,
        QueueWrite => Write,
        Write => TryWrite,
        TryWrite => UnlockWrite,
        UnlockWrite => Downgrade,
        Downgrade => Wait,
        Wait => Wake,
        Wake => Woken,
        Woken => NotifyOne,
        NotifyOne => NotifyAll,
        NotifyAll => NotifyNobody,
        NotifyNobody => Park,
        Park => Unpark,
        Unpark => Arrive,
        Arrive => Enter,
        Enter => FindDone,
        FindDone => Leave,
        Leave => WaitDone,
        WaitDone => Look,
        Look => Clear,
        Clear => End,
        End => Send,
        Send => TrySend,
        TrySend => SendInVain,
        SendInVain => Offer,
        Offer => Recv,
        Recv => Received,
        Received => TryRecv,
        TryRecv => DropSender,
        DropSender => Hangup,
        Hangup => DropRef,
        DropRef => TryUnwrap,
        TryUnwrap => Upgrade,
        Upgrade => Unique,
        Unique => Count,
        Count => CloneRef,
        CloneRef => DropWeak,
        DropWeak => return None,
    })
}

fn kinds() -> impl Iterator<Item = Kind> {
    std::iter::successors(Some(Kind::Load), |&kind| after(kind))
}

/// One word, the same in every version.
fn word(kind: Kind) -> String {
    format!("{kind:?}")
}

/// Steps that are written: each once, with a number.
#[derive(Default)]
pub(super) struct Writer {
    known: HashMap<(Tid, ObjId, Kind, usize), usize>,
    lines: String,
}

impl Writer {
    /// The number of a step.
    pub(super) fn step(&mut self, step: Transition) -> usize {
        // Sets are interned: the same set is at the same place.
        let key = (step.tid, step.label.obj, step.label.kind, step.label.also.as_ptr() as usize);
        let next = self.known.len();
        *self.known.entry(key).or_insert_with(|| {
            let Label { obj, kind, also } = step.label;
            let (obj, kind) = (Object(obj), word(kind));
            let _ = write!(self.lines, "step {next} thread {} {kind} {obj}", step.tid);
            for &(obj, class) in also {
                let _ = write!(self.lines, " {class:?} {}", Object(obj));
            }
            self.lines.push('\n');
            next
        })
    }

    /// What the numbers mean.
    pub(super) fn finish(self, names: &Names) -> String {
        let mut text = String::new();
        for (tid, (parent, nth)) in names.threads() {
            let _ = writeln!(text, "thread {tid} child {nth} of {parent}");
        }
        for (obj, name) in names.objects() {
            let _ = match name {
                ObjectName::OfThread(tid, nth) => {
                    writeln!(text, "object {obj} number {nth} of thread {tid}")
                }
                ObjectName::OfStatic(place, nth) => {
                    writeln!(text, "object {obj} number {nth} of static {place}")
                }
            };
        }
        text + &self.lines
    }
}

/// An object's number, if it is one.
struct Object(ObjId);

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            NO_OBJECT => f.write_str("-"),
            obj => obj.fmt(f),
        }
    }
}

/// Steps that are read.
#[derive(Default)]
pub(super) struct Reader {
    names: Names,
    threads: HashMap<Tid, Tid>,
    objects: HashMap<ObjId, ObjId>,
    steps: Vec<Transition>,
}

impl Reader {
    /// Takes in a line, of what it is about and the words behind that. `None` if it makes no sense.
    pub(super) fn line(&mut self, about: &str, words: &[&str]) -> Option<()> {
        match (about, words) {
            ("thread", [tid, "child", nth, "of", parent]) => {
                let parent = self.thread(parent)?;
                let here = self.names.thread(parent, nth.parse().ok()?);
                self.threads.insert(tid.parse().ok()?, here);
            }
            ("object", [obj, "number", nth, "of", "thread", tid]) => {
                let name = ObjectName::OfThread(self.thread(tid)?, nth.parse().ok()?);
                self.objects.insert(obj.parse().ok()?, self.names.object_named(name));
            }
            ("object", [obj, "number", nth, "of", "static", place]) => {
                let name = ObjectName::OfStatic(place.parse().ok()?, nth.parse().ok()?);
                self.objects.insert(obj.parse().ok()?, self.names.object_named(name));
            }
            ("step", [number, "thread", tid, kind, obj, also @ ..]) => {
                if number.parse() != Ok(self.steps.len()) || also.len() % 2 != 0 {
                    return None;
                }
                let kind = kinds().find(|&known| word(known) == *kind)?;
                let class =
                    |text: &str| Class::ALL.into_iter().find(|class| format!("{class:?}") == text);
                let mut set = Vec::new();
                for pair in also.chunks(2) {
                    set.push((self.object(pair[1])?, class(pair[0])?));
                }
                set.sort_unstable();
                let label = Label { obj: self.object(obj)?, kind, also: intern(&set) };
                self.steps.push(Transition { tid: self.thread(tid)?, label });
            }
            _ => return None,
        }
        Some(())
    }

    fn thread(&self, text: &str) -> Option<Tid> {
        match text.parse().ok()? {
            0 => Some(0),
            tid => self.threads.get(&tid).copied(),
        }
    }

    fn object(&self, text: &str) -> Option<ObjId> {
        match text {
            "-" => Some(NO_OBJECT),
            text => self.objects.get(&text.parse().ok()?).copied(),
        }
    }

    /// The steps of these numbers.
    pub(super) fn steps(&self, words: &[&str]) -> Option<Vec<Transition>> {
        let step = |word: &&str| self.steps.get(word.parse::<usize>().ok()?).copied();
        words.iter().map(step).collect()
    }

    /// The names that the steps use.
    pub(super) fn finish(self) -> Names {
        self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart() {
        let words: std::collections::HashSet<String> = kinds().map(word).collect();
        assert_eq!(words.len(), kinds().count());
        assert!(kinds().count() > 40);
    }

    #[test]
    fn steps_can_be_read_back_by_another_run() {
        let names = Names::default();
        let child = names.thread(0, 3);
        let grandchild = names.thread(child, 0);
        let made = names.object_named(ObjectName::OfThread(child, 2));
        let fixed = names.object_named(ObjectName::OfStatic(-64, 1));
        let also = intern(&[(made, Class::Peek), (fixed, Class::Count)]);
        let labels = [
            Label::new(made, Kind::Lock),
            Label { also, ..Label::new(fixed, Kind::CompareExchangeFailed) },
            Label::new(NO_OBJECT, Kind::Woken),
        ];
        let steps = labels.map(|label| Transition { tid: grandchild, label });
        let mut writer = Writer::default();
        let numbers = steps.map(|step| writer.step(step).to_string());
        assert_eq!(numbers, ["0", "1", "2"]);
        assert_eq!(writer.step(steps[1]), 1);
        let text = writer.finish(&names);
        let mut reader = Reader::default();
        // This run has met others before.
        reader.names.thread(0, 0);
        reader.names.object_named(ObjectName::OfThread(0, 0));
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            assert!(reader.line(words[0], &words[1..]).is_some(), "{line}");
        }
        let read = reader.steps(&["0", "1", "2"]).expect("they were written");
        assert_ne!(read[0].tid, grandchild);
        let mut again = Writer::default();
        let numbers: Vec<usize> = read.iter().map(|&step| again.step(step)).collect();
        assert_eq!(numbers, [0, 1, 2]);
        assert!(again.lines.lines().count() == 3 && read[1].label.also.len() == 2);
        assert!(reader.line("step", &["3", "thread", "9", "Lock", "-"]).is_none());
    }
}
