//! What the tests share: other programs, and how to talk to them.

pub(crate) mod certificates;
pub(crate) mod clock;
pub(crate) mod coredns;
pub(crate) mod dig;
pub(crate) mod fake_api;
pub(crate) mod faults;
pub(crate) mod http;
pub(crate) mod istiod;
pub(crate) mod kube;
pub(crate) mod peer;
pub(crate) mod process;
pub(crate) mod prometheus;
pub(crate) mod random;
pub(crate) mod small_disk;
pub(crate) mod tethered;
