//! A stream on its own: what may follow what.

use super::*;
use crate::live::{Kind, LiveCounts};
use insta::assert_snapshot;
use std::fmt::Write;

fn stream(start: Seqno, end: Seqno) -> ActiveStream {
    let request = StreamRequest { vb: VbId(3), start, end, opaque: 8 };
    ActiveStream::new(
        StreamId { place: 0, serial: 1 },
        request,
        Ticket::default(),
        LiveCounts::new().count(Kind::Stream(VbId(0))),
    )
}

fn item(seqno: Seqno) -> Item {
    Item { seqno, payload: vec![0; 10].into() }
}

fn range(after: Seqno, upto: Seqno) -> SeqnoRange {
    SeqnoRange { after, upto }
}

/// A stream that is in memory and has sent everything up to `read`.
fn in_memory(read: Seqno, end: Seqno) -> ActiveStream {
    let mut stream = stream(read, end);
    stream.scan_opened(read);
    stream.scan_finished();
    stream
}

/// One batch of a scan.
fn scanned(stream: &mut ActiveStream, seqnos: &[Seqno]) -> Result<(), OutOfOrder> {
    let items: Vec<_> = seqnos.iter().map(|seqno| item(*seqno)).collect();
    stream.accepts(&items)?;
    stream.push_backfilled(items.into_iter());
    Ok(())
}

/// What the next steps find, a word each, up to the first that is no message.
fn told(stream: &mut ActiveStream) -> String {
    let mut told = String::new();
    loop {
        match stream.next() {
            Next::Message(Message::SnapshotMarker { range, source, .. }, refund) => {
                assert_eq!(refund, 0);
                write!(told, "{source:?}({}..={}) ", range.after, range.upto).unwrap();
            }
            Next::Message(Message::Item { item, .. }, refund) => {
                write!(told, "{}/{refund} ", item.seqno).unwrap();
            }
            Next::Message(Message::StreamEnd(_), _) => unreachable!("the connection's"),
            Next::ReadMemory(range) => {
                write!(told, "read({}..={})", range.after, range.upto).unwrap();
                return told;
            }
            Next::Finished => return told + "finished",
            Next::Nothing => return told + "nothing",
        }
    }
}

