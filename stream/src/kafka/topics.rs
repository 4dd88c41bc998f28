//! The topics: made when they are not there, checked when they are. A topic that would lose or reorder
//! events is refused by name; it is never changed, for it may be somebody else's. Refuses to delete.

use super::{
    context::{Reports, is_final},
    options::KafkaOptions,
};
use crate::StreamError;
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    config::FromClientConfigAndContext as _,
    error::RDKafkaErrorCode,
};
use std::time::{Duration, Instant};
use tokio::{task::spawn_blocking, time::sleep};
use tracing::info;

/// How long one request to the brokers may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks at what was made a moment ago.
const PAUSE: Duration = Duration::from_millis(50);
/// The most a record of ours may have with all around it.
const RECORD_BYTES_MAX: i64 = 1024 * 1024;
/// As many copies as the brokers make by themselves.
const DEFAULT_REPLICATION: i32 = -1;
/// For ever.
const FOR_EVER: i64 = -1;

/// A topic as this exchange needs it.
#[derive(Clone, Debug)]
pub(crate) struct Topic {
    pub name: String,
    /// Partitions when it is made.
    pub partitions: i32,
    /// Whether another number of partitions is refused.
    pub exactly: bool,
    /// Milliseconds its records are kept when it is made.
    pub retention: i64,
}

impl Topic {
    /// The internal log: one order, kept for ever.
    pub(crate) fn events(options: &KafkaOptions) -> Self {
        Self { name: options.events_topic(), partitions: 1, exactly: true, retention: FOR_EVER }
    }

    /// The settings that are checked: what is asked when it is made, and what else will do.
    fn settings(&self) -> [(&'static str, String, Wanted); 3] {
        let retention = if self.exactly { Wanted::Exactly } else { Wanted::Anything };
        [
            ("cleanup.policy", "delete".to_owned(), Wanted::Exactly),
            ("retention.ms", self.retention.to_string(), retention),
            ("max.message.bytes", RECORD_BYTES_MAX.to_string(), Wanted::AtLeast),
        ]
    }
}

#[derive(Clone, Copy, Debug)]
enum Wanted {
    Exactly,
    AtLeast,
    Anything,
}

impl Wanted {
    fn is_met(self, wanted: &str, found: &str) -> bool {
        match self {
            Self::Exactly => found == wanted,
            Self::AtLeast => found.parse::<i64>().ok() >= wanted.parse().ok(),
            Self::Anything => true,
        }
    }
}

/// Makes the topics that are not there, and checks all of them.
///
/// # Errors
/// When the brokers cannot be reached, refuse, or have a topic that will not do.
pub(crate) async fn make(options: &KafkaOptions, topics: &[Topic]) -> Result<(), StreamError> {
    let reports = Reports::default();
    let failed = |source| reports.explain("making the topics", source);
    let admin: AdminClient<Reports> =
        AdminClient::from_config_and_context(&options.client()?, reports.clone()).map_err(failed)?;
    let requests = AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE));
    let settings: Vec<_> = topics.iter().map(Topic::settings).collect();
    let new: Vec<NewTopic<'_>> = topics
        .iter()
        .zip(&settings)
        .map(|(topic, settings)| {
            let replication = TopicReplication::Fixed(DEFAULT_REPLICATION);
            let new = NewTopic::new(&topic.name, topic.partitions, replication);
            settings.iter().fold(new, |new, (key, value, _)| new.set(key, value))
        })
        .collect();
    for made in admin.create_topics(&new, &requests).await.map_err(failed)? {
        match made {
            Ok(topic) => info!(topic, "made the topic"),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) if is_final(code) => {
                return Err(StreamError::Denied {
                    doing: format!("making topic {topic}"),
                    reason: code.to_string(),
                });
            }
            Err((topic, code)) => {
                return Err(StreamError::Topic { topic, what: format!("it cannot be made: {code}") });
            }
        }
    }
    // A topic that was made a moment ago may not be known everywhere yet.
    let deadline = Instant::now() + PATIENCE;
    loop {
        let checked = check_settings(&admin, &requests, topics, &settings).await;
        match checked {
            Ok(()) => break,
            Err(Wrong::NotYet(_)) if Instant::now() < deadline => sleep(PAUSE).await,
            Err(Wrong::Asking(source)) => return Err(failed(source)),
            Err(Wrong::Topic(topic, what)) => return Err(StreamError::Topic { topic, what }),
            Err(Wrong::NotYet(topic)) => return Err(not_yet(topic)),
        }
    }
    check_partitions(admin, topics.to_vec(), reports.clone(), deadline).await
}

fn not_yet(topic: String) -> StreamError {
    StreamError::Topic { topic, what: "the brokers made it and do not know it".to_owned() }
}

enum Wrong {
    Asking(rdkafka::error::KafkaError),
    Topic(String, String),
    NotYet(String),
}

async fn check_settings(
    admin: &AdminClient<Reports>,
    requests: &AdminOptions,
    topics: &[Topic],
    settings: &[[(&'static str, String, Wanted); 3]],
) -> Result<(), Wrong> {
    let resources: Vec<_> = topics.iter().map(|topic| ResourceSpecifier::Topic(&topic.name)).collect();
    let described = admin.describe_configs(&resources, requests).await.map_err(Wrong::Asking)?;
    for ((topic, settings), described) in topics.iter().zip(settings).zip(described) {
        let wrong = |what| Err(Wrong::Topic(topic.name.clone(), what));
        let described = match described {
            Ok(described) => described,
            Err(RDKafkaErrorCode::UnknownTopicOrPartition) => return Err(Wrong::NotYet(topic.name.clone())),
            Err(code) => return wrong(format!("its settings cannot be read: {code}")),
        };
        for (key, value, wanted) in settings {
            let found = described.get(key).and_then(|entry| entry.value.as_deref());
            let Some(found) = found else { return Err(Wrong::NotYet(topic.name.clone())) };
            if !wanted.is_met(value, found) {
                return wrong(format!("its {key} is {found}, and must be {value}"));
            }
        }
    }
    Ok(())
}

async fn check_partitions(
    admin: AdminClient<Reports>,
    topics: Vec<Topic>,
    reports: Reports,
    deadline: Instant,
) -> Result<(), StreamError> {
    let partitions = move |name: &str| loop {
        let metadata = admin
            .inner()
            .fetch_metadata(Some(name), PATIENCE)
            .map_err(|source| reports.explain("asking for the topics' partitions", source))?;
        let found = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
        if found > 0 {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            return Err(not_yet(name.to_owned()));
        }
        std::thread::sleep(PAUSE);
    };
    let check = move || {
        for topic in topics {
            let found = partitions(&topic.name)?;
            if topic.exactly && found != topic.partitions as usize {
                let what = format!(
                    "it has {found} partitions, and must have {}: an engine's events have one order",
                    topic.partitions
                );
                return Err(StreamError::Topic { topic: topic.name, what });
            }
        }
        Ok(())
    };
    spawn_blocking(check).await.map_err(|error| StreamError::Ended(error.to_string()))?
}
