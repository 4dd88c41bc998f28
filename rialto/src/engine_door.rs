//! The engine's socket for gateways of other processes. Refuses to know what comes over it.

use crate::{config::Config, traders_ports::bind};
use engine_runtime::pipeline::{Exchange, ExchangeStatus};
use gateway::views::Views;
use protocol::SourceId;
use remote::{EngineServer, EngineSide, ServerOptions};
use services::NumberedPort;
use std::net::SocketAddr;
use std::sync::Arc;
use stream::Published;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The source of the ends of gateways' sessions.
const SESSIONS: SourceId = SourceId(3);

/// A socket that is bound, and what its gateways must know.
pub(crate) struct EngineDoor {
    listener: TcpListener,
    sources: Vec<SourceId>,
    options: ServerOptions,
}

/// A socket that is served.
pub(crate) struct ServedDoor {
    /// Where gateways connect.
    pub(crate) address: SocketAddr,
    server: JoinHandle<()>,
}

impl EngineDoor {
    /// Binds the socket that the configuration names.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        let options = ServerOptions {
            engine_id: config.engine_id,
            secret: config.engine_secret()?,
            grace: config.gateway_grace(),
        };
        Ok(Self {
            listener: bind(config.engine_listen).await?,
            sources: config.sources_of_gateways(),
            options,
        })
    }

    /// Serves an engine that is open until told to stop.
    pub(crate) fn serve(
        self,
        exchange: &Exchange,
        views: Views,
        published: &Published,
        stopping: watch::Receiver<bool>,
    ) -> anyhow::Result<ServedDoor> {
        let address = self.listener.local_addr()?;
        let port = |source: &SourceId| Arc::new(exchange.port(*source)) as Arc<dyn NumberedPort>;
        let status: Arc<ExchangeStatus> = exchange.status();
        let side = EngineSide {
            ports: self.sources.iter().map(port).collect(),
            sessions: Arc::new(exchange.port(SESSIONS)),
            has_session_orders: Box::new(move || views.accounts().have_session_orders()),
            status,
            published: published.sequences(),
        };
        let server = EngineServer::new(self.options, side);
        Ok(ServedDoor { address, server: tokio::spawn(server.run(self.listener, stopping)) })
    }
}

impl ServedDoor {
    /// Waits until all connections have ended, after they were told to.
    pub(crate) async fn ended(self) {
        if let Err(error) = self.server.await {
            tracing::error!(%error, "the engine's socket ended");
        }
    }
}
