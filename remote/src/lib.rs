//! The traits of `services` over a socket: the engine's side and the gateway's. Refuses to know what a
//! command does and who asks for it.
