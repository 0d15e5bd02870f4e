//! The chart and the manifests: what they render to, what a real API server says of it, and that what they run answers.

mod alerts;
mod cell;
mod chart;
mod dashboard;
mod image;
mod installed;
mod kustomize;
mod lifecycle;
mod manifests;
mod monitoring;
mod network;
mod node;
mod permissions;
mod policy;
mod running;
mod values;
