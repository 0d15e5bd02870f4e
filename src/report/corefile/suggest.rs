//! Server blocks that would lead to us.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::Seen;
use crate::config::GrpcAddress;
use crate::corefile::{Corefile, Server, Upstream, Zone};

/// A server block for these zones in the Corefile that ends the way, beside the block that has them now: by `grpc`, or, where
/// another Corefile comes after it, by `forward` to that.
pub(super) fn server_block(
    seen: &Seen<'_>,
    corefile: &Corefile,
    beside: Option<&Server>,
    zones: &[Zone],
) -> Vec<String> {
    let is_last = seen.corefiles.iter().last().is_none_or(|last| last.file == corefile.file);
    let beside = beside.or(corefile.servers.first());
    let port = beside.and_then(|server| server.keys.first()).map_or(53, |key| key.port);
    let keys: Vec<String> = zones.iter().map(|zone| zone.key(port)).collect();
    let mut lines = vec![format!("{} {{", keys.join(" ")), "    errors".to_owned()];
    if is_last {
        lines.push("    cancel 2s".to_owned());
    }
    lines.extend(
        ["    cache {", "        success 9984 30 0", "        denial 9984 30 0", "    }"].map(str::to_owned),
    );
    let bound = beside.map(|server| &server.bind).filter(|bind| !bind.is_empty());
    lines.extend(bound.map(|bind| format!("    bind {}", bind.join(" "))));
    let near = corefile.servers.iter().flat_map(|server| &server.forwards).flat_map(|forward| &forward.to);
    match near.into_iter().find(|upstream| upstream.is_near()).filter(|_| !is_last) {
        Some(upstream) => lines.extend(through(upstream)),
        None => lines.push(format!("    grpc . {}", grpc_address(seen))),
    }
    lines.push("}".to_owned());
    lines
}

/// Where such a block goes. Who has a Corefile that imports others may not be the one to change it: a provider's is put back.
pub(super) fn home(corefile: &Corefile) -> String {
    match corefile.patterns.first() {
        Some(pattern) => {
            format!(
                "a new server block in {}, which {} imports",
                pattern.replacen('*', "meshdns", 1),
                corefile.file
            )
        }
        None => format!("a new server block in {}", corefile.file),
    }
}

fn through(upstream: &Upstream) -> [String; 3] {
    [format!("    forward . {upstream} {{"), "        force_tcp".to_owned(), "    }".to_owned()]
}

/// Where we are asked: as another block has it, or as the settings say.
pub(super) fn grpc_address(seen: &Seen<'_>) -> String {
    let known = seen
        .corefiles
        .iter()
        .flat_map(|corefile| &corefile.servers)
        .filter_map(|server| server.grpc.as_ref());
    let known = known.filter(|grpc| grpc.misfits.is_empty()).find_map(|grpc| grpc.to.first());
    let listening = || match seen.settings.listen.grpc.first() {
        Some(GrpcAddress::Unix(path)) => format!("unix://{}", path.display()),
        Some(GrpcAddress::Tcp(address)) => {
            let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
            let ip = if address.ip().is_unspecified() { here } else { address.ip() };
            SocketAddr::new(ip, address.port()).to_string()
        }
        None => "127.0.0.1:8053".to_owned(),
    };
    known.cloned().unwrap_or_else(listening)
}
