//! What threads that cannot go on wait for, in words.

use super::state::Runtime;
use super::thread::Status;

/// Says what a thread that cannot go on waits for.
pub(super) fn describe_block(rt: &Runtime, tid: u16) -> String {
    match rt.threads[tid as usize].status {
        Status::Finished => "ended".into(),
        Status::Joining(target, _) => format!("waits for the end of {}", rt.thread_name(target)),
        Status::Meeting(obj, ..) => format!("waits for the receiver of {}", rt.object_name(obj)),
        Status::Gathering(obj, _) => format!("waits at {}", rt.object_name(obj)),
        Status::At(op) if !rt.enabled(tid) => {
            let object = &rt.objects[op.obj as usize];
            let holders: Vec<_> = object.holders().iter().map(|&p| rt.thread_name(p)).collect();
            let held = match holders.len() {
                0 => String::new(),
                _ => format!(", held by {}", holders.join(" and ")),
            };
            format!("blocked: {} {}{held}", op.kind.name(), rt.object_name(op.obj))
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
                    "{name} waits to {} {} at {}:{}",
                    op.kind.name(),
                    rt.object_name(op.obj),
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
