//! Every shipped Corefile in a real CoreDNS, before the real meshdns with the objects of `examples/`, asked with the
//! usual tools. Only ports and addresses are put in, and the kubernetes plugin is stood in for (there is no cluster).

use crate::support::coredns::{CoreDns, Corefile};
use crate::support::dig::{Reply, data, dig, nslookup};
use crate::support::process::{Meshdns, free_address};
use std::net::{SocketAddr, TcpListener};

/// What every name has at the stand-in for the node's resolvers.
const RESOLVER: [&str; 1] = ["192.0.2.53"];

/// CoreDNS with a shipped Corefile, meshdns behind it, and the resolver that it knows besides.
struct Stack {
    dns: SocketAddr,
    _coredns: CoreDns,
    _resolver: CoreDns,
    _meshdns: Option<Meshdns>,
}

impl Stack {
    /// With the settings of `examples/`.
    fn start(name: &str) -> Self {
        Self::with_settings(name, "")
    }

    /// With more settings than those of `examples/`, in YAML.
    fn with_settings(name: &str, more: &str) -> Self {
        let resolver = free_address();
        let meshdns = Meshdns::start(&format!("{}upstreams: [\"{resolver}\"]\n{more}", example_settings()));
        Self::before(Corefile::shipped(name), meshdns.grpc, resolver, Some(meshdns))
    }

    /// With this address as meshdns, whatever is there.
    fn with_backend(name: &str, backend: SocketAddr) -> Self {
        Self::before(Corefile::shipped(name), backend, free_address(), None)
    }

    fn before(
        corefile: Corefile,
        backend: SocketAddr,
        resolver: SocketAddr,
        meshdns: Option<Meshdns>,
    ) -> Self {
        let dns = free_address();
        let corefile = corefile.served_on(dns.port()).asking(backend, resolver).watched_on_free_ports();
        let inner = free_address().port();
        let corefile = Corefile(corefile.0.replace(":5301", &format!(":{inner}")));
        let resolver = CoreDns::resolver(resolver);
        Self { dns, _coredns: CoreDns::start(&corefile.0), _resolver: resolver, _meshdns: meshdns }
    }

    /// Asks over UDP and TCP, and shows `check` both replies. `question` is what `dig` takes: name, type.
    fn ask(&self, question: &str, check: impl Fn(&Reply)) {
        for transport in ["+notcp", "+tcp"] {
            check(&dig(self.dns, question.split(' ').chain([transport])));
        }
    }

    /// Records, with authority, whose data are these in any order.
    fn answers<const N: usize>(&self, question: &str, expected: [&str; N]) {
        self.ask(question, |reply| {
            assert_eq!((reply.status.as_str(), reply.has("aa")), ("NOERROR", true), "{}", reply.text);
            assert_eq!(data(&reply.answer), expected, "{}", reply.text);
            assert!(reply.authority.is_empty(), "{}", reply.text);
        });
    }

    /// As [`Stack::answers`], and the addresses of the targets with it.
    fn answers_with<const N: usize, const M: usize>(
        &self,
        question: &str,
        expected: [&str; N],
        more: [&str; M],
    ) {
        self.answers(question, expected);
        self.ask(question, |reply| assert_eq!(data(&reply.additional), more, "{}", reply.text));
    }

    /// The name exists without such records; `zone` says so.
    fn has_no_data(&self, question: &str, zone: &str) {
        self.is_negative(question, "NOERROR", zone);
    }

    /// The name does not exist; `zone` says so.
    fn does_not_exist(&self, question: &str, zone: &str) {
        self.is_negative(question, "NXDOMAIN", zone);
    }

    /// The name does not exist yet, and no cache is told to remember that.
    fn may_come(&self, question: &str) {
        self.ask(question, |reply| {
            assert_eq!(reply.status, "NXDOMAIN", "{}", reply.text);
            assert!(reply.answer.is_empty() && reply.authority.is_empty(), "{}", reply.text);
        });
    }

