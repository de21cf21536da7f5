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
        Status::At(op) if rt.possible(tid) && rt.pauses(tid) => {
            format!("spins, at {}", rt.object_name(op.obj))
        }
        Status::At(op) if !rt.possible(tid) => {
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

/// Says who waits where, which tells a deadlock or a livelock from others, and also for what, and who
/// holds that since which line. The former is the same in equivalent executions: it says nothing of the
/// order in which threads and objects were made.
pub(super) fn describe_deadlock(rt: &Runtime) -> (String, String) {
    let (mut places, mut lines) = (Vec::new(), Vec::new());
    for &tid in &rt.live {
        let Some((what, at, mut line)) = place(rt, tid) else { continue };
        let thread = &rt.threads[tid as usize];
        // Equal threads are not told apart.
        let name = match thread.equal {
            Some((class, _)) => {
                Some(format!("one of {} equal threads", rt.classes[class as usize].len()))
            }
            None => thread.name.clone(),
        };
        places.push((rt.path_of_class(tid), name, what, at));
        match rt.threads[tid as usize].status {
            Status::At(op) if !rt.possible(tid) => {
                for holder in rt.objects[op.obj as usize].holders() {
                    let mut taken = rt.trace.events().iter().rev();
                    let since = taken.find(|e| e.obj == op.obj && e.tid == holder);
                    line += &format!(", held by {}", rt.thread_name(holder));
                    if let Some(e) = since {
                        line += &format!(" since {}:{}", e.at.file(), e.at.line());
                    }
                }
                line += &behind(rt, &op);
            }
            Status::At(_) => line += ", and nobody will ever change what it looks at",
            _ => {}
        }
        lines.push(line);
    }
    places.sort();
    let places = places.into_iter().map(|(path, name, what, at)| {
        let path: Vec<String> = path.iter().map(u32::to_string).collect();
        let name = name.unwrap_or_else(|| format!("thread {}", path.join(".")));
        format!("{name} {what}{at}")
    });
    (places.collect::<Vec<_>>().join("; "), lines.join("; "))
}

/// Of a thread that cannot go on: how it waits, where, and all of that with names.
fn place(rt: &Runtime, tid: u16) -> Option<(String, String, String)> {
    let name = rt.thread_name(tid);
    let (how, what, at) = match rt.threads[tid as usize].status {
        Status::At(op) => match &rt.threads[tid as usize].pause {
            Some(pause) if rt.possible(tid) => {
                let looks = pause.looks.iter().map(|look| rt.object_name(look.obj));
                let looks = looks.collect::<Vec<_>>().join(" and ");
                ("spins".into(), format!("spins on {looks}"), Some(pause.at))
            }
            _ => {
                let how = format!("waits to {}", op.kind.name());
                let what = format!("waits to {}", wants(op.kind, &rt.object_name(op.obj)));
                (how, what, Some(op.at))
            }
        },
        Status::Joining(target, at) => {
            let what = format!("waits for the end of {}", rt.thread_name(target));
            ("joins".into(), what, Some(at))
        }
        Status::Meeting(obj, _, at) => {
            let what = format!("waits for the receiver of {}", rt.object_name(obj));
            ("waits for a receiver".into(), what, Some(at))
        }
        Status::Gathering(obj, _) => {
            ("waits at a barrier".into(), format!("waits at {}", rt.object_name(obj)), None)
        }
        _ => return None,
    };
    let at = at.map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
    let line = format!("{name} {what}{at}");
    Some((how, at, line))
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
