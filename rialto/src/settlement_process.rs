//! `rialto settlement run`: the books of record in a process of their own, with health and metrics.
//! Refuses to know what is written.

use crate::{
    config::Config,
    event_source::EventSource,
    serve::{begin_process, end_signal},
    settlement_health::{self, SettlementHealth},
    traders_ports::{bind, serve_plain},
};
use database::TableGroup;
use protocol::Sequence;
use settlement::{Options, Status};
use std::sync::Arc;
use std::time::Duration;
use stream::{EventStream, StreamError};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// Between two attempts to open a stream that is not there yet.
const RETRY: Duration = Duration::from_millis(500);
/// How long what is being written may take at the end.
const END_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs until a signal ends it, or the books may not go on.
pub(crate) fn start(config: &Config) -> anyhow::Result<()> {
    let runtime = begin_process(config)?;
    let served = runtime.block_on(serve(config));
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    // From the first moment on a signal is an orderly end.
    let ended = end_signal()?;
    let source = EventSource::of(config)?;
    let location = config.database(TableGroup::Settlement)?;
    let listener = bind(config.admin_listen).await?;
    let (status, seen) = watch::channel(Status::default());
    let (stop, stopping) = watch::channel(false);
    tracing::info!(address = %listener.local_addr()?, books = %location, "health and metrics listen");
    let router = settlement_health::router(Arc::new(SettlementHealth(seen)));
    let server = tokio::spawn(serve_plain(listener, router, stopping.clone()));

    let open = async move |position| opened(&source, position).await;
    let mut running = tokio::spawn(settlement::run(Options { location }, open, stopping, status));
    let result = tokio::select! {
        () = ended => {
            tracing::info!("stopping");
            stop.send_replace(true);
            timeout(END_TIMEOUT, running).await??
        }
        result = &mut running => result?,
    };
    server.abort();
    result?;
    tracing::info!("stopped");
    Ok(())
}

/// The stream after `position`, however long it takes to be there.
async fn opened(source: &EventSource, position: Sequence) -> Result<EventStream, StreamError> {
    let mut told = None;
    loop {
        let error = match source.open(position, None).await {
            Err(error) if error.may_pass() || matches!(error, StreamError::Log(_)) => error.to_string(),
            settled => return settled,
        };
        if told.as_ref() != Some(&error) {
            tracing::warn!(error, position = position.0, "no event stream; trying again");
            told = Some(error);
        }
        sleep(RETRY).await;
    }
}
