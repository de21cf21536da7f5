//! The eras of the protocol, and the named switches, each of which revives a
//! ticket that was repaired before the first era or between two eras.
//!
//! The protocol is written once; each change of it is a test against the era of
//! the commit that made it.

/// The protocol from one commit up to the next, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Era {
    /// Shutdown closes and notifies under the map lock.
    BeforeMb20751,
    /// 2016-09: shutdown copies the map and walks the copy without the lock.
    Mb20751,
    /// 2019-01: the manager pointer has a mutex inside, one copy per access.
    Mb32084,
    /// 2019-10: disconnect only flags under the map lock, and closes after it.
    Mb36557,
    /// 2020-01: shutdown flags each connection before it closes its streams.
    Mb37702,
    /// 2020-04: one lock held for the whole of closeAllStreams.
    Mb38521,
    /// 2021-03: the manager pointer is bare again.
    Mb37520,
    /// 2021-03: bytesSent tolerates a null manager pointer.
    Mb45255,
    /// 2023-07: a stream knows its backfill's id and erases it when it dies.
    Mb57772,
    /// 2025-06: streamRequest holds the vb state lock until it has inserted.
    Mb67263,
    /// 2025-10: the manager pointer is behind a reader/writer lock; the newest.
    Mb69075,
}

/// Each era, its name, and what it changed.
pub const ERAS: &[(Era, &str, &str)] = &[
    (
        Era::BeforeMb20751,
        "before-mb-20751",
        "2016: shutdown closes and notifies under the map lock",
    ),
    (Era::Mb20751, "mb-20751", "2016-09: shutdown walks a copy of the map, unlocked"),
    (Era::Mb32084, "mb-32084", "2019-01: the manager pointer is an atomic shared pointer"),
    (Era::Mb36557, "mb-36557", "2019-10: disconnect closes the streams after the map lock"),
    (Era::Mb37702, "mb-37702", "2020-01: shutdown flags a connection before it closes its streams"),
    (Era::Mb38521, "mb-38521", "2020-04: closeAllStreams runs under a lock of its own"),
    (Era::Mb37520, "mb-37520", "2021-03: the manager pointer is bare again"),
    (Era::Mb45255, "mb-45255", "2021-03: bytesSent tolerates a null manager pointer"),
    (Era::Mb57772, "mb-57772", "2023-07: a dying stream erases its backfill by id"),
    (Era::Mb67263, "mb-67263", "2025-06: streamRequest holds the vb state lock"),
    (Era::Mb69075, "mb-69075", "2025-10: the manager pointer is behind a reader/writer lock"),
];

/// A switch: what differs from the era.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// The vb's state is not checked again before the insertion.
    Mb17230,
    /// The vb's state is checked again only after the side effects.
    Mb19428,
    /// The statistics do not check the manager pointer for null.
    Mb20645,
    /// streamRequest looks the vb up twice.
    Mb25803,
    /// A stream holds its producer strongly.
    Mb26470,
    /// closeAllStreams sets a stream dead under its container's lock.
    Mb35073,
    /// A second producer of the same name closes the first one's streams.
    Mb36451,
    /// The state change does not tell setDead that it holds the state lock.
    Mb36637,
    /// A completing backfill reads the notified flag before it completes.
    Mb37468,
    /// seqnoAck keeps a raw pointer to the stream.
    Mb37827,
    /// A manager's destructor does not return the slots of active backfills.
    Mb40052,
    /// The front end clears the notified flag after it has looked for items.
    Mb54591,
}

/// Each variant, the era it is shown on, its name, and what it does.
pub const VARIANTS: &[(Variant, Era, &str, &str)] = &[
    (Variant::Mb17230, Era::Mb20751, "mb-17230", "the vb's state is not looked at again"),
    (
        Variant::Mb19428,
        Era::Mb20751,
        "mb-19428",
        "the vb's state is looked at after the side effects",
    ),
    (Variant::Mb20645, Era::Mb38521, "mb-20645", "statistics use a null manager pointer"),
    (Variant::Mb25803, Era::Mb20751, "mb-25803", "the vb is looked up twice"),
    (Variant::Mb26470, Era::Mb20751, "mb-26470", "a stream holds its producer strongly"),
    (Variant::Mb35073, Era::Mb36557, "mb-35073", "streams are set dead under the container lock"),
    (Variant::Mb36451, Era::Mb36557, "mb-36451", "the second of a name closes the first"),
    (
        Variant::Mb36637,
        Era::Mb36557,
        "mb-36637",
        "the state change does not say that it holds the lock",
    ),
    (
        Variant::Mb37468,
        Era::Mb36557,
        "mb-37468",
        "a backfill completes after it looked at the flag",
    ),
    (Variant::Mb37827, Era::Mb37702, "mb-37827", "seqnoAck keeps a raw pointer"),
    (
        Variant::Mb40052,
        Era::Mb38521,
        "mb-40052",
        "a dying manager forgets its active backfills' slots",
    ),
    (Variant::Mb54591, Era::Mb45255, "mb-54591", "the notified flag is cleared after the look"),
];

/// One protocol: an era, and at most one switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// The era.
    pub era: Era,
    /// The switch that is on.
    pub variant: Option<Variant>,
}

impl Protocol {
    /// Whether the protocol has the change of this era.
    pub(super) fn since(self, era: Era) -> bool {
        self.era >= era
    }

    /// Whether this switch is on.
    pub(super) fn revives(self, variant: Variant) -> bool {
        self.variant == Some(variant)
    }

    /// `mb-37702`, `before-mb-37702` (the era before it), or either with a
    /// variant: `mb-36557+mb-36637`.
    pub fn parse(name: &str) -> Option<Protocol> {
        let (era, variant) = match name.split_once('+') {
            Some((era, variant)) => (era, Some(variant)),
            None => (name, None),
        };
        let at = match ERAS.iter().position(|(_, name, _)| *name == era) {
            Some(at) => at,
            None => {
                let next = era.strip_prefix("before-")?;
                ERAS.iter().position(|(_, name, _)| *name == next)?.checked_sub(1)?
            }
        };
        let variant = match variant {
            Some(name) => Some(VARIANTS.iter().find(|(_, _, known, _)| *known == name)?.0),
            None => None,
        };
        Some(Protocol { era: ERAS[at].0, variant })
    }

    /// Its name, and its description.
    pub fn describe(self) -> (String, String) {
        let (_, era, meaning) = ERAS[self.era as usize];
        match self.variant.and_then(|v| VARIANTS.iter().find(|(known, ..)| *known == v)) {
            Some((_, _, variant, differs)) => (format!("{era}+{variant}"), (*differs).into()),
            None => (era.into(), meaning.into()),
        }
    }
}
