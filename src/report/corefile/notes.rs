//! What is worth knowing of the server blocks on the way to us.

use super::Seen;
use super::finding::ReportedNote;
use crate::corefile::{Cache, End, Filter, Server, Sign, Through, Zone};

/// Of every way that leads to meshdns.
pub(super) fn collect(seen: &Seen<'_>, notes: &mut Vec<ReportedNote>) {
    let mut add = |note: ReportedNote| {
        if !notes.contains(&note) {
            notes.push(note);
        }
    };
    for route in seen.routes().filter(|route| route.leads_to_meshdns()) {
        route.hops.iter().flat_map(|hop| of_server(hop.server)).for_each(&mut add);
        route.caches().flat_map(of_cache).for_each(&mut add);
        route.before.iter().map(|filter| of_filter(filter)).for_each(&mut add);
        let End::Meshdns(Through::Grpc(grpc)) = route.end else { continue };
        let foreign = !seen.settings.catch_all && seen.kind(&route.name).is_none();
        if foreign && !route.name.is_reverse() && !route.name.is_root() {
            let zone = route.name.written();
            let message = format!(
                "{zone} is no zone of the settings: meshdns answers the hosts of ServiceEntries in it, and refuses other names"
            );
            add(ReportedNote::new(&grpc.place, message));
        }
        if let Some(place) = &grpc.fall_through {
            let message = "`fallthrough` of `grpc` leads to nobody: `forward` and `kubernetes` run before it"
                .to_owned();
            add(ReportedNote::new(place, message));
        }
    }
}

fn of_server(server: &Server) -> Vec<ReportedNote> {
    let views = server.view.iter().map(|place| {
        ReportedNote::new(
            place,
            "`view`: only some clients come to this server block, the others to the next one".to_owned(),
        )
    });
    let rewrites = server.rewrites.iter().map(|rewrite| {
        let message = if rewrite.of_ttl {
            "`rewrite ttl` changes TTLs behind the cache: the table does not show that"
        } else {
            "`rewrite name` changes names before anybody is asked: the zones here are those of the names as rewritten"
        };
        ReportedNote::new(&rewrite.place, message.to_owned())
    });
    views.chain(rewrites).collect()
}

fn of_cache(cache: &Cache) -> Vec<ReportedNote> {
    let mut notes = Vec::new();
    if let Some((place, seconds)) = &cache.stale {
        let message = format!(
            "`serve_stale` gives answers for up to {seconds} s past their TTL while nobody gives a new one, and the first client \
             after a TTL gets an old answer unless it says `verify`"
        );
        notes.push(ReportedNote::new(place, message));
    }
    if let Some(place) = &cache.prefetch {
        let message =
            "`prefetch` asks for much-used names before their TTL ends: TTLs stay as they are".to_owned();
        notes.push(ReportedNote::new(place, message));
    }
    if let Some(place) = &cache.keeps_ttl {
        let message = "`keepttl` gives clients the whole TTL of an answer that is nearly over: changes show up to twice as late";
        notes.push(ReportedNote::new(place, message.to_owned()));
    }
    for (sign, name) in [(Sign::Positive, "success"), (Sign::Negative, "denial")] {
        let unkept = &cache.bounds(sign).unkept;
        if !unkept.is_empty() {
            let zones: Vec<String> = unkept.iter().map(Zone::written).collect();
            let message = format!(
                "`disable {name}` keeps nothing of {}, and its smallest and largest TTL hold all the same",
                zones.join(" ")
            );
            notes.push(ReportedNote::new(&cache.place, message));
        }
    }
    notes
}

fn of_filter(filter: &Filter) -> ReportedNote {
    let message = match &filter.only {
        Some(partly) if partly.matching => {
            "`template` answers the names that match before meshdns is asked".to_owned()
        }
        Some(partly) if partly.kind != "ANY" => {
            format!("`template` answers {} questions before meshdns is asked", partly.kind)
        }
        _ => {
            format!("`{}` answers first, and only names that it does not have come to meshdns", filter.plugin)
        }
    };
    ReportedNote::new(&filter.place, message)
}
