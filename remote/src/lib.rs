//! The traits of `services` over a socket: an engine in one process, gateways in others. The engine's
//! side is [`EngineServer`]; the gateway's is [`RemoteEngine`], a [`services::CommandPort`] and
//! [`services::EngineStatus`] like those of an engine in the same process.
//!
//! ```text
//!  gateway                                     engine
//!  RemoteEngine ──commands, numbered here──▶ EngineServer ──▶ the source's port
//!       ▲       ◀──how the engine is──────────┘                    │
//!       └── AnswerFeed ◀── the event stream ◀── event log ◀────────┘
//! ```
//!
//! A command's answer does not come back on the socket. It is in the event stream, which the gateway
//! reads anyway: [`AnswerFeed`] finds it there, behind the gateway's views, so that a client reads its
//! own writes, and a broken connection loses no answer.
//!
//! Refuses to know what a command does, who asks for it, and where the events come from.
//! `docs/decisions/remote.md` says why it is so and what is on the wire.

mod answers;
mod client;
mod frame;
mod greet;
mod handshake;
mod life;
mod outgoing;
mod secret;
mod server;
mod settle;
mod status;
mod wire;

pub use answers::AnswerFeed;
pub use client::{Connection, RemoteEngine, RemoteError, RemoteOptions};
pub use frame::{Frame, FrameError};
pub use greet::{GreetError, greet};
pub use handshake::{Challenge, Goodbye, GoodbyeReason, Hello, PROTOCOL_VERSION, Proof, Welcome};
pub use secret::{Secret, SecretError};
pub use server::{EngineServer, EngineSide, ServerOptions};
pub use status::StatusReport;
pub use wire::{read_frame, write_frame};
