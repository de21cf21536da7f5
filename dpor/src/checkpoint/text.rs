//! The file: lines of words, which a person can read and a program can check.

use super::steps::{Reader, Writer};
use super::CheckpointError;
use crate::explore::{Child, Node, Place, Root, Tree};
use crate::names::Names;
use crate::op::Transition;
use crate::schedule::Token;
use crate::tally::{Best, Tally};
use std::fmt::{Debug, Display, Write as _};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

const MAGIC: &str = "shuttle-dpor checkpoint 1";

/// An exploration as it is in a file.
pub(crate) struct Saved<T> {
    /// Whether it is a part, from 1, and of how many.
    pub(crate) part: Option<(usize, usize)>,
    pub(crate) elapsed: Duration,
    pub(crate) tally: Tally<T>,
    pub(crate) tree: Tree,
    pub(crate) names: Names,
}

/// Writes an exploration: the whole file, or nothing.
pub(crate) fn write<T: Ord + Debug + Display + 'static>(
    path: &Path,
    head: &[(&'static str, String)],
    part: Option<(usize, usize)>,
    (tree, names): (&Tree, &Names),
    tally: &Tally<T>,
    elapsed: Duration,
) -> Result<(), CheckpointError> {
    let mut text = format!("{MAGIC}\n");
    for (name, value) in head {
        let _ = writeln!(text, "{name} {}", escape(value));
    }
    if let Some((k, n)) = part {
        let _ = writeln!(text, "part {k} of {n}");
    }
    let _ = writeln!(text, "elapsed {} ms", elapsed.as_millis());
    write_tally(&mut text, tally);
    write_tree(&mut text, tree, names);
    text.push_str("end\n");
    // Beside the file, so that it is on the same device, and of one process alone.
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = Path::new(&beside);
    let written = File::create(beside)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(beside, path));
    written.map_err(|error| {
        let _ = std::fs::remove_file(beside);
        CheckpointError::io(path)(error)
    })
}

fn write_tally<T: Ord + Debug + Display + 'static>(text: &mut String, tally: &Tally<T>) {
    for (name, count) in tally.counts() {
        let _ = writeln!(text, "{name} {count}");
    }
    if let Some(why) = &tally.incomplete {
        let _ = writeln!(text, "incomplete {}", escape(why));
    }
    if let Some((who, token)) = &tally.cut_off {
        let _ = writeln!(text, "cut-off {token} {}", escape(who));
    }
    for (name, orderings) in &tally.named {
        let _ = writeln!(text, "named {orderings} {}", escape(name));
    }
    let best = |best: &Best| format!("{} {} {}", best.orderings, best.violating, best.token);
    for ((name, place), found) in &tally.violations {
        let (found, name, place) = (best(found), escape(name), escape(place));
        let _ = writeln!(text, "violation {found} {name}\t{place}");
    }
    for (outcome, found) in &tally.outcomes {
        let (found, outcome) = (best(found), escape(&outcome.to_string()));
        let _ = writeln!(text, "outcome {found} {outcome}");
    }
}

fn write_tree(text: &mut String, tree: &Tree, names: &Names) {
    let mut steps = Writer::default();
    let mut lines = String::new();
    let numbers = |steps: &mut Writer, all: &[Transition]| {
        all.iter().map(|&step| format!(" {}", steps.step(step))).collect::<String>()
    };
    let state = |over: bool| if over { "over" } else { "waits" };
    for root in &tree.roots {
        let fixed = numbers(&mut steps, &root.fixed);
        let _ = writeln!(lines, "root {}{fixed}", state(root.over));
    }
    for (id, node) in tree.nodes.iter().enumerate() {
        let Some(node) = node else { continue };
        let sleep = numbers(&mut steps, &node.sleep);
        let _ = match node.parent {
            Place::Root(root) => writeln!(lines, "node {id} root {root} sleeps{sleep}"),
            Place::Behind((at, child)) => {
                writeln!(lines, "node {id} child {child} of {at} sleeps{sleep}")
            }
        };
        for child in &node.children {
            let step = steps.step(child.transition);
            let sort = if child.leaf { "leaf" } else { "inner" };
            let _ = writeln!(lines, "child {step} {sort} {}", state(child.over));
        }
    }
    text.push_str(&steps.finish(names));
    text.push_str(&lines);
}

/// Text as one line.
fn escape(text: &str) -> String {
    let mut line = String::new();
    for c in text.chars() {
        match c {
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            c => line.push(c),
        }
    }
    line
}

fn unescape(line: &str) -> Option<String> {
    let mut text = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        text.push(match c {
            '\\' => match chars.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                _ => return None,
            },
            c => c,
        });
    }
    Some(text)
}

