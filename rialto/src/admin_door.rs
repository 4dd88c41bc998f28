//! Administration's port from the first moment on: health alone until the exchange has been read back,
//! then all of it. Refuses to know what is asked.

use axum::{Router, extract::Request, response::IntoResponse};
use gateway::admin;
use services::EngineStatus;
use std::sync::{Arc, OnceLock};
use tower::ServiceExt as _;

/// The way to open the door wholly.
#[derive(Clone, Debug, Default)]
pub(crate) struct AdminDoor(Arc<OnceLock<Router>>);

impl AdminDoor {
    /// What the port serves: health of `engine`, and whatever [`Self::open`] is given.
    pub(crate) fn router(&self, engine: Arc<dyn EngineStatus>) -> Router {
        let whole = Arc::clone(&self.0);
        let early = admin::early_router(engine);
        Router::new().fallback(async move |request: Request| {
            let router = whole.get().unwrap_or(&early).clone();
            router.oneshot(request).await.into_response()
        })
    }

    /// From here on `whole` answers.
    pub(crate) fn open(&self, whole: Router) {
        // It is opened once.
        let _ = self.0.set(whole);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::readiness::Readiness;
    use axum::body::Body;
    use engine_runtime::pipeline::{Exchange, Options};
    use http_body_util::BodyExt as _;
    use protocol::{SourceId, command::Command};
    use serde_json::{Value, json};
    use services::{CommandPort as _, EventConsumer};
    use std::sync::mpsc;

    /// Says when recovery has come to it, and lets it go on when told to.
    struct Gate {
        reached: mpsc::Sender<()>,
        go_on: mpsc::Receiver<()>,
        is_live: bool,
    }

    impl EventConsumer for Gate {
        fn consume(&mut self, _: &[u8]) {
            if !self.is_live {
                self.reached.send(()).unwrap();
                // An error says that the test is over.
                let _ = self.go_on.recv();
            }
        }

        fn live(&mut self) {
            self.is_live = true;
        }
    }

    async fn get(router: &Router, path: &str) -> (u16, Value) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn while_it_recovers_it_is_alive_and_not_ready_and_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let options = || Options { reserve_bytes: 0, ..Options::default() };
        let exchange = Exchange::open_directory(directory.path(), options(), Vec::new()).unwrap();
        let port = exchange.port(SourceId(1));
        let pending: Vec<_> = (0..100).map(|_| port.submit(&Command::Tick, 0).unwrap()).collect();
        for answer in pending {
            answer.await.unwrap();
        }
        drop(exchange);

        let options = options();
        let readiness =
            Arc::new(Readiness::new(Arc::<engine_runtime::pipeline::ExchangeStatus>::clone(&options.status)));
        let door = AdminDoor::default();
        let router = door.router(Arc::<Readiness>::clone(&readiness));
        let (reached, recovering) = mpsc::channel();
        let (go_on, gate) = mpsc::channel();
        let gate = Gate { reached, go_on: gate, is_live: false };
        let path = directory.path().to_owned();
        let opening =
            std::thread::spawn(move || Exchange::open_directory(&path, options, vec![Box::new(gate)]));
        recovering.recv().unwrap();
        let (status, body) = get(&router, "/readyz").await;
        assert_eq!((status, &body["status"], &body["recovering"]), (503, &json!("RECOVERING"), &json!(true)));
        assert!(body["total_commands"].as_u64().unwrap() > 0, "{body}");
        assert_eq!(get(&router, "/healthz").await.0, 200);
        let (status, body) = get(&router, "/admin/accounts").await;
        assert!(status == 503 && body["error"].as_str().unwrap().contains("RECOVERING"), "{body}");

        drop(go_on);
        let exchange = opening.join().unwrap().unwrap();
        assert_eq!(exchange.recovered().0, 100);
        assert_eq!(get(&router, "/readyz").await.0, 503, "the traders' port is to come");
        readiness.open();
        let (status, body) = get(&router, "/readyz").await;
        assert_eq!((status, &body["status"], &body["sequence"]), (200, &json!("OPEN"), &json!(100)));
        door.open(Router::new());
        assert_eq!(
            router.oneshot(Request::get("/readyz").body(Body::empty()).unwrap()).await.unwrap().status(),
            404
        );
    }
}