    fn is_negative(&self, question: &str, status: &str, zone: &str) {
        self.ask(question, |reply| {
            assert_eq!((reply.status.as_str(), reply.has("aa")), (status, true), "{}", reply.text);
            assert!(reply.answer.is_empty(), "{}", reply.text);
            let [soa] = &reply.authority[..] else { panic!("{}", reply.text) };
            assert_eq!((soa.kind.as_str(), soa.owner.as_str()), ("SOA", zone), "{}", reply.text);
        });
    }

    /// This status, and nothing else.
    fn fails(&self, question: &str, status: &str) {
        self.ask(question, |reply| {
            assert_eq!(reply.status, status, "{}", reply.text);
            assert!(reply.answer.is_empty() && reply.authority.is_empty(), "{}", reply.text);
        });
    }
}

fn example_settings() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/meshdns.yaml");
    std::fs::read_to_string(path).expect("examples/meshdns.yaml is part of the project")
}

#[test]
fn cluster_zone_answers_services() {
    let stack = Stack::start("cluster-zone");
    stack.answers("kubernetes.default.svc.cluster.local A", ["10.96.0.1"]);
    stack.answers("web.shop.svc.cluster.local A", ["10.96.0.20"]);
    stack.answers("WEB.Shop.svc.CLUSTER.local A", ["10.96.0.20"]);
    stack.has_no_data("web.shop.svc.cluster.local AAAA", "cluster.local.");
    stack.has_no_data("shop.svc.cluster.local A", "cluster.local.");
    stack.does_not_exist("nothing.shop.svc.cluster.local A", "cluster.local.");
    stack.does_not_exist("www.example.org.shop.svc.cluster.local A", "cluster.local.");
    stack.answers_with(
        "_http._tcp.web.shop.svc.cluster.local SRV",
        ["0 100 80 web.shop.svc.cluster.local."],
        ["10.96.0.20"],
    );
    stack.answers_with(
        "kube-dns.kube-system.svc.cluster.local SRV",
        [
            "0 33 53 kube-dns.kube-system.svc.cluster.local.",
            "0 33 9153 kube-dns.kube-system.svc.cluster.local.",
        ],
        ["10.96.0.10"],
    );
    stack.answers("dns-version.cluster.local TXT", ["\"1.1.0\""]);
}

#[test]
fn cluster_zone_answers_single_pods() {
    let stack = Stack::start("cluster-zone");
    stack.answers("redis.redis.svc.cluster.local A", ["10.244.1.10", "10.244.2.10", "10.244.3.10"]);
    // Not ready, and published all the same.
    stack.answers("redis-2.redis.redis.svc.cluster.local A", ["10.244.3.10"]);
    stack.answers_with(
        "_sentinel._tcp.redis.redis.svc.cluster.local SRV",
        [
            "0 33 26379 redis-0.redis.redis.svc.cluster.local.",
            "0 33 26379 redis-1.redis.redis.svc.cluster.local.",
            "0 33 26379 redis-2.redis.redis.svc.cluster.local.",
        ],
        ["10.244.1.10", "10.244.2.10", "10.244.3.10"],
    );
    stack.answers("kafka-0.kafka-brokers.kafka.svc.cluster.local A", ["10.244.1.40"]);
    stack.may_come("kafka-2.kafka-brokers.kafka.svc.cluster.local A");
    stack.answers("kafka-bootstrap.kafka.svc.cluster.local A", ["10.96.0.40"]);
    stack.answers("kafka-bootstrap.kafka.svc.cluster.local AAAA", ["fd00:10:96::28"]);
    stack.answers("db.legacy.svc.cluster.local A", ["192.168.10.11", "192.168.10.12"]);
    stack.answers("db-primary.db.legacy.svc.cluster.local A", ["192.168.10.11"]);
    stack.answers("tape.backup.legacy.svc.cluster.local A", ["192.168.10.31"]);
}

