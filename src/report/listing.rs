//! What `records` lists: the names of the catalog, as far as a filter lets them through.

use serde::{Deserialize, Serialize};

use crate::catalog::{Catalog, Listed};
use crate::model::{Cidr, Key, Name, NameError};

/// One name with one record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReportedLine {
    /// The name, with its final dot; a wildcard host begins with `*.`.
    pub name: String,
    /// Record type.
    #[serde(rename = "type")]
    pub kind: String,
    /// TTL in seconds.
    pub ttl: u32,
    /// Data in zone file form.
    pub data: String,
    /// The class of the record, by the name of its setting below `ttl`.
    pub class: String,
    /// What gave the TTL: the annotation, a rule, or the setting of the class.
    #[serde(rename = "ttlSource")]
    pub ttl_source: String,
    /// The objects that it comes from, as `Kind namespace/name`, joined by commas.
    pub object: String,
}

/// Which lines to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Names at or below one of these; all names when there is none.
    zones: Vec<Name>,
    /// Records of this object, as `Kind namespace/name`.
    object: Option<String>,
}

/// Why a text is not a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFilter {
    /// The zone is no name.
    #[error(transparent)]
    Zone(#[from] NameError),
    /// The object is not named in full.
    #[error("`{0}` does not name an object in the form Kind/namespace/name, such as Service/shop/web")]
    Object(String),
}

impl Filter {
    /// Reads zones, each a name or a range of addresses, and an object in the form `Kind/namespace/name`.
    pub fn parse<Z: AsRef<str>>(zones: &[Z], object: Option<&str>) -> Result<Self, BadFilter> {
        let mut names = Vec::new();
        for zone in zones.iter().map(AsRef::as_ref) {
            match Cidr::parse(zone) {
                Ok(range) => names.extend(range.zones()),
                Err(_) => names.push(Name::parse(zone)?),
            }
        }
        let object = object.map(object_text).transpose()?;
        Ok(Self { zones: names, object })
    }

    fn passes(&self, line: &Listed) -> bool {
        let object = self.object.as_ref();
        object.is_none_or(|wanted| line.object.split(", ").any(|object| object == wanted))
            && (self.zones.is_empty() || {
                let name = Name::parse(line.name.trim_start_matches("*."));
                name.is_ok_and(|name| self.zones.iter().any(|zone| name.is_within(zone)))
            })
    }
}

/// The object as lines name it.
fn object_text(text: &str) -> Result<String, BadFilter> {
    let key = Key::parse(text).ok_or_else(|| BadFilter::Object(text.to_owned()))?;
    Ok(key.to_string())
}

/// Lists the records of a catalog, by name.
pub fn records(catalog: &Catalog, filter: &Filter) -> Vec<ReportedLine> {
    catalog.records().into_iter().filter(|line| filter.passes(line)).map(ReportedLine::from).collect()
}

impl From<Listed> for ReportedLine {
    fn from(line: Listed) -> Self {
        Self {
            name: line.name,
            kind: line.kind.to_owned(),
            ttl: line.ttl,
            data: line.data,
            class: line.class.to_owned(),
            ttl_source: line.ttl_source,
            object: line.object,
        }
    }
}
