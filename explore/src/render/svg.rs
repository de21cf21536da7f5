//! An ordering drawn as a sequence diagram: a lane for each thread and for each object;
//! time goes down. Plain SVG without script, in the colours of the page.

use super::columns::{entries, Entry, Kind};
use super::layout::wrap;
use crate::report::Witness;
use maud::{html, Markup};

/// Pixels.
const ROW: usize = 24;
const LINE: usize = 16;
const TOP: usize = 44;
const THREAD: usize = 230;
const OBJECT: usize = 110;
/// A character, and a bit more.
const CHARACTER: usize = 8;
/// Characters that fit beside the lane of a thread.
const LANE_TEXT: usize = 28;
/// The greatest width, at which both ends of an arrow are still seen. In a wider
/// diagram objects have no lanes: each step names its object.
const PAGE: usize = 1080;
const WIDE: usize = 330;
const WIDE_TEXT: usize = 42;

/// One entry at its height.
struct Placed {
    entry: Entry,
    lines: Vec<String>,
    y: usize,
}

/// The diagram; `title` is for readers who do not see it.
pub fn diagram(title: &str, ordering: &Witness) -> Markup {
    let (threads, mut objects) = (ordering.columns(), ordering.objects());
    let lanes = threads.len() * THREAD + 70 + objects.len() * OBJECT <= PAGE;
    if !lanes {
        objects.clear();
    }
    let thread_width = if lanes { THREAD } else { WIDE };
    let placed = place(ordering, lanes);
    let bottom = placed.last().map_or(TOP, |last| last.y + last.lines.len() * LINE) + 8;
    let lane = |thread: usize| 16 + thread * thread_width;
    let object_lane = |object: usize| threads.len() * thread_width + 70 + object * OBJECT;
    let objects_end = match objects.len() {
        0 => threads.len() * thread_width + 16,
        several => object_lane(several - 1) + 20,
    };
    let places = placed.iter().map(|placed| placed.entry.detail.chars().count()).max();
    let width = objects_end + places.unwrap_or(0) * CHARACTER + 8;
    let spoken = placed.iter().map(|placed| {
        let name = threads.get(placed.entry.thread).map_or("", String::as_str);
        format!("{name}: {} {}", placed.entry.text, placed.entry.detail).trim().to_owned()
    });
    let spoken = spoken.collect::<Vec<_>>().join("; ");
    html! {
        svg viewBox={ "0 0 " (width) " " (bottom) } width=(width) height=(bottom) role="img"
            xmlns="http://www.w3.org/2000/svg" {
            title { (title) }
            desc { (spoken) }
            @for (index, name) in threads.iter().enumerate() {
                line class="lane" x1=(lane(index)) x2=(lane(index)) y1="30" y2=(bottom) {}
                text class="head" x=(lane(index).saturating_sub(8)) y="20" { (name) }
            }
            @for (index, name) in objects.iter().enumerate() {
                line class="lane object" x1=(object_lane(index)) x2=(object_lane(index)) y1="30" y2=(bottom) {}
                text class="head object" x=(object_lane(index)) y="20" text-anchor="middle" {
                    (super::layout::cut(name, OBJECT / CHARACTER))
                }
            }
            @for (thread, from, to) in spans(&placed, bottom) {
                rect class="call" x=(lane(thread) - 4) y=(from) width="8" height=(to - from) rx="3" {}
            }
            @for placed in &placed {
                @let at = objects.iter().position(|name| *name == placed.entry.object);
                @if let (Kind::Operation, Some(object)) = (placed.entry.kind, at) {
                    (arrow(lane(placed.entry.thread), object_lane(object), placed.y))
                }
                (label(placed, lane(placed.entry.thread) + 12, at.is_some()))
                @if !placed.entry.detail.is_empty() {
                    text class="place" x=(objects_end) y=(if at.is_some() { placed.y } else { placed.y + 4 }) { (placed.entry.detail) }
                }
            }
        }
    }
}

fn place(ordering: &Witness, lanes: bool) -> Vec<Placed> {
    let mut y = TOP;
    let mut placed: Vec<Placed> = Vec::new();
    for entry in entries(ordering) {
        let text = if lanes && entry.kind == Kind::Operation {
            entry.action()
        } else {
            entry.text.clone()
        };
        let lines = wrap(&text, if lanes { LANE_TEXT } else { WIDE_TEXT }, 0);
        y += ROW;
        let height = (lines.len() - 1) * LINE;
        placed.push(Placed { entry, lines, y });
        y += height;
    }
    placed
}

/// For each call its thread, and the heights of its beginning and its answer.
fn spans(placed: &[Placed], bottom: usize) -> Vec<(usize, usize, usize)> {
    let mut spans = Vec::new();
    for (index, begin) in placed.iter().enumerate() {
        let Some(call) = begin.entry.text.strip_suffix(" ...") else { continue };
        let answers = |later: &&Placed| {
            later.entry.thread == begin.entry.thread
                && later.entry.text.strip_prefix(call).is_some_and(|rest| rest.starts_with(':'))
        };
        let end = placed[index..].iter().find(answers).map_or(bottom, |end| end.y);
        spans.push((begin.entry.thread, begin.y.saturating_sub(12), end.max(begin.y)));
    }
    spans
}

/// An arrow from a thread to an object. The head is drawn here: a marker would need an
/// identifier that is unique in the page.
fn arrow(from: usize, to: usize, y: usize) -> Markup {
    let y = y + 4;
    html! {
        line class="arrow" x1=(from + 4) x2=(to - 6) y1=(y) y2=(y) {}
        path class="tip" d={ "M" (to - 8) " " (y - 4) "L" (to) " " (y) "L" (to - 8) " " (y + 4) "Z" } {}
    }
}

fn label(placed: &Placed, x: usize, over_arrow: bool) -> Markup {
    let class = match placed.entry.kind {
        Kind::Note => "note",
        Kind::Operation => "operation",
        Kind::Switch => "switch",
    };
    let y = if over_arrow { placed.y } else { placed.y + 4 };
    html! {
        text class=(class) x=(x) y=(y) {
            @for (index, line) in placed.lines.iter().enumerate() {
                tspan x=(x) dy=(if index == 0 { 0 } else { LINE }) { (line) }
            }
        }
    }
}