#[test]
fn cluster_zone_answers_both_families() {
    let stack = Stack::start("cluster-zone");
    stack.answers("cassandra.cassandra.svc.cluster.local A", ["10.244.1.30", "10.244.2.30", "10.244.3.30"]);
    stack.answers("cassandra-0.cassandra.cassandra.svc.cluster.local AAAA", ["fd00:10:244:1::1e"]);
    stack.answers_with(
        "_cql._tcp.cassandra.cassandra.svc.cluster.local SRV",
        [
            "0 16 9042 cassandra-0.cassandra.cassandra.svc.cluster.local.",
            "0 16 9042 cassandra-1.cassandra.cassandra.svc.cluster.local.",
            "0 16 9042 cassandra-2.cassandra.cassandra.svc.cluster.local.",
        ],
        [
            "10.244.1.30",
            "10.244.2.30",
            "10.244.3.30",
            "fd00:10:244:1::1e",
            "fd00:10:244:2::1e",
            "fd00:10:244:3::1e",
        ],
    );
}

#[test]
fn cluster_zone_follows_aliases() {
    let stack = Stack::start("cluster-zone");
    stack.answers("checkout.shop.svc.cluster.local A", ["10.96.0.20", "web.shop.svc.cluster.local."]);
    stack.answers("checkout.shop.svc.cluster.local CNAME", ["web.shop.svc.cluster.local."]);
    stack.has_no_data("checkout.shop.svc.cluster.local AAAA", "cluster.local.");
    stack.answers("payments.shop.svc.cluster.local A", ["192.0.2.53", "payments.example.com."]);
}

#[test]
fn cluster_zone_names_addresses() {
    let stack = Stack::start("cluster-zone");
    stack.answers("-x 10.96.0.20", ["web.shop.svc.cluster.local."]);
    stack.answers("-x 10.244.1.30", ["cassandra-0.cassandra.cassandra.svc.cluster.local."]);
    stack.answers("-x fd00:10:244:1::1e", ["cassandra-0.cassandra.cassandra.svc.cluster.local."]);
    stack.does_not_exist("-x 10.96.0.99", "96.10.in-addr.arpa.");
    stack.answers("-x 192.0.2.1", ["resolver.example."]);
}

#[test]
fn cluster_zone_leaves_other_names_alone() {
    let stack = Stack::start("cluster-zone");
    stack.answers("www.example.org A", RESOLVER);
    stack.answers("auto.internal A", RESOLVER);
}

/// `cache` would make 5 of it (and, in this file's other blocks, 30 seconds is the most).
#[test]
fn small_ttls_reach_clients() {
    let stack = Stack::with_settings("cluster-zone", "ttl:\n  default: 2\n  negative: 1\n");
    stack.ask("web.shop.svc.cluster.local A", |reply| assert!(reply.answer[0].ttl <= 2, "{}", reply.text));
    stack
        .ask("none.shop.svc.cluster.local A", |reply| assert!(reply.authority[0].ttl <= 1, "{}", reply.text));
}

#[test]
fn nslookup_is_content() {
    let stack = Stack::start("cluster-zone");
    let forward = nslookup(stack.dns, ["-type=A", "redis-0.redis.redis.svc.cluster.local"]);
    assert!(forward.contains("Address: 10.244.1.10"), "{forward}");
    let service = nslookup(stack.dns, ["-type=SRV", "_http._tcp.web.shop.svc.cluster.local"]);
    assert!(service.contains("service = 0 100 80 web.shop.svc.cluster.local."), "{service}");
    let reverse = nslookup(stack.dns, ["10.96.0.20"]);
    assert!(reverse.contains("name = web.shop.svc.cluster.local."), "{reverse}");
    let search = nslookup(stack.dns, ["-search", "-domain=shop.svc.cluster.local", "-type=A", "web"]);
    assert!(search.contains("Address: 10.96.0.20"), "{search}");
    let nothing = nslookup(stack.dns, ["none.shop.svc.cluster.local"]);
    assert!(nothing.contains("server can't find none.shop.svc.cluster.local: NXDOMAIN"), "{nothing}");
}

