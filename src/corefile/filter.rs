//! Plugins that may answer before `forward` and `grpc` are asked.

use super::error::Place;
use super::lexer::Token;
use super::order::position;
use super::stanza::Stanza;
use super::zone::{Zone, within};

/// Those that answer out of data of their own. All know `fallthrough`, or answer whatever is in their zones.
const SOURCES: [&str; 11] = [
    "template",
    "hosts",
    "route53",
    "azure",
    "clouddns",
    "k8s_external",
    "kubernetes",
    "file",
    "auto",
    "secondary",
    "etcd",
];

/// A plugin that answers out of data of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Its name.
    pub plugin: &'static str,
    /// Where it begins.
    pub place: Place,
    /// It has these zones.
    pub zones: Vec<Zone>,
    /// In these, names that it does not have go to the next plugin.
    pub fall_through: Vec<Zone>,
    /// What it takes of a name; `None`: everything.
    pub only: Option<Partly>,
}

/// What a `template` takes of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partly {
    /// Questions of this type; `ANY` stands for all.
    pub kind: String,
    /// Whether only names that match an expression.
    pub matching: bool,
}

impl Filter {
    /// All of a server block whose zones are `keys`, in the order in which they are asked.
    pub(super) fn all(plugins: &[(String, Vec<Token>)], keys: &[Zone]) -> Vec<Self> {
        let mut found = Vec::new();
        for plugin in SOURCES {
            for (_, words) in plugins.iter().filter(|(name, _)| name == plugin) {
                found.extend(Stanza::all(words).iter().map(|stanza| Self::read(plugin, stanza, keys)));
            }
        }
        found.sort_by_key(|filter| position(filter.plugin));
        found
    }

    fn read(plugin: &'static str, stanza: &Stanza, keys: &[Zone]) -> Self {
        let arguments = &stanza.arguments[..];
        let written = match plugin {
            "template" => arguments.get(2..),
            // A file comes first, if anything does.
            "hosts" | "file" => arguments.get(1..),
            _ => Some(arguments),
        };
        let texts = written.unwrap_or_default().iter().map(|argument| {
            let mut parts = argument.text.split(':');
            match plugin {
                "route53" | "clouddns" => parts.next().unwrap_or_default(),
                // A resource group comes first.
                "azure" => parts.nth(1).unwrap_or_default(),
                _ => argument.text.as_str(),
            }
        });
        let zones: Vec<Zone> = texts.flat_map(Zone::of_argument).collect();
        let fall_through = stanza.property("fallthrough").map_or_else(Vec::new, |property| {
            let zones = property.arguments.iter().flat_map(|zone| Zone::of_argument(&zone.text));
            let zones: Vec<Zone> = zones.collect();
            if zones.is_empty() { vec![Zone::root()] } else { zones }
        });
        let only = (plugin == "template").then(|| Partly {
            kind: arguments.get(1).map_or_else(|| "ANY".to_owned(), |kind| kind.text.to_uppercase()),
            matching: stanza.property("match").is_some(),
        });
        Self {
            plugin,
            place: stanza.place.clone(),
            zones: if zones.is_empty() { keys.to_vec() } else { zones },
            fall_through,
            only,
        }
    }

    /// Whether it has a zone with a name.
    pub fn takes(&self, name: &Zone) -> bool {
        // `hosts` answers for addresses that it has, and leaves all others.
        !(self.plugin == "hosts" && name.is_reverse()) && within(&self.zones, name)
    }

    /// Whether a name that it does not have goes to the next plugin.
    pub fn leaves(&self, name: &Zone) -> bool {
        within(&self.fall_through, name)
            || self.only.as_ref().is_some_and(|partly| partly.matching || partly.kind != "ANY")
    }
}
