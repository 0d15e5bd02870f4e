//! A headless service as meshdns keeps and answers it, at whatever time it is told.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use meshdns::answer::{Addresses, Asked, CLASS_IN, Outcome, Question, Records, answer, kind};
use meshdns::catalog::{Catalog, CompilePolicy, PodMode, Policy, TtlPolicy};
use meshdns::keeper::Keeper;
use meshdns::model::{
    Addressing, Change, Endpoint, EndpointAddress, EndpointSlice, Labels, Name, Namespace, Object,
    ObjectName, Service, Stamp, Zone, ZoneKind, Zones,
};

/// When the simulation begins, in Unix seconds.
const BEGIN: u32 = 1_800_000_000;
/// For how long the service was as it is then.
const BEFORE: u32 = 24 * 3600;
const SOURCE: u8 = 0;

pub(crate) struct World {
    catalog: Arc<Catalog>,
    keeper: Keeper,
}

impl World {
    pub(crate) fn new(policy: TtlPolicy, ready: &BTreeSet<u32>) -> Self {
        let zone = Zone { name: Name::parse("cluster.local").unwrap(), kind: ZoneKind::Cluster };
        let catalog = Arc::new(Catalog::new(Policy {
            zones: Zones::new([zone]).unwrap(),
            catch_all: false,
            pods: PodMode::Disabled,
            zonal_names: false,
            server_addresses: Vec::new(),
            ttl: policy.into(),
            compile: CompilePolicy::default(),
        }));
        let mut keeper = Keeper::new(Arc::clone(&catalog));
        let written = Stamp::new((BEGIN - BEFORE).into());
        let service = Service {
            name: ObjectName::new("shop", "web"),
            labels: Labels::default(),
            addressing: Addressing::Headless,
            ports: [].into(),
            selects_pods: true,
            ttl: None,
            written,
        };
        let namespace = Namespace { name: "shop".into(), labels: Labels::default() };
        let slice = EndpointSlice { written, ..slice(ready) };
        catalog.policy.ttl.clock().tell(BEGIN.into(), None);
        keeper.apply(
            SOURCE,
            Change::Replace(vec![
                Object::Namespace(namespace),
                Object::Service(service),
                Object::EndpointSlice(slice),
            ]),
        );
        keeper.listed(SOURCE);
        Self { catalog, keeper }
    }

    /// These endpoints are ready now.
    pub(crate) fn change(&mut self, at: u32, ready: &BTreeSet<u32>) {
        self.pass(at);
        self.keeper.apply(SOURCE, Change::Upsert(Object::EndpointSlice(slice(ready))));
    }

    /// The endpoints that are answered, and the TTL.
    pub(crate) fn ask(&self, at: u32) -> (BTreeSet<u32>, u32) {
        self.pass(at);
        let name = Asked::of(&Name::parse("web.shop.svc.cluster.local").unwrap());
        match answer(&self.catalog, &Question { name, kind: kind::A, class: CLASS_IN }, &mut ()) {
            Outcome::Data(data) => match data.records {
                Records::V4(Addresses::Shared(all)) => (all.iter().map(|ip| number(*ip)).collect(), data.ttl),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    fn pass(&self, at: u32) {
        self.catalog.policy.ttl.clock().tell((BEGIN + at).into(), None);
    }
}

fn slice(ready: &BTreeSet<u32>) -> EndpointSlice {
    let endpoint = |number: &u32| Endpoint {
        addresses: [EndpointAddress::Ip(address(*number).into())].into_iter().collect(),
        hostname: None,
        ready: true,
        serving: true,
        terminating: false,
        target: None,
        zone: None,
    };
    EndpointSlice {
        name: ObjectName::new("shop", "web-1"),
        labels: Labels::default(),
        service: Some("web".into()),
        import: None,
        ports: [].into(),
        endpoints: ready.iter().map(endpoint).collect(),
        mirrored: false,
        written: None,
    }
}

fn address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(0x0a00_0000 + number)
}

fn number(address: Ipv4Addr) -> u32 {
    u32::from(address) - 0x0a00_0000
}
