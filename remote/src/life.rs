//! Which life of a gateway may speak for a source, and when the sessions of one before it end. Pure.
//! Refuses to know sockets, clocks and how a session is ended.

use crate::handshake::{Goodbye, GoodbyeReason, Hello};

/// The life that speaks for a source, as far as this run of the engine knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Speaker(Option<u64>);

/// What a hello means for the sessions of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sessions {
    /// The same life goes on, and its sessions with it.
    GoOn,
    /// A new life: those of every life before it have ended.
    End,
}

impl Speaker {
    /// Lets the life of this hello speak from now on, or says why it may not.
    pub(crate) fn admit(&mut self, hello: &Hello) -> Result<Sessions, Goodbye> {
        match self.0 {
            Some(life) if life == hello.life => Ok(Sessions::GoOn),
            // It connected before a later life did: two processes are configured as one source.
            Some(_) if !hello.is_first() => Err(Goodbye::new(
                GoodbyeReason::Replaced,
                format!(
                    "another gateway speaks for source {} now: give each gateway a source of its own, or stop one",
                    hello.source
                ),
            )),
            // It connected to an earlier run of the engine, which knew it.
            None if !hello.is_first() => {
                self.0 = Some(hello.life);
                Ok(Sessions::GoOn)
            }
            _ => {
                self.0 = Some(hello.life);
                Ok(Sessions::End)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::SourceId;

    #[test]
    fn a_new_life_ends_the_sessions_of_those_before_and_takes_their_place() {
        let hello = |life, first| Hello::new(SourceId(16), life, first, [0; 32]);
        let mut speaker = Speaker::default();
        for (life, first, expected) in [
            (1, true, Ok(Sessions::End)),
            (1, false, Ok(Sessions::GoOn)),
            // Its first welcome did not reach it.
            (1, true, Ok(Sessions::GoOn)),
            (2, true, Ok(Sessions::End)),
            (1, false, Err(GoodbyeReason::Replaced)),
            (2, false, Ok(Sessions::GoOn)),
        ] {
            let admitted = speaker.admit(&hello(life, first)).map_err(|goodbye| goodbye.reason);
            assert_eq!(admitted, expected, "life {life}, first {first}");
        }
    }

    #[test]
    fn a_life_that_an_earlier_run_of_the_engine_knew_goes_on() {
        let mut speaker = Speaker::default();
        assert_eq!(speaker.admit(&Hello::new(SourceId(16), 7, false, [0; 32])), Ok(Sessions::GoOn));
        let other = Hello::new(SourceId(16), 8, false, [0; 32]);
        assert_eq!(speaker.admit(&other).map_err(|goodbye| goodbye.reason), Err(GoodbyeReason::Replaced));
    }
}
