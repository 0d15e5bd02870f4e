//! Which way names go.

use super::*;

/// How the names of a zone end, from the first server block that they come to.
fn end(files: &[&str], name: &str) -> String {
    let files = files.iter().map(|text| read(text)).collect();
    let corefiles = Corefiles::new(files, vec!["10.96.0.53:53".parse().unwrap()]);
    let zone = Zone::of(name);
    let Some(start) = corefiles.starts().into_iter().find(|start| corefiles.comes_to(*start, &zone)) else {
        return "nowhere".into();
    };
    let route = corefiles.route(start, &zone);
    let end = match route.end {
        End::Meshdns(through) => format!("meshdns {}", through.place().line),
        End::Answered(filter) => format!("{} {}", filter.plugin, filter.place.line),
        End::Forwarded(forward) => format!("forward {}", forward.place.line),
        End::Nobody => "nobody".into(),
    };
    if route.hops.len() > 1 { format!("{end} over {}", route.hops.len() - 1) } else { end }
}

#[test]
fn forward_is_asked_before_grpc_wherever_it_stands() {
    let corefile = ". {\n grpc . 127.0.0.1:8053\n forward . /etc/resolv.conf {\n  except mesh.example\n }\n}";
    assert_eq!(end(&[corefile], "cluster.local"), "forward 3");
    assert_eq!(end(&[corefile], "a.mesh.example"), "meshdns 2");
}

#[test]
fn the_longest_zone_takes_a_name() {
    let corefile = ". {\n forward . 8.8.8.8\n}\n10.0.0.0/8 {\n grpc . 127.0.0.1:8053\n}\nlocal cluster.local {\n whoami\n}";
    assert_eq!(end(&[corefile], "96.10.in-addr.arpa"), "meshdns 5");
    assert_eq!(end(&[corefile], "96.11.in-addr.arpa"), "forward 2");
    assert_eq!(end(&[corefile], "svc.cluster.local"), "nobody");
    assert_eq!(end(&["a.example {\n whoami\n}"], "b.example"), "nowhere");
}

#[test]
fn what_falls_through_is_asked_on() {
    let corefile = ". {\n kubernetes cluster.local in-addr.arpa {\n  fallthrough in-addr.arpa\n }\n hosts {\n  fallthrough\n }\n grpc . 127.0.0.1:8053\n}";
    assert_eq!(end(&[corefile], "cluster.local"), "kubernetes 2");
    assert_eq!(end(&[corefile], "10.in-addr.arpa"), "meshdns 8");
    assert_eq!(end(&[". {\n template ANY AAAA\n grpc . 127.0.0.1\n}"], "a"), "meshdns 3");
    assert_eq!(end(&[". {\n template ANY ANY\n grpc . 127.0.0.1\n}"], "a"), "template 2");
}

#[test]
fn blocks_of_the_same_file_are_followed() {
    let inner = "\n.:5301 {\n bind 127.0.0.1\n grpc . 127.0.0.1:8053\n}";
    let catch_all = format!(
        ". {{\n forward . 127.0.0.1:5301 {{\n  next NXDOMAIN\n }}\n forward . /etc/resolv.conf\n}}{inner}"
    );
    assert_eq!(end(&[&catch_all], "a.example"), "meshdns 9 over 1");
    let corefiles = Corefiles::new(vec![read(&catch_all)], Vec::new());
    assert_eq!(corefiles.starts().len(), 1, "nobody asks the inner block from outside");
    assert_eq!(end(&[". {\n forward . 127.0.0.1\n}"], "a"), "forward 2", "a circle ends");
}

#[test]
fn corefiles_are_followed_in_order() {
    let node = "cluster.local {\n cache\n forward . 10.96.0.10\n}\ninternal {\n forward . 10.96.0.53\n}\n. {\n forward . 8.8.8.8\n}";
    let cluster = ".:1053 {\n grpc . 127.0.0.1:8053\n}";
    assert_eq!(end(&[node, cluster], "cluster.local"), "meshdns 2 over 1");
    assert_eq!(end(&[node, cluster], "internal"), "meshdns 6");
    assert_eq!(end(&[node, cluster], "example.org"), "forward 9");
    assert_eq!(end(&[node], "cluster.local"), "forward 3");
}

#[test]
fn caches_in_series_keep_what_is_about_to_leave() {
    let within = |node: &str, cluster: &str, ttl| {
        let node = format!(". {{\n cache {node}\n forward . 10.96.0.10\n}}");
        let cluster = format!(". {{\n cache {cluster}\n grpc . 127.0.0.1:8053\n}}");
        let corefiles = Corefiles::new(vec![read(&node), read(&cluster)], Vec::new());
        let route = corefiles.route(corefiles.starts()[0], &Zone::of("cluster.local"));
        let seen = route.seen(Sign::Positive, Span::of(ttl));
        (seen.ttl.largest, seen.shows_within)
    };
    let exact = "{\n success 10 30 0\n}";
    assert_eq!(within(exact, exact, 10), (10, 10));
    // A second before it leaves the first cache, it is kept for the five of the other's floor.
    assert_eq!(within("30", exact, 10), (10, 14));
    assert_eq!(within("30", "30", 2), (5, 9));
    assert_eq!(within(exact, "30 {\n keepttl\n}", 20), (20, 40));
}
