//! The ways in which clusters have their DNS.

/// What has the cluster's DNS, or is before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Platform {
    /// A CoreDNS whose Corefile is one's own.
    #[default]
    CoreDns,
    /// kubeadm and others with a Corefile in the ConfigMap `coredns` of `kube-system`.
    Kubeadm,
    /// AKS: the ConfigMap `coredns-custom`, which the provider's Corefile imports.
    Aks,
    /// EKS: the configuration values of the add-on, which have the whole Corefile.
    Eks,
    /// GKE with kube-dns: stub domains.
    Gke,
    /// kube-dns: stub domains.
    KubeDns,
    /// NodeLocal DNSCache: a CoreDNS without `grpc` before the cluster's DNS.
    NodeLocal,
}

impl Platform {
    /// All of them.
    pub const ALL: [Platform; 7] = [
        Platform::CoreDns,
        Platform::Kubeadm,
        Platform::Aks,
        Platform::Eks,
        Platform::Gke,
        Platform::KubeDns,
        Platform::NodeLocal,
    ];

    /// As flags write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Platform::CoreDns => "coredns",
            Platform::Kubeadm => "kubeadm",
            Platform::Aks => "aks",
            Platform::Eks => "eks",
            Platform::Gke => "gke",
            Platform::KubeDns => "kube-dns",
            Platform::NodeLocal => "nodelocal",
        }
    }

    /// Whether it asks plain DNS, because it has no `grpc`.
    pub const fn is_plain(self) -> bool {
        matches!(self, Platform::Gke | Platform::KubeDns | Platform::NodeLocal)
    }

    /// Whether it has stub domains and no server blocks.
    pub const fn has_stub_domains(self) -> bool {
        matches!(self, Platform::Gke | Platform::KubeDns)
    }

    /// Whether what is printed for it are server blocks and nothing else, which a Corefile can import.
    pub const fn is_importable(self) -> bool {
        matches!(self, Platform::CoreDns | Platform::Kubeadm | Platform::NodeLocal)
    }
}