/// A real kubernetes plugin needs a cluster. `hosts` stands at nearly its place in CoreDNS's order (both come after
/// `cache` and before `forward` and `grpc`) and has the same `fallthrough`.
#[test]
fn beside_kubernetes_adds_names() {
    let kubernetes = "kubernetes cluster.local in-addr.arpa ip6.arpa {\n        pods insecure\n        fallthrough\n        ttl 30\n    }";
    let hosts = "hosts {\n        10.96.7.7 web.shop.svc.cluster.local\n        fallthrough\n    }";
    let resolver = free_address();
    let meshdns = Meshdns::start(&example_settings());
    let corefile = Corefile::shipped("beside-kubernetes").with(kubernetes, hosts);
    let stack = Stack::before(corefile, meshdns.grpc, resolver, Some(meshdns));

    stack.answers("web.shop.svc.cluster.local A", ["10.96.7.7"]);
    stack.answers("redis-0.redis.redis.svc.cluster.local A", ["10.244.1.10"]);
    stack.does_not_exist("none.shop.svc.cluster.local A", "cluster.local.");
    stack.answers("-x 10.96.7.7", ["web.shop.svc.cluster.local."]);
    stack.answers("-x 192.0.2.1", ["resolver.example."]);
    stack.answers("www.example.org A", RESOLVER);
}

/// Two of the three replicas are away, whichever they are.
#[test]
fn replicas_answers_while_one_is_left() {
    let (meshdns, resolver) = (Meshdns::start(&example_settings()), free_address());
    let _resolver = CoreDns::resolver(resolver);
    for left in 0..3 {
        let dns = free_address();
        let mut replicas = [(); 3].map(|()| free_address());
        replicas[left] = meshdns.grpc;
        let corefile = Corefile::shipped("replicas")
            .served_on(dns.port())
            .with("/etc/resolv.conf", &resolver.to_string())
            .asking_replicas(replicas)
            .watched_on_free_ports();
        let _coredns = CoreDns::start(&corefile.0);
        for (question, expected) in
            [("web.shop.svc.cluster.local", "10.96.0.20"), ("www.example.org", RESOLVER[0])]
        {
            for transport in ["+notcp", "+tcp"] {
                let reply = dig(dns, [question, "A", transport]);
                assert_eq!(data(&reply.answer), [expected], "{}", reply.text);
            }
        }
        assert_eq!(dig(dns, ["none.shop.svc.cluster.local"]).status, "NXDOMAIN");
    }
}

#[test]
fn private_suffix_answers_service_entries() {
    let stack = Stack::start("private-suffix");
    stack.answers("address.internal A", ["10.20.30.40"]);
    stack.has_no_data("address.internal AAAA", "internal.");
    stack.answers("auto.internal A", ["240.240.0.1"]);
    stack.answers("auto.internal AAAA", ["2001:2::1"]);
    stack.answers("anything.wild.internal A", ["10.20.30.50"]);
    stack.answers("any.thing.wild.internal A", ["10.20.30.50"]);
    stack.does_not_exist("none.internal A", "internal.");
    stack.answers("www.example.org A", RESOLVER);
}

#[test]
fn known_hosts_answers_listed_domains() {
    let stack = Stack::start("known-hosts");
    stack.answers("auto.internal A", ["240.240.0.1"]);
    stack.answers("api.partner.example A", ["240.240.0.2"]);
    stack.answers("api.partner.example AAAA", ["2001:2::2"]);
    stack.has_no_data("api.partner.example MX", "api.partner.example.");
    stack.does_not_exist("below.api.partner.example A", "api.partner.example.");
    stack.fails("www.partner.example A", "REFUSED");
    stack.answers("www.example.org A", RESOLVER);
}

