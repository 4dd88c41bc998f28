//! How fast a client sends control frames. The rule is 5 a second (dialect §8); a client may burst
//! far above it for a while, as some do when they subscribe to everything at once. Refuses to know a
//! clock.

use protocol::Time;

/// Frames a client may send in [`WINDOW`].
const FRAMES_MAX: u32 = 300;
/// In nanoseconds: 10 s.
const WINDOW: u64 = 10_000_000_000;

/// Frames in the present window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MessageRate {
    window: u64,
    frames: u32,
}

impl MessageRate {
    /// Counts a frame; whether it is still bearable.
    pub(super) fn allows(&mut self, now: Time) -> bool {
        let window = now.0 / WINDOW;
        if self.window != window {
            *self = Self { window, frames: 0 };
        }
        self.frames += 1;
        self.frames <= FRAMES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_gross_abuse_is_refused() {
        let mut rate = MessageRate::default();
        assert!((0..FRAMES_MAX).all(|_| rate.allows(Time(1))));
        assert!(!rate.allows(Time(2)));
        assert!(rate.allows(Time(WINDOW)), "the next window is a new one");
    }
}
