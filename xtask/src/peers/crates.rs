//! Which crates, and at which of their models loom is better, and why.

/// The loom that this is compared with.
pub(super) const LOOM: &str = "0.7.3";
const TOKIO: &str = "1.54.1";

/// A published crate with loom tests.
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// What its build has to be told.
    pub(super) cfg: &'static str,
    pub(super) arguments: &'static [&'static str],
    /// A dependency whose loom tests' types it is built on, with its version: see [`super::dependency`].
    pub(super) modelled: Option<(&'static str, &'static str)>,
    /// What its models' names contain.
    pub(super) filter: &'static str,
    /// The models at which loom is better, and why.
    pub(super) worse: &'static [(&'static str, &'static str)],
}

const WEAK: &str = "as it takes weak memory";
const LAZY: &str = "as loom does not explore which thread makes a lazy static";
const DROPS: &str = "as whether a sender goes before the receiver does is told apart";
const BOUND: &str = "as its own bound is one preemption, and here every ordering is tried first";
/// Whichever of the two is better: how long an execution takes decides.
pub(super) const CLOCK: &str = "as it fails where a millisecond of the real clock has passed";

pub(super) const PEERS: &[Peer] = &[
    // loom's own tests, which are in the published crate.
    Peer {
        name: "loom",
        version: LOOM,
        cfg: "--cfg loom",
        arguments: &["--test", "suite"],
        modelled: None,
        filter: "",
        worse: &[
            ("atomic::lazy_static_arc_race", LAZY),
            ("atomic::legal_load_after_lazy_static", LAZY),
            ("atomic_relaxed::check_ordering_invalid_1", WEAK),
            ("atomic_relaxed::check_ordering_invalid_2", WEAK),
            ("litmus::store_buffering", WEAK),
            ("mpsc::basic_parallel_usage", DROPS),
            ("mpsc::commutative_senders", DROPS),
            ("spec::acq_rel", WEAK),
        ],
    },
    Peer {
        name: "parking",
        version: "2.2.1",
        cfg: "--cfg loom",
        arguments: &["--test", "loom", "--features", "loom"],
        modelled: None,
        filter: "",
        worse: &[],
    },
    Peer {
        name: "concurrent-queue",
        version: "2.5.0",
        cfg: "--cfg loom",
        arguments: &["--test", "loom", "--features", "loom"],
        modelled: None,
        filter: "",
        worse: &[],
    },
    Peer {
        name: "bytes",
        version: "1.12.2",
        cfg: "--cfg loom",
        arguments: &["--lib"],
        modelled: None,
        filter: "fuzz",
        worse: &[],
    },
    Peer {
        name: "event-listener",
        version: "5.4.2",
        cfg: "--cfg loom",
        arguments: &["--test", "loom", "--features", "loom"],
        modelled: None,
        filter: "",
        worse: &[],
    },
    Peer {
        name: "oneshot",
        version: "0.2.1",
        cfg: "--cfg oneshot_loom",
        arguments: &["--test", "loom", "--features", "loom,std,async"],
        modelled: None,
        filter: "",
        worse: &[("send_recv_different_threads", CLOCK)],
    },
    Peer {
        name: "crossbeam-epoch",
        version: "0.9.21",
        cfg: "--cfg crossbeam_loom",
        arguments: &["--test", "loom", "--features", "loom"],
        modelled: None,
        filter: "",
        worse: &[],
    },
    Peer {
        name: "tokio-util",
        version: "0.7.20",
        cfg: "--cfg loom",
        arguments: &["--lib", "--features", "full"],
        modelled: Some(("tokio", TOKIO)),
        filter: "loom_",
        worse: &[],
    },
    Peer {
        name: "tokio",
        version: TOKIO,
        cfg: "--cfg loom",
        arguments: &["--lib", "--features", "full,test-util"],
        modelled: None,
        filter: "sync::tests::loom_",
        worse: &[("sync::tests::loom_semaphore_batch::batch", BOUND)],
    },
];