#[test]
fn catch_all_asks_meshdns_first() {
    let stack = Stack::start("catch-all");
    stack.answers("api.partner.example A", ["240.240.0.2"]);
    stack.has_no_data("api.partner.example MX", "api.partner.example.");
    stack.answers("address.internal A", ["10.20.30.40"]);
    stack.has_no_data("address.internal AAAA", "internal.");
    stack.answers("anything.wild.internal A", ["10.20.30.50"]);
    stack.answers("-x 240.240.0.1", ["auto.internal."]);
    // Unknown to meshdns, inside its zones and outside.
    stack.answers("none.internal A", RESOLVER);
    stack.answers("www.example.org A", RESOLVER);
    stack.answers("-x 192.0.2.1", ["resolver.example."]);
    stack.does_not_exist("none.shop.svc.cluster.local A", "cluster.local.");
}

/// With `catchAll`, "not mine" is NXDOMAIN in place of REFUSED; the Corefile takes both.
#[test]
fn catch_all_takes_either_refusal() {
    let stack = Stack::with_settings("catch-all", "catchAll: true\n");
    stack.answers("api.partner.example A", ["240.240.0.2"]);
    stack.answers("www.example.org A", RESOLVER);
}

#[test]
fn reverse_names_automatic_addresses() {
    let stack = Stack::start("reverse");
    stack.answers("-x 240.240.0.1", ["auto.internal."]);
    stack.answers("-x 2001:2::1", ["auto.internal."]);
    stack.answers("-x 240.240.0.2", ["api.partner.example."]);
    stack.does_not_exist("-x 240.240.0.99", "240.240.in-addr.arpa.");
    stack.answers("-x 240.241.0.1", ["resolver.example."]);
    stack.answers("www.example.org A", RESOLVER);
}

/// NodeLocal DNSCache is CoreDNS without the grpc plugin, which this file does not use.
#[test]
fn nodelocaldns_asks_over_plain_dns() {
    let meshdns = Meshdns::start(&example_settings());
    let dns = free_address();
    let corefile = Corefile::shipped("nodelocaldns")
        .with("forward . 10.96.0.53:53", &format!("forward . {}", meshdns.dns))
        .with("169.254.20.10", "127.0.0.1")
        .with(" :9253", &format!(" {}", free_address()))
        .with("internal:53 ", &format!("internal:{} ", dns.port()));
    let _coredns = CoreDns::start(&corefile.0);
    for transport in ["+notcp", "+tcp"] {
        let reply = dig(dns, ["auto.internal", "A", transport]);
        assert_eq!(data(&reply.answer), ["240.240.0.1"], "{}", reply.text);
        assert_eq!(dig(dns, ["none.internal", "A", transport]).status, "NXDOMAIN");
    }
}

#[test]
fn without_meshdns_only_its_names_fail() {
    for (corefile, lost) in [
        ("cluster-zone", "web.shop.svc.cluster.local A"),
        ("private-suffix", "auto.internal A"),
        ("known-hosts", "api.partner.example A"),
        ("reverse", "-x 240.240.0.1"),
        ("catch-all", "web.shop.svc.cluster.local A"),
    ] {
        let stack = Stack::with_backend(corefile, free_address());
        stack.fails(lost, "SERVFAIL");
        stack.answers("www.example.org A", RESOLVER);
    }
}

#[test]
fn without_meshdns_catch_all_asks_the_resolver() {
    let stack = Stack::with_backend("catch-all", free_address());
    stack.answers("api.partner.example A", RESOLVER);
}

/// It accepts connections and says nothing: `cancel` ends the wait before clients give up.
#[test]
fn a_silent_meshdns_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let backend = silent.local_addr().unwrap();
    let quickly = |stack: &Stack, name| dig(stack.dns, [name, "A", "+time=4"]);

    let reply = quickly(&Stack::with_backend("cluster-zone", backend), "web.shop.svc.cluster.local");
    assert_eq!(reply.status, "SERVFAIL", "{}", reply.text);
    let reply = quickly(&Stack::with_backend("catch-all", backend), "www.example.org");
    assert_eq!(data(&reply.answer), RESOLVER, "{}", reply.text);
}
