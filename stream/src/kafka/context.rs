//! What librdkafka says outside an answer: its log, and errors of the connection, the last of which
//! tells why something else failed. Refuses to decide what is done about it.

use crate::StreamError;
use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    consumer::ConsumerContext,
    error::{KafkaError, RDKafkaErrorCode},
};
use std::sync::{Arc, Mutex, PoisonError};
use tracing::{debug, warn};

/// Errors of a connection, shared with the client they are of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reports {
    last: Arc<Mutex<Option<(RDKafkaErrorCode, String)>>>,
}

impl Reports {
    /// The last error of the connection, in librdkafka's words.
    pub(crate) fn last(&self) -> Option<(RDKafkaErrorCode, String)> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An error of `doing`, with what the connection said last: that is mostly the reason.
    pub(crate) fn explain(&self, doing: &str, source: KafkaError) -> StreamError {
        let doing = doing.to_owned();
        match self.last() {
            Some((code, reason)) if is_final(code) => StreamError::Denied { doing, reason },
            last => StreamError::Broker {
                doing,
                reason: last.map_or_else(|| source.to_string(), |(_, reason)| reason),
                source: Box::new(source),
            },
        }
    }
}

impl ClientContext for Reports {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        debug!(target: "librdkafka", "{facility}: {message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // "All brokers are down" follows each error of the only broker, and says less.
        if code == RDKafkaErrorCode::AllBrokersDown && last.is_some() {
            return;
        }
        if last.as_ref().is_none_or(|(before, _)| *before != code) {
            warn!(%error, reason, "the connection to Kafka");
        }
        *last = Some((code, reason.to_owned()));
    }
}

impl ConsumerContext for Reports {}

/// Whether trying again cannot help: somebody must change the configuration, here or there.
pub(crate) fn is_final(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::SSL
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::UnsupportedSASLMechanism
    )
}
