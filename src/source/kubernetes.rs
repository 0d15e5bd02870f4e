//! The API server of Kubernetes, watched kind by kind.
//!
//! A **feed** keeps one kind, in one namespace or in all, equal to what the API server has: a complete list, then a
//! watch from its version on. Lists are streamed where the server can do that (`sendInitialEvents`, Kubernetes 1.32 and
//! later) and paged where it cannot. Objects are converted and dropped one by one; what is known stands in the
//! inventory alone, and here a few octets per object say how many there are.
//!
//! What the API server said last stays in use until it says something else. Nothing is taken for gone because a
//! request fails, a watch breaks or an object does not decode: only a complete list or a deletion takes something away,
//! and a list that suddenly lacks most of what there was, or a namespace, has to be confirmed by a second one
//! ([`Limits::doubt`]).
//!
//! The loop is our own because what matters here is not to be had from outside kube's watcher: bookmarks, by which a
//! watch that is silently stuck is noticed, the way from streamed to paged lists, and objects that do not decode.
//! Facts: Kubernetes API concepts, "Efficient detection of changes" and "Streaming lists".

mod feed;
mod known;
mod list;
mod outlet;
mod resource;
mod run;
mod settings;
mod status;
mod wire;

pub use resource::Resource;
pub use run::run;
pub use settings::{KubernetesSource, Limits};
pub use status::{FeedStatus, Link, Status};
