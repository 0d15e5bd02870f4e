//! Names that did not exist when they were first asked for: how long after its endpoint exists such a name is answered through
//! CoreDNS's cache and NodeLocal DNSCache, by meshdns and by CoreDNS's kubernetes plugin under the same Corefile.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot prepare has failed")]

#[path = "kubernetes/api.rs"]
#[allow(dead_code, reason = "the bench with a whole cluster uses the rest of it")]
mod api;
#[path = "kubernetes/asking.rs"]
#[allow(dead_code, reason = "the same")]
mod asking;
/// The control plane and the programs of the tests.
#[path = "../tests/it/support"]
#[allow(dead_code, unused_imports, reason = "tests use the rest of it")]
mod fixture {
    pub(crate) mod coredns;
    pub(crate) mod kube;
    pub(crate) mod peer;
    pub(crate) mod process;
    pub(crate) mod tethered;
}
#[path = "fresh/name.rs"]
mod name;
#[path = "fresh/path.rs"]
mod path;
mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use fixture::kube::{ADMIN, Setup};
use kube::Client;
use name::{Form, Name};
use path::{DnsPath, Server};
use support::percentile;
use tokio::task::JoinSet;

/// New names of each form for each server.
const NAMES: usize = 100;
/// How often a client asks for a name that it waits for.
const ASKED_EVERY: Duration = Duration::from_millis(100);
/// How long a client has waited when the endpoint comes: at least this, and up to as much more, so that caches are met at any
/// age of what they keep.
const WAITED: Duration = Duration::from_secs(6);
/// The goal, in seconds, for 99 of 100 names.
const GOAL: f64 = 1.0;

fn main() {
    let plane = Setup::default().without_controllers().start();
    let kubeconfig = plane.kubeconfig(&ADMIN);
    println!(
        "| new name, seconds from its endpoint to the answer through both caches | names | median | 99% | longest |"
    );
    println!("| --- | --- | --- | --- | --- |");
    let mut reached = Vec::new();
    for server in Server::ALL {
        eprintln!("==> {}", server.in_words());
        for (form, seconds) in measured(server, &kubeconfig) {
            let [median, most, longest] = [50.0, 99.0, 100.0].map(|percent| percentile(&seconds, percent));
            let (what, names) = (form.in_words(), seconds.len());
            println!("| {what}: {} | {names} | {median:.2} | {most:.2} | {longest:.2} |", server.in_words());
            if server == Server::Meshdns {
                reached.push(most < GOAL);
            }
        }
    }
    let verdict = if reached.iter().all(|is_reached| *is_reached) { "met" } else { "**missed**" };
    println!("\n- 99 of 100 new names answered by meshdns within a second: {verdict}");
}

/// The seconds of each name, by form.
fn measured(server: Server, kubeconfig: &Path) -> Vec<(Form, Vec<f64>)> {
    let dns = DnsPath::start(server, kubeconfig);
    api::runtime().block_on(async {
        let client = api::client(kubeconfig).await;
        name::prepare(&client, server).await;
        let dns = dns.until_answered(&name::first(server));
        let mut under_way = JoinSet::new();
        for form in Form::ALL {
            for number in 0..NAMES {
                under_way.spawn(awaited(client.clone(), Name { server, form, number }, dns.node));
            }
        }
        let mut by_form = Form::ALL.map(|form| (form, Vec::new()));
        for (form, seconds) in under_way.join_all().await {
            by_form.iter_mut().filter(|(of, _)| *of == form).for_each(|(_, all)| all.push(seconds));
        }
        by_form.to_vec()
    })
}

/// Waits for a name as a client does, makes its endpoint, and says how long that was not answered.
async fn awaited(client: Client, name: Name, dns: std::net::SocketAddr) -> (Form, f64) {
    // Spread over the time that caches keep something, in no order.
    let waits = WAITED + WAITED * (name.number * 37 % NAMES) as u32 / NAMES as u32;
    let (socket, domain) = (asking::connected(dns), name.domain());
    let waiting = tokio::task::spawn_blocking(move || {
        let begin = Instant::now();
        asking::until_every(ASKED_EVERY, "time", || {
            let reply = asking::asked(&socket, &domain).unwrap_or_default();
            assert!(!asking::contains(&reply, name.address()), "{domain} is answered before it exists");
            begin.elapsed() > waits
        });
        (socket, domain)
    });
    let (socket, domain) = waiting.await.unwrap();
    name.appear(&client).await;
    let acknowledged = Instant::now();
    let asking = tokio::task::spawn_blocking(move || {
        asking::until_every(ASKED_EVERY, &domain, || {
            asking::asked(&socket, &domain).is_some_and(|reply| asking::contains(&reply, name.address()))
        });
        Instant::now()
    });
    (name.form, (asking.await.unwrap() - acknowledged).as_secs_f64())
}
