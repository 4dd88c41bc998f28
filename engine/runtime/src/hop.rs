//! One thread hands values to one other, in order: groups of commands, buffers of events, and the
//! empty buffers back. Refuses to wait, and to know what it carries.

use crate::wait::Bell;

/// Makes a hop that holds at most `capacity` values; the sender rings `bell`, the receiver's, after
/// each, and when it is dropped.
pub fn hop<T>(capacity: usize, bell: Bell) -> (HopSender<T>, HopReceiver<T>) {
    let (values, received) = rtrb::RingBuffer::new(capacity);
    (HopSender { values: Some(values), bell }, HopReceiver { values: received })
}

/// The sending end.
pub struct HopSender<T> {
    /// `None` only while it is being dropped.
    values: Option<rtrb::Producer<T>>,
    bell: Bell,
}

impl<T> HopSender<T> {
    /// Hands `value` over, or gives it back when the hop is full.
    pub fn send(&mut self, value: T) -> Result<(), T> {
        match &mut self.values {
            Some(values) => values.push(value).map_err(|rtrb::PushError::Full(value)| value)?,
            None => return Err(value),
        }
        self.bell.ring();
        Ok(())
    }

    /// Whether there is no room for another value.
    pub fn is_full(&self) -> bool {
        self.values.as_ref().is_none_or(rtrb::Producer::is_full)
    }

    /// Whether the receiver is gone.
    pub fn is_abandoned(&self) -> bool {
        self.values.as_ref().is_none_or(rtrb::Producer::is_abandoned)
    }
}

impl<T> Drop for HopSender<T> {
    fn drop(&mut self) {
        // First gone, then the bell: a receiver that wakes sees that nothing more comes.
        self.values = None;
        self.bell.ring();
    }
}

/// The receiving end.
pub struct HopReceiver<T> {
    values: rtrb::Consumer<T>,
}

impl<T> HopReceiver<T> {
    /// The next value, if one is there.
    pub fn receive(&mut self) -> Option<T> {
        self.values.pop().ok()
    }

    /// Whether a value is there: what the receiving thread waits for, with [`Self::is_finished`].
    pub fn has_value(&self) -> bool {
        !self.values.is_empty()
    }

    /// Whether the sender is gone and every value has been received.
    pub fn is_finished(&self) -> bool {
        // In this order: what the sender sent before it went is then seen.
        self.values.is_abandoned() && self.values.is_empty()
    }
}
