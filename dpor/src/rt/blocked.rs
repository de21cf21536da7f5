//! What threads that cannot go on wait for, in words.

use super::state::Runtime;
use super::thread::Status;
use crate::op::{Kind, Op};

/// Says what a thread that cannot go on waits for.
pub(super) fn describe_block(rt: &Runtime, tid: u16) -> String {
    match rt.threads[tid as usize].status {
        Status::Finished => "ended".into(),
        Status::Joining(target, _) => format!("waits for the end of {}", rt.thread_name(target)),
        Status::Meeting(obj, ..) => format!("waits for the receiver of {}", rt.object_name(obj)),
        Status::Gathering(obj, _) => format!("waits at {}", rt.object_name(obj)),
        Status::Resting => "waits until the others are at rest".into(),
        Status::At(op) if !rt.enabled(tid) => {
            let object = &rt.objects[op.obj as usize];
            let holders: Vec<_> = object.holders().iter().map(|&p| rt.thread_name(p)).collect();
            let held = match holders.len() {
                0 => String::new(),
                _ => format!(", held by {}", holders.join(" and ")),
            };
            let behind = behind(rt, &op);
            let wants = wants(op.kind, &rt.object_name(op.obj));
            match op.kind {
                Kind::Wake | Kind::Park => format!("waits to {wants}"),
                _ => format!("blocked: {wants}{held}{behind}"),
            }
        }
        _ => String::new(),
    }
}

/// Says who waits for what, and who holds it since which line.
pub(super) fn describe_deadlock(rt: &Runtime) -> String {
    let mut lines = Vec::new();
    for &tid in &rt.live {
        let name = rt.thread_name(tid);
        match rt.threads[tid as usize].status {
            Status::At(op) => {
                let mut line = format!(
                    "{name} waits to {} at {}:{}",
                    wants(op.kind, &rt.object_name(op.obj)),
                    op.at.file(),
                    op.at.line()
                );
                for holder in rt.objects[op.obj as usize].holders() {
                    let mut taken = rt.trace.events().iter().rev();
                    let since = taken.find(|e| e.obj == op.obj && e.tid == holder);
                    line += &format!(", held by {}", rt.thread_name(holder));
                    if let Some(e) = since {
                        line += &format!(" since {}:{}", e.at.file(), e.at.line());
                    }
                }
                line += &behind(rt, &op);
                lines.push(line);
            }
            Status::Joining(target, at) => lines.push(format!(
                "{name} waits for the end of {} at {}:{}",
                rt.thread_name(target),
                at.file(),
                at.line()
            )),
            Status::Meeting(obj, _, at) => lines.push(format!(
                "{name} waits for the receiver of {} at {}:{}",
                rt.object_name(obj),
                at.file(),
                at.line()
            )),
            Status::Gathering(obj, _) => {
                lines.push(format!("{name} waits at {}", rt.object_name(obj)));
            }
            _ => {}
        }
    }
    lines.join("; ")
}

/// What a thread would do that is about to perform an operation of this kind.
fn wants(kind: Kind, object: &str) -> String {
    match kind {
        Kind::Wake => format!("be woken by {object}"),
        Kind::Park => format!("be unparked by {object}"),
        kind => format!("{} {object}", kind.name()),
    }
}

/// For a reader: the writers that it lets go first.
fn behind(rt: &Runtime, op: &Op) -> String {
    let writers = rt.objects.get(op.obj as usize).map_or(&[][..], |o| o.waiting_writers());
    if op.kind != Kind::Read || writers.is_empty() {
        return String::new();
    }
    let names: Vec<_> = writers.iter().map(|&w| rt.thread_name(w)).collect();
    format!(", behind {}, who waits to write", names.join(" and "))
}
