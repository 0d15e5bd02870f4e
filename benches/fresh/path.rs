//! The way of a question: NodeLocal DNSCache, CoreDNS with its cache, and who knows the answer.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use crate::asking::{asked, connected, contains, until};
use crate::fixture::coredns::CoreDns;
use crate::fixture::process::{Meshdns, free_address};

/// Who knows the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Meshdns,
    /// CoreDNS's kubernetes plugin with this TTL in seconds: its default, or that of the Corefile that kubeadm writes.
    Plugin(u32),
}

impl Server {
    pub(crate) const ALL: [Self; 3] = [Self::Meshdns, Self::Plugin(5), Self::Plugin(30)];

    pub(crate) fn in_words(self) -> String {
        match self {
            Server::Meshdns => "meshdns".to_owned(),
            Server::Plugin(ttl) => format!("kubernetes plugin, `ttl {ttl}`"),
        }
    }
}

/// Everything on the way. It ends with the value.
pub(crate) struct DnsPath {
    /// Where clients ask: the cache on their node.
    pub(crate) node: SocketAddr,
    _node: CoreDns,
    _core: CoreDns,
    _meshdns: Option<Meshdns>,
}

impl DnsPath {
    pub(crate) fn start(server: Server, kubeconfig: &Path) -> Self {
        let kubeconfig = kubeconfig.display();
        let (meshdns, plugin) = match server {
            Server::Meshdns => {
                let meshdns = Meshdns::start(&format!(
                    "zones: [cluster.local]\nsources: {{kubernetes: {{kubeconfig: \"{kubeconfig}\"}}}}\n"
                ));
                let plugin = format!("grpc . {}", meshdns.grpc);
                (Some(meshdns), plugin)
            }
            Server::Plugin(ttl) => {
                let options = format!("kubeconfig {kubeconfig}\n  ttl {ttl}");
                (None, format!("kubernetes cluster.local {{\n  {options}\n }}"))
            }
        };
        let (core, node) = (free_address(), free_address());
        let _core = CoreDns::start(&block(core, &format!("cache 30\n {plugin}\n loadbalance")));
        // As in its manifest: cluster/addons/dns/nodelocaldns/nodelocaldns.yaml of Kubernetes.
        let cache = "cache {\n  success 9984 30\n  denial 9984 5\n }";
        let forward = format!("forward . {core} {{\n  force_tcp\n }}");
        let _node = CoreDns::start(&block(node, &format!("{cache}\n {forward}")));
        Self { node, _node, _core, _meshdns: meshdns }
    }

    /// Waits until a name has its address.
    pub(crate) fn until_answered(self, (name, address): &(String, Ipv4Addr)) -> Self {
        let socket = connected(self.node);
        until(name, || asked(&socket, name).is_some_and(|reply| contains(&reply, *address)));
        self
    }
}

/// A Corefile of one block.
fn block(address: SocketAddr, plugins: &str) -> String {
    format!("cluster.local:{} {{\n bind {}\n errors\n {plugins}\n}}\n", address.port(), address.ip())
}
