//! The traders' ports: one, with TLS when there is a certificate; and one without beside it, if wanted.
//! Refuses to know what is served on them.

use crate::{
    config::Config,
    tls::{Certificate, TlsListener},
};
use anyhow::Context as _;
use axum::Router;
use axum::serve::{Listener, ListenerExt as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Binds a port.
pub(crate) async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// Ports that are bound, and a certificate that was read.
pub(crate) struct TradersPorts {
    listener: TcpListener,
    plain: Option<TcpListener>,
    certificate: Option<Arc<Certificate>>,
}

/// Ports that are served.
pub(crate) struct ServedPorts {
    /// Where traders connect.
    pub(crate) address: SocketAddr,
    /// Where whoever speaks no TLS connects, from this machine.
    pub(crate) plain: SocketAddr,
    servers: JoinSet<std::io::Result<()>>,
    /// Ends when it is dropped.
    _renewal: JoinSet<std::io::Result<()>>,
}

impl TradersPorts {
    /// Binds the ports that the configuration names, and reads its certificate.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        let listener = bind(config.listen).await?;
        let plain = match config.plain_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let certificate = config.certificate_files()?.map(Certificate::open).transpose()?;
        Ok(Self { listener, plain, certificate })
    }

    /// Serves `router` on them until told to stop. With `plain_wanted` there is a port without TLS in any
    /// case, on loopback and of any number if none is configured.
    pub(crate) async fn serve(
        self,
        router: Router,
        stopping: watch::Receiver<bool>,
        plain_wanted: bool,
    ) -> anyhow::Result<ServedPorts> {
        let address = self.listener.local_addr()?;
        let (mut servers, mut renewal) = (JoinSet::new(), JoinSet::new());
        let mut plain_address = address;
        match self.certificate {
            None => drop(servers.spawn(serve_plain(self.listener, router, stopping))),
            Some(certificate) => {
                let secured = TlsListener::new(self.listener, certificate.acceptor()?)?;
                servers.spawn(serve_on(secured, |_| (), router.clone(), stopping.clone()));
                renewal.spawn(certificate.keep_up());
                let plain = match self.plain {
                    None if plain_wanted => Some(bind((Ipv4Addr::LOCALHOST, 0).into()).await?),
                    plain => plain,
                };
                if let Some(plain) = plain {
                    plain_address = plain.local_addr()?;
                    tracing::info!(address = %plain_address, "also listens without TLS");
                    servers.spawn(serve_plain(plain, router, stopping));
                }
            }
        }
        Ok(ServedPorts { address, plain: plain_address, servers, _renewal: renewal })
    }
}

impl ServedPorts {
    /// Waits until all connections have ended, after they were told to.
    pub(crate) async fn ended(self) {
        self.servers.join_all().await;
    }
}

/// Serves connections without TLS: each answer is sent at once. Otherwise a client that sends many
/// requests before it reads waits 40 ms for the answers after the first, until its side confirms that.
pub(crate) async fn serve_plain(
    listener: TcpListener,
    router: Router,
    stopping: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let at_once = |stream: &mut TcpStream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "answers to a connection may be held back");
        }
    };
    serve_on(listener, at_once, router, stopping).await
}

/// Serves until told to stop, and then until its connections have ended. `prepare` sees each connection.
async fn serve_on<L: Listener<Addr = SocketAddr>>(
    listener: L,
    prepare: impl FnMut(&mut L::Io) + Send + 'static,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let stop = async move {
        // An error says that the sender is gone, and with it everything else.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    };
    // With a tap any listener's address is passed on.
    axum::serve(listener.tap_io(prepare), service).with_graceful_shutdown(stop).await
}
