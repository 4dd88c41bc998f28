//! `rialto settlement`: the books of record in a process of their own, with health and metrics.
//! Refuses to know what is written.

use crate::{
    books_upkeep::BooksUpkeep,
    config::Config,
    event_source::{EventSource, StreamOpener},
    process,
    settlement_health::{self, SettlementHealth},
    traders_ports::{bind, serve_plain},
};
use database::TableGroup;
use services::MetricSource;
use settlement::{BooksMetrics, Options, Status};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long what is being written may take at the end.
const END_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs until a signal ends it, or the books may not go on.
pub(crate) fn start(config: &Config) -> anyhow::Result<()> {
    process::run(config, |threads| threads.block_on(serve(config)))
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let ended = process::end_signal()?;
    let mut opener = StreamOpener::new(EventSource::of(config)?, None);
    let location = config.database(TableGroup::Settlement)?;
    let listener = bind(config.admin_listen).await?;
    let (status, seen) = watch::channel(Status::default());
    let (stop, stopping) = watch::channel(false);
    tracing::info!(address = %listener.local_addr()?, books = %location, "health and metrics listen");
    let upkeep = BooksUpkeep::default();
    let kept = upkeep.start(config, seen.clone(), config.event_log.as_deref())?;
    let metrics: Vec<Arc<dyn MetricSource>> =
        vec![Arc::new(BooksMetrics::new(seen.clone())), Arc::new(upkeep)];
    let router = settlement_health::router(Arc::new(SettlementHealth { status: seen, metrics }));
    let server = tokio::spawn(serve_plain(listener, router, stopping.clone()));

    let open = async move |position| opener.open(position).await;
    let mut running = tokio::spawn(settlement::run(Options { location }, open, stopping, status));
    let result = tokio::select! {
        () = ended => {
            tracing::info!("stopping");
            stop.send_replace(true);
            timeout(END_TIMEOUT, running).await??
        }
        result = &mut running => result?,
    };
    kept.abort();
    server.abort();
    result?;
    tracing::info!("stopped");
    Ok(())
}
