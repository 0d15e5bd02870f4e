//! The source of istiod's name table: against peers that lie, die or say nothing, and against the real thing.

mod kept;
mod lies;
mod peer;
mod real;
mod silence;
mod source;
mod tls;
mod whole;
