//! Tells a stream's readers that there is more, so that they need not look. Refuses to know what.

use protocol::{
    Sequence,
    event::{ChunkHeader, EventChunk},
};
use services::EventConsumer;
use tokio::sync::watch;

/// How far the event log goes, as its engine says. Cloning gives another reader the same.
#[derive(Clone, Debug)]
pub struct Published(watch::Receiver<Sequence>);

impl Published {
    /// What another process tells of an engine's event log: sequences that are in it.
    pub fn told_by(sequences: watch::Receiver<Sequence>) -> Self {
        Self(sequences)
    }

    /// The same for whoever tells it further.
    pub fn sequences(&self) -> watch::Receiver<Sequence> {
        self.0.clone()
    }

    /// The newest sequence that was told; 0 before the first.
    pub(crate) fn newest(&self) -> Sequence {
        *self.0.borrow()
    }

    /// Takes note of what was told until now: [`Self::changed`] waits for more.
    pub(crate) fn note(&mut self) {
        self.0.mark_unchanged();
    }

    /// Waits until more is told; for ever when the engine has ended.
    pub(crate) async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// A consumer that tells, after it has consumed, how far the event log goes: the egress writes the log
/// first. In all else it is `consumer`.
pub fn tell(consumer: Box<dyn EventConsumer>) -> (Box<dyn EventConsumer>, Published) {
    let (sender, receiver) = watch::channel(Sequence(0));
    (Box::new(Telling { consumer, sender }), Published(receiver))
}

struct Telling {
    consumer: Box<dyn EventConsumer>,
    sender: watch::Sender<Sequence>,
}

impl EventConsumer for Telling {
    fn consume(&mut self, chunks: &[u8]) {
        self.consumer.consume(chunks);
        if let Some(last) = last_sequence(chunks) {
            self.sender.send_replace(last);
        }
    }

    fn position(&self) -> Sequence {
        self.consumer.position()
    }

    fn save(&self) -> Option<Vec<u8>> {
        self.consumer.save()
    }

    fn live(&mut self) {
        self.consumer.live();
    }
}

/// The sequence of the last chunk.
fn last_sequence(chunks: &[u8]) -> Option<Sequence> {
    let headers = EventChunk::all(chunks).map_while(Result::ok);
    headers.map(|chunk| chunk.header).last().map(|header: ChunkHeader| header.sequence)
}
