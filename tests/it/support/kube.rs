//! A real control plane of Kubernetes on loopback: etcd, kube-apiserver and, unless refused, kube-controller-manager.
//!
//! Most tests take the shared one and a namespace of their own: `ControlPlane::shared().namespace("shop")`. A test that
//! breaks it, or that sees all namespaces and minds what else is there, starts one: `Setup::default().start()`.
//!
//! Nothing plays the kubelet: [`Api::run_pod`] sets what a kubelet would report.

mod api;
mod crds;
mod identity;
mod lines;
mod namespace;
mod pki;
mod plane;
pub(crate) mod programs;
mod resource;

pub(crate) use api::{Api, until};
pub(crate) use crds::CustomResources;
pub(crate) use identity::{ADMIN, Identity, MESHDNS, NOBODY};
pub(crate) use lines::Lines;
pub(crate) use namespace::Namespace;
pub(crate) use plane::{ControlPlane, Setup, kubeconfig};
pub(crate) use resource::*;
