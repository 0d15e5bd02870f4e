//! What is written wrongly, one mistake at a time.

use super::one_problem;

#[test]
fn each_mistake_is_told() {
    for (text, expected) in [
        ("catchAll: yes", "2: catchAll: `yes` is text here: write true"),
        ("catchAll: 1", "2: catchAll: `1` is a number: true or false is expected"),
        ("catchall: true", "2: catchall: unknown setting; did you mean `catchAll`?"),
        ("listen: 5", "2: listen: `5` is a number: a mapping is expected"),
        (
            "listen: {http: x}",
            "2: listen.http: unknown setting; known here: grpc, grpcTls, grpcPlaintext, dns, admin, inspect, grpcMaxConnectionAge, lameduck",
        ),
        (
            "listen: {grpcMaxConnectionAge: 0}",
            "2: listen.grpcMaxConnectionAge: 0 is out of range: seconds from 1 to 86400",
        ),
        ("listen: {grpcMaxConnectionAge: 10m}", "`10m` is text: seconds from 1 to 86400 is expected"),
        ("listen: {lameduck: -1}", "2: listen.lameduck: -1 is out of range: seconds from 0 to 300"),
        ("listen: {lameduck: 5s}", "listen.lameduck: `5s` is text: seconds from 0 to 300 is expected"),
        (
            "listen: {grpc: '127.0.0.1:8053'}",
            "listen.grpc: `127.0.0.1:8053` is text where a list is expected: write [127.0.0.1:8053]",
        ),
        ("listen:\n  grpc:\n  - 127.0.0.1", "4: listen.grpc[0]: `127.0.0.1` is not an address with a port"),
        ("listen: {grpc: ['unix://run/x']}", "`unix://run/x` does not name a socket by its absolute path"),
        ("listen: {grpc: []}", "meshdns.yaml: listen: grpc and dns are both empty"),
        ("listen: {dns: [localhost:53]}", "listen.dns[0]: `localhost:53` is not an address with a port"),
        (
            "listen: {dns: ['127.0.0.1:8053'], grpc: ['127.0.0.1:8053']}",
            "listen.dns[0]: 127.0.0.1:8053 is already taken by listen.grpc[0] at line 2",
        ),
        (
            "listen: {admin: false}",
            "listen.admin: `false` is a boolean: an address with a port, such as 127.0.0.1:8081, or off is expected",
        ),
        ("listen: {admin: ['127.0.0.1:1']}", "listen.admin: a list stands where an address with a port"),
        ("listen: {admin: ':8081'}", "listen.admin: `:8081` is not an address with a port"),
        (
            "sources: {manifests: ./here}",
            "sources.manifests: `./here` is text where a list is expected: write [./here]",
        ),
        ("sources: {manifests: ['']}", "sources.manifests[0]: the path is empty"),
        ("sources: {manifests: [1]}", "sources.manifests[0]: `1` is a number: a path is expected, in quotes"),
        (
            "sources: {kubernetes: {kubeconfig: {}}}",
            "sources.kubernetes.kubeconfig: a mapping stands where a path is expected",
        ),
        (
            "sources: {kubernetes: {contxt: x}}",
            "sources.kubernetes.contxt: unknown setting; did you mean `context`?",
        ),
        ("sources: {istiod: {address: x}}", "2: sources.istiod.address: `x` is not a host with a port"),
        ("sources: {istiod: {address: 'x:0'}}", "sources.istiod.address: `x:0` is not a host with a port"),
        (
            "sources: {istiod: {address: 'fd00::1:15010'}}",
            "sources.istiod.address: `fd00::1:15010` is not a host",
        ),
        (
            "sources: {istiod: {address: 'a b:15010'}}",
            "sources.istiod.address: `a b:15010` is not a host with",
        ),
        (
            "sources: {istiod: {address: 15010}}",
            "sources.istiod.address: `15010` is a number: a host with a port",
        ),
        (
            "sources: {istiod: {address: 'i:15010', keep: 31536001}}",
            "2: sources.istiod.keep: 31536001 is out of range: seconds from 0 to 31536000",
        ),
        ("sources: {istiod: {address: 'i:15010', keep: -1}}", "sources.istiod.keep: -1 is out of range"),
        ("sources: {istiod: {keep: 5}}", "sources.istiod.address: a host with a port, such as"),
        ("sources: {istiod: {token: t}}", "sources.istiod.address: a host with a port, such as"),
        (
            "sources: {istiod: {address: 'i:15012'}}",
            "sources.istiod.tls: istiod speaks TLS on port 15012: give",
        ),
        ("sources: {istiod: {address: 'i:15012', tls: off}}", "sources.istiod.tls: istiod always speaks TLS"),
        (
            "sources: {istiod: {address: 'i:15010', tls: {ca: f}}}",
            "sources.istiod.tls: istiod never speaks TLS",
        ),
        (
            "sources: {istiod: {address: 'i:443'}}",
            "sources.istiod.tls: on port 443 it is not clear whether TLS",
        ),
        ("sources: {istiod: {address: 'i:443', tls: on}}", "sources.istiod.tls: `on` is text: a mapping"),
        ("sources: {istiod: {address: 'i:443', tls: {ca: ''}}}", "sources.istiod.tls.ca: the path is empty"),
        (
            "sources: {istiod: {address: 'i:443', tls: {serverName: n}}}",
            "sources.istiod.tls.ca: a PEM file is expected",
        ),
        (
            "sources: {istiod: {address: 'i:443', tls: {ca: f, serverName: 'a b'}}}",
            "sources.istiod.tls.serverName: `a b` has the character ' '",
        ),
        ("sources: {istiod: {address: 'i:443', tls: {key: f}}}", "sources.istiod.tls.key: unknown setting"),
        (
            "sources: {istiod: {address: 'i:15010', token: f}}",
            "sources.istiod.token: without TLS anybody on the way could read it",
        ),
        (
            "sources: {istiod: {address: 'i:15010', node: {namespace: A}}}",
            "sources.istiod.node.namespace: `A` cannot name a namespace",
        ),
        (
            "sources: {istiod: {address: 'i:15010', node: {name: 'a~b'}}}",
            "sources.istiod.node.name: `a~b` has the character '~'",
        ),
        (
            "sources: {istiod: {address: 'i:15010', node: {ips: []}}}",
            "sources.istiod.node.ips: the list is empty",
        ),
        (
            "sources: {istiod: {address: 'i:15010', node: {ips: [10.0.0.1/8]}}}",
            "sources.istiod.node.ips[0]: `10.0.0.1/8` is not an address",
        ),
        (
            "sources: {istiod: {address: 'i:15010', node: {clusterID: 'a b'}}}",
            "sources.istiod.node.clusterID: `a b` is not one word",
        ),
        (
            "sources: {istiod: {address: 'i:15010', node: {metadata: {NETWORK: x}}}}",
            "sources.istiod.node.metadata.NETWORK: there is a setting for this: sources.istiod.node.network",
        ),
        (
            "sources: {istiod: {address: 'i:15010', node: {metadata: {LABELS: {}}}}}",
            "sources.istiod.node.metadata.LABELS: a mapping stands where text is expected",
        ),
        (
            "sources: {istiod: {address: 'i:15010', node: {cluster: x}}}",
            "sources.istiod.node.cluster: unknown setting",
        ),
        (
            "sources: {consul: {}}",
            "sources.consul: unknown setting; known here: kubernetes, istiod, manifests",
        ),
        ("upstreams: []", "upstreams: the list is empty"),
        ("upstreams: [dns.example]", "upstreams[0]: `dns.example` is not the address of a server"),
        ("upstreams: [10.0.0.1, '10.0.0.1:53']", "upstreams[1]: 10.0.0.1:53 is given twice"),
        ("upstreams: ['10.0.0.1:0']", "upstreams[0]: `10.0.0.1:0` has port 0"),
        (
            "kubernetes: {pods: verfied}",
            "kubernetes.pods: `verfied` is unknown: disabled, insecure or verified is expected; did you mean `verified`?",
        ),
        (
            "kubernetes: {pods: true}",
            "kubernetes.pods: `true` is a boolean: disabled, insecure or verified is expected",
        ),
        (
            "kubernetes: {endpointPodNames: 'true'}",
            "kubernetes.endpointPodNames: `true` is text: true or false is expected",
        ),
        (
            "kubernetes: {ignoreEmptyServices: off}",
            "kubernetes.ignoreEmptyServices: `off` is text here: write false",
        ),
        (
            "kubernetes: {endpoints: []}",
            "kubernetes.endpoints: a list stands where true or false is expected",
        ),
        ("kubernetes: {namespaces: [Shop]}", "kubernetes.namespaces[0]: `Shop` cannot name a namespace"),
        (
            "kubernetes: {namespaces: [a, 12]}",
            "kubernetes.namespaces[1]: `12` is a number: the name of a namespace is expected, in quotes",
        ),
        ("kubernetes: {namespaces: [a, a]}", "kubernetes.namespaces[1]: `a` is given twice"),
        (
            "kubernetes: {namespaces: [a], namespaceSelector: b}",
            "kubernetes.namespaceSelector: `namespaces` is given too",
        ),
        (
            "kubernetes: {namespaceSelector: 'a b'}",
            "kubernetes.namespaceSelector: `a b` is not a label selector: found `b`",
        ),
        (
            "kubernetes: {labelSelector: {a: b}}",
            "kubernetes.labelSelector: a mapping stands where a label selector is expected",
        ),
        (
            "kubernetes: {labelSelector: 'a in ()'}",
            "kubernetes.labelSelector: `a in ()` is not a label selector",
        ),
        (
            "kubernetes: {clusterSetZones: [set.local, Set.Local.]}",
            "kubernetes.clusterSetZones[1]: zone set.local. is given twice",
        ),
        (
            "kubernetes: {clusterSetZones: [10.in-addr.arpa]}",
            "kubernetes.clusterSetZones[0]: `10.in-addr.arpa` is a reverse zone",
        ),
        (
            "kubernetes: {clusterSetZones: [10.0.0.0/8]}",
            "kubernetes.clusterSetZones[0]: `10.0.0.0/8` has the character '/'",
        ),
        (
            "kubernetes: {zonalNames: true, endpoints: false}",
            "kubernetes.zonalNames: zonal names need endpoints",
        ),
        (
            "kubernetes: {zonalNames: 1.5}",
            "kubernetes.zonalNames: `1.5` is a number: true or false is expected",
        ),
        (
            "kubernetes: {serverAddresses: ['10.0.0.1:53']}",
            "kubernetes.serverAddresses[0]: `10.0.0.1:53` is not an address without a port",
        ),
        ("kubernetes: {podNames: x}", "kubernetes.podNames: unknown setting"),
        (
            "serviceEntries: {addresses: false}",
            "serviceEntries.addresses: `false` is a boolean: status, hash, off or ledger is expected",
        ),
        (
            "serviceEntries: {answer: vips}",
            "serviceEntries.answer: `vips` is unknown: vip, endpoints or decline is expected; did you mean `vip`?",
        ),
        (
            "serviceEntries: {selfResolving: true}",
            "serviceEntries.selfResolving: `true` is a boolean: decline or answer is expected",
        ),
        (
            "serviceEntries: {families: IPv4}",
            "serviceEntries.families: `IPv4` is text where a list is expected: write [IPv4]",
        ),
        ("serviceEntries: {families: []}", "serviceEntries.families: the list is empty"),
        (
            "serviceEntries: {families: [ipv4]}",
            "serviceEntries.families[0]: `ipv4` is unknown: IPv4 or IPv6 is expected",
        ),
        ("serviceEntries: {families: [IPv4, IPv4]}", "serviceEntries.families[1]: `IPv4` is given twice"),
        (
            "serviceEntries: {ranges: [10.0.0.1/8]}",
            "serviceEntries.ranges[0]: `10.0.0.1/8` has bits set outside its prefix",
        ),
        (
            "serviceEntries: {exportedTo: ['*', '.']}",
            "serviceEntries.exportedTo[1]: `.` is neither `*` nor a namespace",
        ),
        ("serviceEntries: {exportedTo: []}", "serviceEntries.exportedTo: the list is empty"),
        (
            "serviceEntries: {address: off}",
            "serviceEntries.address: unknown setting; did you mean `addresses`?",
        ),
        ("---\nttl: {}", "2: a second document begins here"),
    ] {
        one_problem(text, expected);
    }
}
