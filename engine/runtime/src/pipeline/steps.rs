//! What a step of one of the pipeline's three parts may come to, and the sign that the sequencer is
//! gone. Refuses to know what a part does.

use crate::wait::Bell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<L> {
    /// Something was done, and there may be more to do.
    Worked,
    /// Nothing can be done before what it lacks is there.
    Waits(L),
    /// Nothing is left to do, for good.
    Finished,
}

/// What the sequencer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SequencerLacks {
    /// A group that comes back from the core.
    Group,
    /// A command, or the time of a tick.
    Command,
    /// Room on disk for the journal.
    Room,
}

/// What the core waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreLacks {
    /// A group of commands.
    Group,
    /// A free buffer for events.
    Buffer,
}

/// What the egress waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EgressLacks {
    /// Events, or that those it holds may leave.
    Release,
    /// Room on disk for the event log.
    Room,
}

/// Says, when it is dropped, that the sequencer is gone: also when it panicked, for the egress must
/// not wait for what never comes.
pub(crate) struct Gone {
    pub(crate) flag: Arc<AtomicBool>,
    pub(crate) bell: Bell,
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.flag.store(true, Ordering::Release);
        self.bell.ring();
    }
}
