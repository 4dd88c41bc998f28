//! One connection's session: who logged on, what it is subscribed to, and the methods that change
//! either (dialect §9). Refuses to know sockets.

use super::{
    frame,
    requests::{self, Peer, admit, call_of, report, signed},
    subscriptions::{SUBSCRIPTIONS_MAX, Subscriptions},
};
use crate::{
    Gateway,
    calls::Json,
    dialect::{DialectError, Parameters, authentication},
    session_orders::SessionOrders,
    views::TimeUnit,
};
use accounts::{ApiKey, ApiKeyId, Scopes};
use axum::extract::ws::Utf8Bytes;
use futures_util::future::BoxFuture;
use protocol::Time;
use serde_json::{Value, json};
use std::net::IpAddr;

/// What a session's method weighs.
const WEIGHT: u32 = 2;

/// What the URL said of the whole connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// The unit of times.
    pub(super) unit: TimeUnit,
    /// Whether answers say what was used, unless a request says otherwise.
    pub(super) return_rate_limits: bool,
}

/// What a frame leads to.
pub(super) enum Next {
    /// Frames to send now, the answer first.
    Answer(Vec<String>),
    /// A call that answers when it is done.
    Call(BoxFuture<'static, String>),
}

/// The methods that change or show the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    LogOn,
    LogOut,
    Status,
    Subscriptions,
    Subscribe,
    SubscribeSigned,
    Unsubscribe,
}

const METHODS: &[(&str, Method)] = &[
    ("session.logon", Method::LogOn),
    ("session.logout", Method::LogOut),
    ("session.status", Method::Status),
    ("session.subscriptions", Method::Subscriptions),
    ("userDataStream.subscribe", Method::Subscribe),
    ("userDataStream.subscribe.signature", Method::SubscribeSigned),
    ("userDataStream.unsubscribe", Method::Unsubscribe),
];

/// A connection's session.
pub(super) struct Session {
    gateway: Gateway,
    address: IpAddr,
    options: Options,
    connected_at: Time,
    /// The key that logged on, and when.
    logged_on: Option<(ApiKeyId, Time)>,
    /// Its orders, if they are to end with the session.
    orders: Option<SessionOrders>,
    subscriptions: Subscriptions,
}

impl Session {
    pub(super) fn new(gateway: Gateway, address: IpAddr, options: Options) -> Self {
        let connected_at = gateway.now();
        Self {
            gateway,
            address,
            options,
            connected_at,
            logged_on: None,
            orders: None,
            subscriptions: Subscriptions::default(),
        }
    }

    /// The next event of any subscription; `None` when one was not read fast enough. Cancel-safe.
    pub(super) async fn next_event(&mut self) -> Option<String> {
        self.subscriptions.next().await
    }

    /// Takes a frame.
    pub(super) fn take(&mut self, text: Utf8Bytes) -> Next {
        let (id, error) = match frame::parse(&text) {
            Err(refused) => refused,
            Ok(frame) => {
                if let Some(call) = call_of(&frame.method) {
                    let answer = requests::answer(call, self.gateway.clone(), self.peer(), text);
                    return Next::Call(Box::pin(answer));
                }
                match METHODS.iter().find(|(name, _)| *name == frame.method) {
                    Some((_, method)) => return Next::Answer(self.answer(*method, &frame)),
                    None => (frame.id, DialectError::not_supported()),
                }
            }
        };
        // What cannot be read weighs something too.
        let error = match admit(&self.gateway, self.peer(), 1, self.gateway.now()) {
            Ok(_) => error,
            Err((_, too_much)) => too_much,
        };
        Next::Answer(vec![frame::answer(id, &Err(error), None)])
    }

    /// Ends the subscriptions of keys that have been disabled or may no longer read, and tells of it.
    pub(super) fn end_refused_subscriptions(&mut self) -> Vec<String> {
        let (gateway, address) = (&self.gateway, self.address);
        let refused = |key: &ApiKeyId| {
            authentication::key(&gateway.keys, Some(key.as_str()), Scopes::READ, address).is_err()
        };
        let ended = self.subscriptions.remove(|open| refused(&open.key));
        self.terminated(&ended)
    }

    /// Ends every subscription, and tells of it.
    pub(super) fn end_all_subscriptions(&mut self) -> Vec<String> {
        let ended = self.subscriptions.remove(|_| true);
        self.terminated(&ended)
    }

