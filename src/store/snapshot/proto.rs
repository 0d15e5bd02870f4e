//! The messages of a snapshot, generated from `proto/meshdns/snapshot/v1/`.

#[allow(missing_docs, unreachable_pub, reason = "generated")]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/meshdns.snapshot.v1.rs"));
}

pub(super) use generated::*;
