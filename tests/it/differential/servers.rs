//! The two servers that are compared: CoreDNS with its kubernetes plugin, and CoreDNS that asks meshdns. Each is one process
//! with a block for every variant; each variant has a meshdns of its own. The blocks differ in one plugin.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;

use super::client;
use super::question::{Question, kind};
use super::reply::Reply;
use super::variant::{ALL, Variant};
use crate::support::coredns::CoreDns;
use crate::support::kube::{ADMIN, ControlPlane};
use crate::support::process::{Meshdns, free_address};

/// Names outside of the zones: with addresses, with an alias, with very many addresses, without the asked type, and such that do not
/// exist or cannot be looked up.
const ELSEWHERE: &str = r#"
    template IN ANY nothing.example {
        rcode NXDOMAIN
        authority "example. 300 IN SOA resolver.example. hostmaster.example. 1 7200 1800 86400 60"
    }
    template IN ANY broken.example {
        rcode SERVFAIL
    }
    template IN A alias.example {
        answer "alias.example. 300 IN CNAME www.example.org."
        answer "www.example.org. 60 IN A 192.0.2.54"
    }
    template IN AAAA six.example {
        answer "six.example. 300 IN AAAA 2001:db8::53"
    }
    template IN A six.example empty.example {
        rcode NOERROR
        authority "example. 300 IN SOA resolver.example. hostmaster.example. 1 7200 1800 86400 60"
    }
    template IN A crowd.example {
CROWD    }
    template IN A . {
        answer "{{ .Name }} 300 IN A 192.0.2.53"
    }
    template IN PTR . {
        answer "{{ .Name }} 300 IN PTR resolver.example."
    }
    template IN ANY . {
        rcode NOERROR
        authority ". 300 IN SOA resolver.example. hostmaster.example. 1 7200 1800 86400 60"
    }
"#;

/// One variant, served by both.
pub(super) struct Pair {
    pub(super) variant: &'static Variant,
    /// CoreDNS with its kubernetes plugin.
    pub(super) plugin: SocketAddr,
    /// CoreDNS that asks meshdns.
    pub(super) ours: SocketAddr,
    /// CoreDNS with its kubernetes plugin and no selector of namespaces, if the variant has one and imports.
    pub(super) unfiltered: Option<SocketAddr>,
    /// The addresses that the plugin takes for its own.
    pub(super) addresses: Vec<IpAddr>,
}

/// All variants. They end with the value.
pub(super) struct Servers {
    pub(super) pairs: Vec<Pair>,
    _meshdns: Vec<Meshdns>,
    _coredns: Vec<CoreDns>,
}

impl Servers {
    /// Starts everything, and waits until everything is answered: the kubernetes plugin serves when its watches have listed,
    /// and meshdns is ready then.
    pub(super) fn start(plane: &ControlPlane) -> Self {
        let kubeconfig = plane.kubeconfig(&ADMIN);
        let resolver = free_address();
        let elsewhere = elsewhere();
        let mut coredns =
            vec![CoreDns::start(&format!(".:{} {{\n    bind 127.0.0.1\n{elsewhere}}}\n", resolver.port()))];
        let mut pairs: Vec<Pair> = ALL
            .iter()
            .map(|variant| Pair {
                variant,
                plugin: free_address(),
                ours: free_address(),
                unfiltered: (variant.namespace_labels.is_some() && variant.cluster_set).then(free_address),
                addresses: Vec::new(),
            })
            .collect();
        let plugins = pairs.iter().flat_map(|pair| {
            let plugin = pair.blocks(pair.plugin, &pair.variant.plugin(&kubeconfig), resolver);
            let all = Variant { namespace_labels: None, ..*pair.variant };
            let unfiltered = pair.unfiltered.map(|at| pair.blocks(at, &all.plugin(&kubeconfig), resolver));
            [Some(plugin), unfiltered].into_iter().flatten()
        });
        coredns.push(CoreDns::start(&plugins.collect::<String>()));
        for pair in &mut pairs {
            pair.addresses = pair.own_addresses();
        }
        let mut meshdns: Vec<Meshdns> =
            pairs.iter().map(|pair| pair.meshdns(&kubeconfig, resolver)).collect();
        meshdns.iter_mut().for_each(Meshdns::wait_until_ready);
        let blocks = pairs.iter().zip(&meshdns).map(|(pair, meshdns)| {
            pair.blocks(pair.ours, &format!("    grpc . {}\n", meshdns.grpc), resolver)
        });
        coredns.push(CoreDns::start(&blocks.collect::<String>()));
        Self { pairs, _meshdns: meshdns, _coredns: coredns }
    }
}

impl Pair {
    /// The zones with this plugin, and everything else.
    fn blocks(&self, at: SocketAddr, plugin: &str, resolver: SocketAddr) -> String {
        let port = at.port();
        let keys: Vec<String> = self.variant.zones().iter().map(|zone| format!("{zone}:{port}")).collect();
        // Whatever CoreDNS is bound to counts as an address of its own, if it is no loopback address.
        let bind = if self.variant.name_servers { "" } else { "    bind 127.0.0.1\n" };
        let other = match self.variant.beside_forward {
            true => format!("    forward . {resolver}\n"),
            false => elsewhere(),
        };
        format!("{} {{\n{bind}{plugin}}}\n.:{port} {{\n{bind}{other}}}\n", keys.join(" "))
    }

    fn meshdns(&self, kubeconfig: &Path, resolver: SocketAddr) -> Meshdns {
        let settings = self.variant.settings(kubeconfig, resolver, &self.addresses);
        Meshdns::begin(&mut Command::new(env!("CARGO_BIN_EXE_meshdns")), &settings, &[])
    }

    /// What the plugin has for `ns.dns`: nobody but itself knows.
    fn own_addresses(&self) -> Vec<IpAddr> {
        let questions =
            [kind::A, kind::AAAA].map(|kind| Question::plain("ns.dns.cluster.local", kind).packet());
        let replies = client::ask(self.plugin, &questions);
        let replies = replies.iter().map(|octets| Reply::read(octets.as_deref()));
        let lines = replies.flat_map(|reply| reply.said().expect("CoreDNS answers").answer.clone());
        lines.map(|line| line.data.parse().unwrap()).collect()
    }
}

fn elsewhere() -> String {
    let crowd: String = (1..=120)
        .map(|number| format!("        answer \"crowd.example. 300 IN A 192.0.2.{number}\"\n"))
        .collect();
    ELSEWHERE.replace("CROWD", &crowd)
}