    fn peer(&self) -> Peer {
        Peer {
            address: self.address,
            options: self.options,
            session_key: self.logged_on.map(|(key, _)| key),
            session: self.orders.as_ref().map(SessionOrders::number),
        }
    }

    /// The answer, then what tells of subscriptions that it ended.
    fn answer(&mut self, method: Method, frame: &frame::Frame<'_>) -> Vec<String> {
        let now = self.gateway.now();
        let parameters = match frame.params.map_or_else(|| Ok(Parameters::default()), Parameters::from_json) {
            Ok(parameters) => parameters,
            Err(error) => return vec![frame::answer(frame.id, &Err(error), None)],
        };
        let mut ended = Vec::new();
        let (used, result) = match admit(&self.gateway, self.peer(), WEIGHT, now) {
            Ok(used) => (used, self.change(method, &parameters, now, &mut ended)),
            Err((used, error)) => (used, Err(error)),
        };
        let result = result.map(|value| Json::of(&value));
        let limits = report(&self.gateway, self.peer(), &parameters, used, result.is_err(), None, now);
        let mut frames = vec![frame::answer(frame.id, &result, limits.as_deref())];
        frames.extend(self.terminated(&ended));
        frames
    }

    fn change(
        &mut self,
        method: Method,
        parameters: &Parameters<'_>,
        now: Time,
        ended: &mut Vec<u64>,
    ) -> Result<Value, DialectError> {
        match method {
            Method::LogOn => {
                let signed = signed(&self.gateway, self.address, Scopes::NONE, parameters, now)?;
                let ends_orders = parameters.boolean("cancelOnDisconnect", false)?;
                self.logged_on = Some((signed.key.id, now));
                // A session before this one ends here.
                self.orders = ends_orders.then(|| SessionOrders::open(&self.gateway));
                Ok(self.status(now))
            }
            Method::LogOut => {
                self.logged_on = None;
                self.orders = None;
                *ended = self.subscriptions.remove(|open| open.by_session);
                Ok(self.status(now))
            }
            Method::Status => Ok(self.status(now)),
            Method::Subscriptions => {
                let ids = self.subscriptions.open().iter();
                Ok(ids.map(|open| json!({"subscriptionId": open.id})).collect())
            }
            Method::Subscribe => {
                let (id, _) = self.logged_on.ok_or_else(DialectError::unauthorized)?;
                let keys = &self.gateway.keys;
                let key = authentication::key(keys, Some(id.as_str()), Scopes::READ, self.address)?;
                self.subscribe(&key, true)
            }
            Method::SubscribeSigned => {
                let signed = signed(&self.gateway, self.address, Scopes::READ, parameters, now)?;
                self.subscribe(&signed.key, false)
            }
            Method::Unsubscribe => {
                *ended = match parameters.integer("subscriptionId")? {
                    Some(id) => self.subscriptions.remove(|open| open.id == id),
                    None => self.subscriptions.remove(|_| true),
                };
                if ended.is_empty() { Err(DialectError::no_subscription()) } else { Ok(json!({})) }
            }
        }
    }

    fn subscribe(&mut self, key: &ApiKey, by_session: bool) -> Result<Value, DialectError> {
        let open = self.subscriptions.open();
        if open.iter().any(|open| open.account == key.account_id) {
            return Err(DialectError::already_subscribed());
        }
        if open.len() >= SUBSCRIPTIONS_MAX {
            return Err(DialectError::too_many_subscriptions());
        }
        let feed = self.gateway.views.user_feed();
        let id = self.subscriptions.add(feed, key.account_id, self.options.unit, key.id, by_session);
        Ok(json!({"subscriptionId": id}))
    }

    fn status(&self, now: Time) -> Value {
        let unit = self.options.unit;
        let mut status = json!({
            "apiKey": self.logged_on.map(|(key, _)| key.to_string()),
            "authorizedSince": self.logged_on.map(|(_, since)| unit.of(since)),
            "connectedSince": unit.of(self.connected_at),
            "returnRateLimits": self.options.return_rate_limits,
            "serverTime": unit.of(now),
            "userDataStream": !self.subscriptions.open().is_empty(),
        });
        if self.orders.is_some() {
            status["cancelOnDisconnect"] = true.into();
        }
        status
    }

    /// What tells a client that a stream has ended.
    fn terminated(&self, ended: &[u64]) -> Vec<String> {
        let time = self.options.unit.of(self.gateway.now());
        let event = format!(r#"{{"e":"eventStreamTerminated","E":{time}}}"#);
        ended.iter().map(|id| frame::event(*id, &event)).collect()
    }
}
