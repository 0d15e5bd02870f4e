//! Manifests: Kubernetes and Istio objects in YAML and JSON files.
//!
//! What is usable is used and everything else is reported with its place. Once good, an object stays good: while
//! its document cannot be read, what it said before stays in use. Of several objects with one name the first by
//! path and position counts. A namespace exists as soon as something lives in it.

mod documents;
mod files;
mod held;
mod load;
mod run;

pub use load::{Loaded, load, load_text};
pub use run::run;

#[cfg(test)]
mod tests;
