//! What holds for every set of hosts.

use proptest::collection::vec;
use proptest::prelude::*;

use super::coverage::comes_to_us;
use super::*;
use crate::config::Overrides;
use crate::corefile::Zone;

fn settings() -> Settings {
    let zones = vec!["cluster.local".to_owned(), "internal".to_owned(), "240.240.0.0/16".to_owned()];
    Settings::load(None, &Overrides { zones, ..Overrides::default() }).unwrap()
}

fn declared(hosts: &[(String, bool)]) -> Declared {
    let host = |(name, wildcard): &(String, bool)| DeclaredHost {
        name: Zone::from(&Name::parse(name).unwrap()),
        wildcard: *wildcard,
        objects: "ServiceEntry mesh/some".to_owned(),
        fate: Fate::Answered,
        automatic: Vec::new(),
    };
    let mut declared = Declared::default();
    declared.hosts = hosts.iter().map(host).collect();
    declared
}

fn delegation(settings: &Settings, declared: &Declared, corefiles: &Corefiles) -> Delegation {
    let cluster_domain = Name::parse("cluster.local").unwrap();
    Delegation::of(&Wanted {
        platform: Platform::CoreDns,
        settings,
        declared,
        corefiles,
        before: None,
        at: Vec::new(),
        tls: None,
        cluster_domain,
        bind: Vec::new(),
    })
    .unwrap()
}

fn read(text: &str) -> Corefiles {
    Corefiles::new(vec![Corefile::read("printed", text, &Nowhere).unwrap()], Vec::new())
}

proptest! {
    /// All are led to us, by keys of which none is needless, and with these there is nothing left to print or to tell.
    #[test]
    fn every_host_has_exactly_one_key(hosts in vec(("[a-c](\\.[a-c]){0,2}\\.(x|internal)", any::<bool>()), 0..12)) {
        let (settings, declared) = (settings(), declared(&hosts));
        let found = delegation(&settings, &declared, &Corefiles::new(Vec::new(), Vec::new()));
        let files = read(&found.text);
        for host in &declared.hosts {
            prop_assert!(comes_to_us(&files, &host.asked()), "{} is not led to us:\n{}", host.written(), found.text);
        }
        let keys: Vec<Zone> = files.iter().flat_map(|file| &file.servers).flat_map(|server| &server.keys).map(|key| key.zone.clone()).collect();
        for (at, key) in keys.iter().enumerate() {
            let others = keys.iter().enumerate().filter(|(other, _)| *other != at);
            prop_assert!(!others.map(|(_, other)| other).any(|other| other.holds(key)), "{key} twice:\n{}", found.text);
            let is_declared = declared.hosts.iter().any(|host| host.name == *key);
            prop_assert!(is_declared || settings.zones.iter().any(|zone| Zone::from(&zone.name) == *key));
        }
        let again = delegation(&settings, &declared, &files);
        prop_assert_eq!(&again.findings, &Vec::new());
        prop_assert!(again.zones.is_empty() && again.hosts.is_empty(), "{}", again.text);
    }
}

#[test]
fn what_stands_for_a_top_level_is_no_key() {
    let (settings, declared) =
        (settings(), declared(&[("com".to_owned(), true), ("internal".to_owned(), true)]));
    let found = delegation(&settings, &declared, &Corefiles::new(Vec::new(), Vec::new()));
    assert_eq!(found.hosts, Vec::<String>::new());
    let told: Vec<_> = found.findings.iter().map(|gap| (gap.gap, gap.hosts.clone())).collect();
    assert_eq!(told, [(Gap::TooMuch, vec!["*.com".to_owned()])]);
}