/// Reads an exploration of this `head`.
pub(crate) fn read<T>(
    path: &Path,
    head: &[(&'static str, String)],
) -> Result<Saved<T>, CheckpointError>
where
    T: Ord + Debug + FromStr + 'static,
{
    let text = std::fs::read_to_string(path).map_err(CheckpointError::io(path))?;
    let bad = |line: usize, why: &str| CheckpointError::Malformed {
        path: path.to_owned(),
        line: line + 1,
        why: why.to_owned(),
    };
    let mut lines = text.lines().enumerate();
    if lines.next().map(|(_, line)| line) != Some(MAGIC) {
        return Err(bad(0, &format!("no `{MAGIC}`")));
    }
    for (name, here) in head {
        let (at, line) = lines.next().ok_or_else(|| bad(0, "it ends too early"))?;
        let there = line.strip_prefix(*name).and_then(|rest| unescape(rest.strip_prefix(' ')?));
        let there = there.ok_or_else(|| bad(at, &format!("no `{name}`")))?;
        if there != *here {
            let (path, here) = (path.to_owned(), here.clone());
            return Err(CheckpointError::Other { path, what: name, there, here });
        }
    }
    let mut file = Lines {
        saved: Saved {
            part: None,
            elapsed: Duration::ZERO,
            tally: Tally::default(),
            tree: Tree::default(),
            names: Names::default(),
        },
        steps: Reader::default(),
        last: None,
    };
    for (at, line) in lines {
        if line == "end" {
            return file.finish().ok_or_else(|| bad(at, "nodes are missing"));
        }
        file.line(line).ok_or_else(|| bad(at, "this makes no sense"))?;
    }
    Err(bad(text.lines().count(), "it ends too early"))
}

/// The lines behind the head.
struct Lines<T> {
    saved: Saved<T>,
    steps: Reader,
    /// The node that children belong to.
    last: Option<usize>,
}

impl<T: Ord + Debug + FromStr + 'static> Lines<T> {
    fn line(&mut self, line: &str) -> Option<()> {
        let (about, rest) = line.split_once(' ')?;
        let tally = &mut self.saved.tally;
        match about {
            "part" => {
                let (k, n) = rest.split_once(" of ")?;
                self.saved.part = Some((k.parse().ok()?, n.parse().ok()?));
            }
            "elapsed" => {
                let ms = rest.strip_suffix(" ms")?.parse().ok()?;
                self.saved.elapsed = Duration::from_millis(ms);
            }
            "incomplete" => tally.stop(unescape(rest)?),
            "cut-off" => {
                let (token, who) = rest.split_once(' ')?;
                tally.cut_off = Some((unescape(who)?, token.parse().ok()?));
            }
            "named" => {
                let (orderings, name) = rest.split_once(' ')?;
                tally.named.insert(unescape(name)?, orderings.parse().ok()?);
            }
            "violation" => {
                let (best, rest) = best(rest)?;
                let (name, place) = rest.split_once('\t')?;
                tally.violations.insert((unescape(name)?, unescape(place)?), best);
            }
            "outcome" => {
                let (best, rest) = best(rest)?;
                tally.outcomes.insert(unescape(rest)?.parse().ok()?, best);
            }
            "root" | "node" | "child" => {
                let words: Vec<&str> = rest.split(' ').collect();
                self.tree(about, &words)?;
            }
            "thread" | "object" | "step" => {
                let words: Vec<&str> = rest.split(' ').collect();
                self.steps.line(about, &words)?;
            }
            name => tally.set_count(name, rest)?,
        }
        Some(())
    }

    fn tree(&mut self, about: &str, words: &[&str]) -> Option<()> {
        let tree = &mut self.saved.tree;
        let over = |word: &str| match word {
            "over" => Some(true),
            "waits" => Some(false),
            _ => None,
        };
        match (about, words) {
            ("root", [state, fixed @ ..]) => {
                let (fixed, over) = (self.steps.steps(fixed)?, over(state)?);
                tree.roots.push(Root { fixed, over, ..Root::default() });
            }
            ("node", [id, "root", root, "sleeps", sleep @ ..]) => {
                let parent = Place::Root(root.parse().ok()?);
                self.node(id.parse().ok()?, parent, sleep)?;
            }
            ("node", [id, "child", child, "of", node, "sleeps", sleep @ ..]) => {
                let parent = Place::Behind((node.parse().ok()?, child.parse().ok()?));
                self.node(id.parse().ok()?, parent, sleep)?;
            }
            ("child", [step, sort @ ("leaf" | "inner"), state]) => {
                let transition = *self.steps.steps(&[step])?.first()?;
                let node = tree.nodes.get_mut(self.last?)?.as_mut()?;
                node.children.push(Child::new(transition, *sort == "leaf", over(state)?));
            }
            _ => return None,
        }
        Some(())
    }

    fn node(&mut self, id: usize, parent: Place, sleep: &[&str]) -> Option<()> {
        let nodes = &mut self.saved.tree.nodes;
        // They come in order.
        if id < nodes.len() || id > u32::MAX as usize {
            return None;
        }
        nodes.resize_with(id, || None);
        let sleep = self.steps.steps(sleep)?;
        nodes.push(Some(Node { parent, sleep, children: Vec::new() }));
        self.last = Some(id);
        Some(())
    }

    fn finish(mut self) -> Option<Saved<T>> {
        self.saved.tree.connect()?;
        self.saved.names = self.steps.finish();
        Some(self.saved)
    }
}

/// How often something was seen, and what comes behind.
fn best(text: &str) -> Option<(Best, &str)> {
    let mut words = text.splitn(4, ' ');
    let (orderings, violating) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let token: Token = words.next()?.parse().ok()?;
    Some((Best { orderings, violating, token }, words.next()?))
}
