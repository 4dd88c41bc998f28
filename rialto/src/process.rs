//! What every process of the exchange begins and ends with: its log, its threads, the signal that ends it, its
//! clock. Refuses to know what runs in between.

use crate::{config::Config, panics};
use anyhow::Context as _;
use protocol::Time;
use std::{
    io::IsTerminal as _,
    pin::Pin,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
};

/// How long threads that wait for something have at the end.
const FAREWELL: Duration = Duration::from_secs(1);

/// Completes at SIGTERM or SIGINT.
pub(crate) type EndSignal = Pin<Box<dyn Future<Output = ()>>>;

/// Begins the log, makes a panic the end of the process, and does `work` on its threads.
pub(crate) fn run<Done>(
    config: &Config,
    work: impl FnOnce(&Runtime) -> anyhow::Result<Done>,
) -> anyhow::Result<Done> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log)
        .with_context(|| format!("`{}` is no log filter", config.log))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    panics::abort_on_panic();
    let runtime = threads()?;
    let done = work(&runtime);
    runtime.shutdown_timeout(FAREWELL);
    done
}

/// The threads of a process, or of a command that waits for a database.
pub(crate) fn threads() -> anyhow::Result<Runtime> {
    Ok(Builder::new_multi_thread().enable_all().build()?)
}

/// From this moment on a signal is an orderly end.
pub(crate) fn end_signal() -> anyhow::Result<EndSignal> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(Box::pin(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }))
}

/// The wall clock.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
