//! Classes of records.

/// Classes of records that can have TTLs of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Addresses of services with cluster IPs.
    ClusterIp,
    /// Addresses of endpoints.
    Headless,
    /// Pod names.
    Pod,
    /// Aliases of ExternalName services.
    ExternalName,
    /// SRV records.
    Srv,
    /// PTR records.
    Ptr,
    /// Literal addresses of mesh hosts.
    ServiceEntry,
    /// Automatic addresses of mesh hosts.
    Vip,
    /// Apex, name servers.
    Zone,
    /// NXDOMAIN and NODATA.
    Negative,
}

impl Class {
    /// All of them, in the order of their numbers.
    pub const ALL: [Class; 10] = [
        Class::ClusterIp,
        Class::Headless,
        Class::Pod,
        Class::ExternalName,
        Class::Srv,
        Class::Ptr,
        Class::ServiceEntry,
        Class::Vip,
        Class::Zone,
        Class::Negative,
    ];

    /// The name of its setting.
    pub const fn as_str(self) -> &'static str {
        match self {
            Class::ClusterIp => "clusterIP",
            Class::Headless => "headless",
            Class::Pod => "pod",
            Class::ExternalName => "externalName",
            Class::Srv => "srv",
            Class::Ptr => "ptr",
            Class::ServiceEntry => "serviceEntry",
            Class::Vip => "vip",
            Class::Zone => "default",
            Class::Negative => "negative",
        }
    }

    /// Those that settings name: all but records of the zone itself, which have the default.
    pub fn named() -> impl Iterator<Item = Class> {
        Self::ALL.into_iter().filter(|class| *class != Class::Zone)
    }

    /// Whether its records are those of objects, which can ask for a TTL.
    pub const fn is_of_objects(self) -> bool {
        !matches!(self, Class::Zone | Class::Negative)
    }
}
