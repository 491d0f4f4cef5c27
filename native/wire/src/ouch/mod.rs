//! OUCH 5.0 over SoupBinTCP: what `wire/ouch_inbound.py`, `ouch_outbound.py` and `ouch_session.py` define.
//!
//! Bytes of a client become command records; durable events become what each session is sent. The state is made by
//! events alone. A steady flow allocates nothing: buffers and tables keep their room.

pub mod codes;
pub mod inbound;
pub mod numbers;
pub mod outbound;
pub mod reference;
pub mod session;
pub mod snapshot;
