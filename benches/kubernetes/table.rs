//! The figures as a Markdown table, and whether they meet the goals.

use crate::Figures;
use crate::cluster::Cluster;
use crate::server::Start;
use crate::support::percentile;

/// How much more memory a list of everything may take than what is kept.
const RELIST: f64 = 1.3;
/// Milliseconds that our own part of a change may take.
const OWN_PART: f64 = 10.0;

pub(crate) fn print(cluster: Cluster, ours: &Figures, theirs: &Figures) {
    let Cluster { services } = cluster;
    println!("| {services} services, {} endpoints | meshdns | CoreDNS | ratio |", cluster.endpoints());
    println!("| --- | --- | --- | --- |");
    let row = |what: &str, figure: &dyn Fn(&Figures) -> f64, digits: usize| {
        let (ours, theirs) = (figure(ours), figure(theirs));
        println!("| {what} | {ours:.digits$} | {theirs:.digits$} | {:.1} |", theirs / ours);
        (ours, theirs)
    };
    let of_starts = |pick: fn(&Start) -> f64| {
        move |f: &Figures| percentile(&f.starts.iter().map(pick).collect::<Vec<_>>(), 50.0)
    };
    let ready = row("start to ready, s", &of_starts(|start| start.seconds), 2);
    row("CPU until ready, s", &of_starts(|start| start.cpu), 2);
    row("peak memory until ready, MiB", &of_starts(|start| start.peak), 1);
    let steady = row("steady memory, MiB", &|f| f.steady.resident, 1);
    row("of that allocated, MiB", &|f| f.steady.anonymous, 1);
    row("peak memory during a relist, MiB", &|f| f.relist.peak, 1);
    let (relist, _) = row("times steady memory", &|f| f.relist.peak / f.steady.resident, 2);
    row("steady memory after it, MiB", &|f| f.relist.resident, 1);
    row("CPU of the relist, s", &|f| f.relist_cpu, 2);
    row("write acknowledged to answer, ms: median", &|f| percentile(&f.changes.acknowledged, 50.0), 2);
    row("99%", &|f| percentile(&f.changes.acknowledged, 99.0), 2);
    row("longest", &|f| percentile(&f.changes.acknowledged, 100.0), 2);
    row("event at a bare watch to answer, ms: median", &|f| percentile(&f.changes.heard, 50.0), 2);
    let (heard, _) = row("99%", &|f| percentile(&f.changes.heard, 99.0), 2);
    row("longest", &|f| percentile(&f.changes.heard, 100.0), 2);
    row("CPU per change, us", &|f| f.changes_cpu * 1e6, 0);
    row("memory after the changes, MiB", &|f| f.after_changes.resident, 1);
    let own = [50.0, 99.0].map(|percent| bound(&ours.own_part, percent) * 1e3);
    println!("| own part by its own count, ms: median, 99% | ≤ {}, ≤ {} | | |", own[0], own[1]);
    println!();
    for (who, figures) in [("meshdns", ours), ("CoreDNS", theirs)] {
        let times = &figures.changes;
        println!(
            "{} changes beside {who}: acknowledged after {:.1} ms (99%: {:.1}), at a bare watch after {:.1} ms (99%: {:.1}).",
            times.acknowledged.len(),
            percentile(&times.writing, 50.0),
            percentile(&times.writing, 99.0),
            percentile(&times.bare, 50.0),
            percentile(&times.bare, 99.0),
        );
    }
    println!();
    goal("less than half the memory", steady.0 * 2.0 < steady.1);
    goal("faster to ready", ready.0 < ready.1);
    goal("at most 1.3 times steady memory during a relist", relist <= RELIST);
    goal("own part below 10 ms at 99%, by its own count", own[1] < OWN_PART);
    goal("event to answer below 10 ms at 99%, seen from outside", heard < OWN_PART);
    println!();
}

fn goal(what: &str, is_met: bool) {
    println!("- {what}: {}", if is_met { "met" } else { "**missed**" });
}

/// The bound that so many percent stay below, of counts by bound.
fn bound(counts: &[(f64, u64)], percent: f64) -> f64 {
    let all = counts.iter().map(|(_, count)| *count).max().unwrap_or_default();
    let wanted = all as f64 * percent / 100.0;
    let within = |(_, count): &&(f64, u64)| *count as f64 >= wanted;
    counts.iter().find(within).map_or(f64::NAN, |(bound, _)| *bound)
}