#[test]
fn the_whole_transition_table() {
    use StreamState::*;
    let mut table = String::new();
    for state in [Pending, Backfilling, InMemory, Dead] {
        for event in [Event::ScanOpened, Event::ScanFinished, Event::GoneFromMemory, Event::End] {
            let next = transition(state, event);
            let next = next.map_or("refused".to_owned(), |next| format!("{next:?}"));
            writeln!(table, "{:<12} {:<15} {next}", format!("{state:?}"), format!("{event:?}"))
                .unwrap();
        }
    }
    assert_snapshot!(table, @r"
    Pending      ScanOpened      Backfilling
    Pending      ScanFinished    refused
    Pending      GoneFromMemory  refused
    Pending      End             Dead
    Backfilling  ScanOpened      Backfilling
    Backfilling  ScanFinished    InMemory
    Backfilling  GoneFromMemory  refused
    Backfilling  End             Dead
    InMemory     ScanOpened      refused
    InMemory     ScanFinished    refused
    InMemory     GoneFromMemory  Backfilling
    InMemory     End             Dead
    Dead         ScanOpened      refused
    Dead         ScanFinished    refused
    Dead         GoneFromMemory  refused
    Dead         End             refused
    ");
}

#[test]
fn the_documentation_has_each_transition() {
    use StreamState::*;
    let mut drawn = String::new();
    for state in [Pending, Backfilling, InMemory, Dead] {
        for event in [Event::ScanOpened, Event::ScanFinished, Event::GoneFromMemory, Event::End] {
            if let Some(next) = transition(state, event) {
                writeln!(drawn, "//! {state:?} -> {next:?}: {event:?}").unwrap();
            }
        }
    }
    let source = include_str!("../stream.rs");
    let shown = source.split("//! ```text\n").nth(1).and_then(|rest| rest.split("//! ```").next());
    assert_eq!(shown, Some(drawn.as_str()));
}

#[test]
fn a_backfill_is_a_marker_and_its_items() {
    let mut stream = stream(2, 20);
    assert_eq!((stream.state(), stream.ready()), (StreamState::Pending, false));
    stream.scan_opened(9);
    assert!(stream.ready(), "the marker");
    for seqno in [3, 7] {
        scanned(&mut stream, &[seqno]).unwrap();
    }
    assert_eq!(stream.charged(), 20);
    assert_snapshot!(told(&mut stream), @"Disk(2..=9) 3/10 7/10 nothing");
    assert_eq!((stream.charged(), stream.ready()), (0, false));
    stream.scan_finished();
    assert_eq!(stream.unread(), range(9, 20), "what the snapshot had no item for was read, too");
    assert_eq!(stream.state(), StreamState::InMemory);
}

#[test]
fn a_scan_of_nothing_has_no_marker() {
    for snapshot_end in [0, 1, 2] {
        let mut stream = stream(2, 20);
        stream.scan_opened(snapshot_end);
        assert_eq!(told(&mut stream), "nothing");
        stream.scan_finished();
        assert_eq!(stream.unread(), range(2, 20));
    }
}

#[test]
fn a_marker_ends_with_the_request() {
    let mut stream = stream(2, 6);
    stream.scan_opened(Seqno::MAX);
    scanned(&mut stream, &[4]).unwrap();
    stream.scan_finished();
    assert_snapshot!(told(&mut stream), @"Disk(2..=6) 4/10 finished");
}

#[test]
fn the_last_item_finishes_before_the_scan_says_so() {
    let mut stream = stream(0, 2);
    stream.scan_opened(2);
    scanned(&mut stream, &[2]).unwrap();
    assert_eq!(stream.state(), StreamState::Backfilling);
    assert_snapshot!(told(&mut stream), @"Disk(0..=2) 2/10 finished");
}

#[test]
fn an_empty_request_is_finished_at_once() {
    let mut stream = stream(5, 5);
    assert!(stream.ready());
    assert_eq!(told(&mut stream), "finished");
}

#[test]
fn a_notification_counts_only_in_memory() {
    let mut stream = stream(0, 20);
    stream.notify(4);
    assert!(!stream.ready());
    stream.scan_opened(3);
    assert_eq!(told(&mut stream), "Disk(0..=3) nothing");
    stream.scan_finished();
    assert!(stream.ready(), "it was not forgotten");
    assert_eq!(told(&mut stream), "read(3..=4)");
    stream.notify(2);
    assert_eq!(told(&mut stream), "read(3..=4)", "seqnos do not go back");
    stream.notify(30);
    assert_eq!(told(&mut stream), "read(3..=20)", "and not past the end");
}

#[test]
fn what_memory_has_is_a_snapshot_of_its_own_and_not_charged() {
    let mut stream = in_memory(3, 20);
    stream.notify(9);
    stream.push_memory(range(3, 9), &mut vec![item(5), item(6)]).unwrap();
    assert_eq!(stream.charged(), 0);
    assert_snapshot!(told(&mut stream), @"Memory(3..=6) 5/0 6/0 read(6..=9)");
    stream.push_memory(range(6, 9), &mut vec![]).unwrap();
    assert_eq!(told(&mut stream), "nothing");
    stream.notify(9);
    assert_eq!(told(&mut stream), "read(6..=9)", "asked again once notified again");
}

#[test]
fn an_empty_read_does_not_swallow_a_later_notification() {
    let mut stream = in_memory(3, 20);
    stream.notify(5);
    assert_eq!(told(&mut stream), "read(3..=5)");
    stream.notify(7);
    stream.push_memory(range(3, 5), &mut vec![]).unwrap();
    assert_eq!(told(&mut stream), "read(3..=7)");
}

#[test]
fn a_stale_read_changes_nothing() {
    // Another step has read on meanwhile.
    let mut stream = in_memory(3, 20);
    stream.notify(9);
    stream.push_memory(range(3, 9), &mut vec![item(4)]).unwrap();
    let mut late = vec![item(4), item(5)];
    stream.push_memory(range(3, 9), &mut late).unwrap();
    assert_eq!(late.len(), 2, "left to be dropped after the lock");
    assert!(!stream.gone_from_memory(range(3, 9)));
    assert_eq!(told(&mut stream), "Memory(3..=4) 4/0 read(4..=9)");
    // It has gone back to a backfill meanwhile.
    assert!(stream.gone_from_memory(range(4, 9)));
    assert!(!stream.gone_from_memory(range(4, 9)), "one backfill is enough");
    stream.push_memory(range(4, 9), &mut vec![item(5)]).unwrap();
    assert_eq!((stream.state(), told(&mut stream)), (StreamState::Backfilling, "nothing".into()));
}

#[test]
fn a_second_backfill_begins_where_the_stream_stands() {
    let mut stream = in_memory(3, 20);
    stream.notify(9);
    assert!(stream.gone_from_memory(range(3, 9)));
    assert_eq!(stream.unread(), range(3, 20));
    stream.scan_opened(8);
    assert!(scanned(&mut stream, &[3]).is_err());
    scanned(&mut stream, &[8]).unwrap();
    stream.scan_finished();
    assert_snapshot!(told(&mut stream), @"Disk(3..=8) 8/10 read(8..=9)");
}

#[test]
fn items_out_of_order_are_an_error() {
    let mut backfilling = stream(2, 20);
    backfilling.scan_opened(9);
    scanned(&mut backfilling, &[5]).unwrap();
    for seqno in [0, 2, 5, 10, 20, Seqno::MAX] {
        assert!(scanned(&mut backfilling, &[seqno]).is_err(), "{seqno}");
    }
    for seqnos in [[3, 4], [5, 5], [6, 5], [9, 10]] {
        let mut stream = in_memory(3, 20);
        stream.notify(9);
        let mut items = seqnos.map(item).into();
        assert!(stream.push_memory(range(3, 9), &mut items).is_err(), "{seqnos:?}");
    }
}

#[test]
fn an_end_gives_back_what_was_not_sent() {
    let mut stream = stream(0, 20);
    stream.scan_opened(9);
    for seqno in 1..=3 {
        scanned(&mut stream, &[seqno]).unwrap();
    }
    assert!(matches!(stream.next(), Next::Message(Message::SnapshotMarker { .. }, 0)));
    assert!(matches!(stream.next(), Next::Message(Message::Item { .. }, 10)));
    let ended = stream.end(EndStatus::Slow);
    assert_eq!(ended.refund, 20);
    assert_eq!(ended.end, StreamEnd { vb: VbId(3), opaque: 8, status: EndStatus::Slow });
}
