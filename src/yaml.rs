//! YAML text, and JSON as its subset, as trees whose every part knows where it was written.
//!
//! Rules: YAML 1.2.2 with the core schema (§10.3), so `yes`, `no`, `on` and `off` are text; anchors, aliases and
//! `<<` merge keys as Kubernetes users write them; tags of the core schema only; keys are scalars, each once in its
//! mapping. A text of any shape gives a tree or an error, within bounds: nesting to [`MAX_DEPTH`], and aliases
//! cannot blow up a small text. Comments and layout are not kept.
//!
//! A file is first split with [`documents`], so that a mistake in one document leaves the others readable.

mod anchors;
mod build;
mod entries;
mod error;
mod locate;
mod node;
mod scalar;
mod split;

pub use build::MAX_DEPTH;
pub use error::YamlError;
pub use node::{Entry, Node, Value};
pub use split::{Document, documents};

#[cfg(test)]
mod tests;
