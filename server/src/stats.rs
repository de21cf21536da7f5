//! Statistics, by group, under the names that kv_engine's have. Owns nothing.

use crate::bucket::Bucket;
use crate::server::Server;
use connmap::{StreamState, VbId};
use std::sync::atomic::Ordering;

type Values = Vec<(String, String)>;

/// The values of a group, or `None` if there is no such group.
pub(crate) fn group(server: &Server, bucket: &Bucket, group: &str) -> Option<Values> {
    let mut words = group.split(' ');
    Some(match (words.next()?, words.next()) {
        ("", None) => general(server, bucket),
        ("vbucket", None) => {
            vbs(bucket, |name, info, _| vec![(name, format!("{:?}", info.state).to_lowercase())])
        }
        ("vbucket-seqno", vb) => {
            let seqnos = vbs(bucket, |name, info, high| {
                vec![
                    (format!("{name}:high_seqno"), high.to_string()),
                    (format!("{name}:uuid"), info.uuid().to_string()),
                    (format!("{name}:purge_seqno"), "0".into()),
                ]
            });
            only(seqnos, vb)
        }
        ("failovers", vb) => {
            let logs = vbs(bucket, |name, info, _| {
                let count = (format!("{name}:num_entries"), info.failover.len().to_string());
                let entries = info.failover.iter().enumerate().flat_map(|(at, branch)| {
                    [
                        (format!("{name}:{at}:id"), branch.uuid.to_string()),
                        (format!("{name}:{at}:seq"), branch.seqno.to_string()),
                    ]
                });
                std::iter::once(count).chain(entries).collect()
            });
            only(logs, vb)
        }
        ("dcp", None) => dcp(bucket),
        _ => return None,
    })
}

fn general(server: &Server, bucket: &Bucket) -> Values {
    let active = bucket.data.vbs.iter().filter(|vb| vb.info().is_some()).count();
    let (changes, bytes) = bucket
        .data
        .vbs
        .iter()
        .map(|vb| vb.tail(|tail| tail.size()))
        .fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    [
        ("pid", std::process::id().to_string()),
        ("uptime", server.started.elapsed().as_secs().to_string()),
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("curr_connections", server.connections.load(Ordering::Relaxed).to_string()),
        ("vb_num", active.to_string()),
        ("connmap_tail_items", changes.to_string()),
        ("connmap_tail_bytes", bytes.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn vbs(bucket: &Bucket, show: impl Fn(String, &crate::vbucket::VbInfo, u64) -> Values) -> Values {
    let one = |(number, vb): (usize, &crate::vbucket::VBucket)| {
        let high = vb.high();
        vb.info().as_ref().map(|info| show(format!("vb_{number}"), info, high))
    };
    bucket.data.vbs.iter().enumerate().filter_map(one).flatten().collect()
}

/// Those of one vb, if one is named.
fn only(mut values: Values, vb: Option<&str>) -> Values {
    if let Some(vb) = vb {
        values.retain(|(name, _)| name.starts_with(&format!("vb_{vb}:")));
    }
    values
}

fn dcp(bucket: &Bucket) -> Values {
    let producers: Vec<_> = bucket.map.connections().collect();
    let map = bucket.map.stats();
    let mut values = vec![
        ("ep_dcp_count".into(), producers.len().to_string()),
        ("ep_dcp_producer_count".into(), producers.len().to_string()),
        ("ep_dcp_queued_backfills".into(), map.queued.to_string()),
        ("ep_dcp_free_backfill_slots".into(), map.slots_free.to_string()),
    ];
    for (producer, name) in producers {
        let stats = producer.stats();
        let mut put = |key: &str, value: String| values.push((format!("{name}:{key}"), value));
        put("type", "producer".into());
        put("num_streams", stats.streams.len().to_string());
        put("paused", stats.paused.to_string());
        put("backfill_buffer_bytes_read", stats.buffered_bytes.to_string());
        put("backfill_num_pending", stats.backfills_pending.to_string());
        put("backfill_num_active", stats.backfills_in_progress.to_string());
        for (VbId(vb), state) in stats.streams {
            let state = match state {
                StreamState::Pending => "pending",
                StreamState::Backfilling => "backfilling",
                StreamState::InMemory => "in-memory",
                StreamState::Dead => "dead",
                _ => "unknown",
            };
            put(&format!("stream_{vb}_state"), state.into());
        }
    }
    values
}
