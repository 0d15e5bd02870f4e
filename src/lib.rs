//! Kubernetes and Istio names for CoreDNS.
