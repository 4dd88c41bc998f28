//! TLS for the traders' port: the handshakes, and the certificate, which is read again when its files
//! change, without a restart and without touching connections that stand. Refuses to know HTTP.

use anyhow::{Context as _, bail};
use arc_swap::ArcSwap;
use axum::serve::Listener;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// How long a client has for its handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Handshakes under way at once; more connections wait to be taken.
const HANDSHAKES_MAX: usize = 1_024;
/// After a connection could not be taken (no file descriptors, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Between two looks at the files.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Where the certificate is: PEM files, the chain with the server's own first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// What tells that a file has changed.
type Stamp = (SystemTime, u64);

impl CertificateFiles {
    fn load(&self) -> anyhow::Result<CertifiedKey> {
        let read = |path: &Path| format!("cannot read {}", path.display());
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .with_context(|| read(&self.certificate))?;
        if chain.is_empty() {
            bail!("{} has no certificate (BEGIN CERTIFICATE)", self.certificate.display());
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).with_context(|| read(&self.key))?;
        let certified = CertifiedKey::from_der(chain, key, &ring::default_provider());
        let files = || format!("{} and {}", self.certificate.display(), self.key.display());
        certified.with_context(|| format!("{} do not belong together or cannot be used", files()))
    }

    fn stamps(&self) -> io::Result<[Stamp; 2]> {
        let stamp = |path: &Path| {
            let file = fs::metadata(path)?;
            Ok::<Stamp, io::Error>((file.modified()?, file.len()))
        };
        Ok([stamp(&self.certificate)?, stamp(&self.key)?])
    }
}

/// The certificate in use.
#[derive(Debug)]
pub(crate) struct Certificate {
    files: CertificateFiles,
    current: ArcSwap<CertifiedKey>,
}

impl Certificate {
    /// Reads the files.
    pub(crate) fn open(files: CertificateFiles) -> anyhow::Result<Arc<Self>> {
        let current = ArcSwap::from_pointee(files.load()?);
        Ok(Arc::new(Self { files, current }))
    }

    /// Reads the files again when they have changed or a SIGHUP says so, for ever. What cannot be used
    /// is told in the log, and the certificate stays as it was.
    pub(crate) async fn keep_up(self: Arc<Self>) -> io::Result<()> {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Not what was loaded: the files may have changed since. Then they are read once too often.
        let mut seen = None;
        loop {
            let asked = tokio::select! {
                _ = hangup.recv() => true,
                _ = looks.tick() => false,
            };
            // Files that are gone for a moment, as while they are replaced, are looked at again.
            let stamps = self.files.stamps().ok();
            if !asked && (stamps.is_none() || stamps == seen) {
                continue;
            }
            seen = stamps;
            self.reload();
        }
    }

    fn reload(&self) {
        match self.files.load() {
            Ok(key) if key.cert == self.current.load().cert => {}
            Ok(key) => {
                self.current.store(Arc::new(key));
                tracing::info!(certificate = %self.files.certificate.display(), "the certificate was renewed");
            }
            Err(error) => {
                tracing::error!(error = %format!("{error:#}"), "the certificate stays as it was");
            }
        }
    }

    /// What handshakes are done with.
    pub(crate) fn acceptor(self: &Arc<Self>) -> anyhow::Result<TlsAcceptor> {
        let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Self>::clone(self));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

type Shaken = (TlsStream<TcpStream>, SocketAddr);

/// A port whose connections come with their handshakes done: a slow one holds up nobody.
#[derive(Debug)]
pub(crate) struct TlsListener {
    address: SocketAddr,
    shaken: mpsc::Receiver<Shaken>,
}

impl TlsListener {
    /// Takes connections from now on, until it is dropped.
    pub(crate) fn new(listener: TcpListener, acceptor: TlsAcceptor) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, shaken) = mpsc::channel(HANDSHAKES_MAX);
        tokio::spawn(take(listener, acceptor, sender));
        Ok(Self { address, shaken })
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Shaken {
        match self.shaken.recv().await {
            Some(connection) => connection,
            // The task that takes connections ends after this listener only.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn take(listener: TcpListener, acceptor: TlsAcceptor, shaken: mpsc::Sender<Shaken>) {
    loop {
        // A place for each handshake: with none left, connections wait in the system's queue.
        let Ok(place) = shaken.clone().reserve_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shaken.closed() => return,
        };
        match accepted {
            Ok((stream, address)) => {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "a connection was gone at once");
                    }
                    match timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
                        Ok(Ok(stream)) => drop(place.send((stream, address))),
                        Ok(Err(error)) => tracing::debug!(%address, %error, "no handshake"),
                        Err(_) => tracing::debug!(%address, "a handshake took too long"),
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
