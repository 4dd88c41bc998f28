//! Topics: made as they must be, and refused when somebody made them otherwise.

use crate::{
    exchange::{Publishing, runtime},
    reading::publish,
    shared_broker,
};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
};
use stream::{KafkaOptions, StreamError};

fn admin(options: &KafkaOptions) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", &options.servers).create().expect("an admin client")
}

pub fn made() {
    let options = shared_broker("made");
    let directory = tempfile::tempdir().expect("a temporary directory");
    publish(&options, directory.path(), 500);
    let topic = options.events_topic();
    let described = runtime().block_on(async {
        let admin = admin(&options);
        let resource = [ResourceSpecifier::Topic(&topic)];
        admin.describe_configs(&resource, &AdminOptions::new()).await.expect("an answer").remove(0)
    });
    let described = described.expect("it is there");
    for (key, value) in
        [("retention.ms", "-1"), ("cleanup.policy", "delete"), ("max.message.bytes", "1048576")]
    {
        let found = described.get(key).and_then(|entry| entry.value.clone());
        assert_eq!(found.as_deref(), Some(value), "{key}");
        println!("{topic} {key} = {value}");
    }
}

pub fn refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let ever = ("retention.ms", "-1");
    let wrong = [
        ("parted", 3, vec![ever], "3 partitions"),
        ("short", 1, vec![("retention.ms", "60000")], "retention.ms is 60000"),
        ("compact", 1, vec![ever, ("cleanup.policy", "compact")], "cleanup.policy is compact"),
        ("small", 1, vec![ever, ("max.message.bytes", "1000")], "max.message.bytes is 1000"),
    ];
    for (prefix, partitions, settings, said) in wrong {
        let options = shared_broker(prefix);
        let topic = options.events_topic();
        let new = NewTopic::new(&topic, partitions, TopicReplication::Fixed(1));
        let new = settings.iter().fold(new, |new, (key, value)| new.set(key, value));
        runtime().block_on(async {
            let made = admin(&options).create_topics([&new], &AdminOptions::new()).await.expect("an answer");
            assert!(made.iter().all(Result::is_ok), "{made:?}");
        });
        let error = Publishing::start(&options, directory.path(), None).ended();
        let text = error.to_string();
        assert!(matches!(error, StreamError::Topic { topic: found, .. } if found == topic), "{text}");
        assert!(text.contains(said) && text.contains(&topic), "{text}");
        println!("{text}");
    }
}
