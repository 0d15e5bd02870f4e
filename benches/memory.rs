//! Memory per object: how much larger a process becomes that holds a cluster, inventory and catalog together.
//!
//! Each cluster is built in a process of its own; what it holds is read from `/proc` before and after.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot prepare has failed")]

mod support;

use meshdns::model::Object;

/// Clusters that differ in one kind of object, so that the difference is what one of it takes.
fn objects(what: &str, count: usize) -> Vec<Object> {
    let namespaces = (0..count.div_ceil(50)).map(|index| support::namespace(&format!("ns-{index}")));
    let mut objects: Vec<Object> = namespaces.collect();
    for index in 0..count {
        match what {
            "services" => objects.push(support::service(index)),
            "endpoints" => {
                objects.push(support::service(index));
                objects.push(support::slice(index, 10, index as u32 * 10));
            }
            _ => objects.push(support::entry(&format!("host-{index}.mesh.example"), index)),
        }
    }
    objects
}

fn measured(what: &str, count: usize) -> usize {
    support::in_a_process(&["hold", what, &count.to_string()])
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [hold, what, count] = arguments.as_slice()
        && hold == "hold"
    {
        let count = count.parse().unwrap();
        let before = support::resident();
        // Objects are taken in one by one, as a watch sends them, so that no second copy of all of them is counted.
        let (_catalog, mut keeper) = support::keeper(Vec::new());
        for object in objects(what, count) {
            keeper.apply(0, meshdns::model::Change::Upsert(object));
        }
        println!("{}", support::resident().saturating_sub(before));
        return;
    }
    println!("| bytes per | 10,000 services or hosts | 100,000 |\n| --- | --- | --- |");
    let [small, large] = [10_000, 100_000].map(|count| {
        let service = measured("services", count) / count;
        let endpoint = (measured("endpoints", count) / count).saturating_sub(service) / 10;
        [("service", service), ("endpoint", endpoint), ("host", measured("hosts", count) / count)]
    });
    for ((what, small), (_, large)) in small.into_iter().zip(large) {
        println!("| {what} | {small} | {large} |");
    }
}
