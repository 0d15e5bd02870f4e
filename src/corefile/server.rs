//! Server blocks, as far as our answers depend on them.

use std::sync::Arc;

use super::cache::Cache;
use super::error::{Error, Place};
use super::filter::Filter;
use super::forward::Forward;
use super::grpc::Grpc;
use super::key::Key;
use super::lexer::Token;
use super::parse::{Block, Parsed, parsed};
use super::stanza::Stanza;
use super::world::World;
use super::zone::Zone;

/// A Corefile.
#[derive(Clone, Debug, PartialEq)]
pub struct Corefile {
    /// The file, as it was given.
    pub file: Arc<str>,
    /// Its server blocks.
    pub servers: Vec<Server>,
    /// Patterns of files with further server blocks that it imports, if there are any.
    pub patterns: Vec<String>,
}

/// A server block.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// Which names come to it, and where. At least one.
    pub keys: Vec<Key>,
    /// Where its last line is.
    pub end: Place,
    /// The addresses or interfaces that it listens on; none: all.
    pub bind: Vec<String>,
    /// Where it says which clients come to it; none: all.
    pub view: Option<Place>,
    /// Its cache.
    pub cache: Option<Cache>,
    /// What answers before `forward`, in order.
    pub filters: Vec<Filter>,
    /// Who else is asked, in order.
    pub forwards: Vec<Forward>,
    /// Whether and how it asks us.
    pub grpc: Option<Grpc>,
    /// Where TTLs are changed behind the cache, and names before it.
    pub rewrites: Vec<Rewrite>,
}

/// A `rewrite` that touches our answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// Where.
    pub place: Place,
    /// Whether it changes TTLs, and not names.
    pub of_ttl: bool,
}

impl Corefile {
    /// Reads the text of a Corefile that is called `file`.
    pub fn read(file: &str, text: &str, world: &dyn World) -> Result<Self, Error> {
        let file: Arc<str> = Arc::from(file);
        let Parsed { blocks, patterns } = parsed(&file, text, world)?;
        // CoreDNS looks at all keys before it looks at any plugin.
        let keys = blocks.iter().map(|block| keys(&block.keys)).collect::<Result<Vec<_>, _>>()?;
        let read = |(block, keys): (&Block, Vec<Key>)| Server::read(block, keys, world);
        let servers = blocks.iter().zip(keys).map(read).collect::<Result<Vec<_>, _>>()?;
        let corefile = Self { file, servers, patterns };
        corefile.check_overlap()?;
        Ok(corefile)
    }

    /// No zone twice at one address; with and without an address is twice too (`core/dnsserver/address.go`).
    fn check_overlap(&self) -> Result<(), Error> {
        let mut known: Vec<(&Key, Option<&str>)> = Vec::new();
        for server in &self.servers {
            let anywhere = [None];
            let bound: Vec<Option<&str>> = server.bind.iter().map(|address| Some(address.as_str())).collect();
            for key in &server.keys {
                for address in if bound.is_empty() { &anywhere[..] } else { &bound } {
                    let clash = known.iter().find(|(other, at)| {
                        (&other.zone, other.port, other.transport) == (&key.zone, key.port, key.transport)
                            && (at == address || at.is_none() || address.is_none())
                    });
                    if let Some((other, _)) = clash {
                        let message =
                            format!("{key} is served already, by the server block at {}", other.place);
                        return Err(Error::new(&key.place, message));
                    }
                    if server.view.is_none() {
                        known.push((key, *address));
                    }
                }
            }
        }
        Ok(())
    }
}

impl Server {
    fn read(block: &Block, keys: Vec<Key>, world: &dyn World) -> Result<Self, Error> {
        let words = |plugin: &str| {
            let found = block.plugins.iter().find(|(name, _)| name == plugin);
            found.map_or(&[][..], |(_, words)| words)
        };
        let zones: Vec<Zone> = keys.iter().map(|key| key.zone.clone()).collect();
        Ok(Self {
            bind: bind(words("bind"))?,
            view: words("view").first().map(|word| word.place.clone()),
            cache: Cache::read(words("cache"), &zones)?,
            filters: Filter::all(&block.plugins, &zones),
            forwards: Forward::all(words("forward"))?,
            grpc: Grpc::read(words("grpc"), world)?,
            rewrites: rewrites(words("rewrite")),
            end: block.end.clone(),
            keys,
        })
    }

    /// Where it begins.
    pub fn place(&self) -> &Place {
        &self.keys[0].place
    }

    /// What it is called: its first key, and how many there are besides.
    pub fn called(&self) -> String {
        match &self.keys[..] {
            [only] => only.to_string(),
            [first, second] => format!("{first} {second}"),
            [first, rest @ ..] => format!("{first} and {} more", rest.len()),
            [] => String::new(),
        }
    }
}

fn keys(written: &[Token]) -> Result<Vec<Key>, Error> {
    let keys = written.iter().map(Key::read).collect::<Result<Vec<_>, _>>()?;
    Ok(keys.into_iter().flatten().collect())
}

/// `bind ADDRESS...`, except what it excepts.
fn bind(words: &[Token]) -> Result<Vec<String>, Error> {
    let mut bound = Vec::new();
    for stanza in Stanza::all(words) {
        if stanza.arguments.is_empty() {
            return Err(Error::new(&stanza.place, "`bind` names no address and no interface"));
        }
        let mut excepted = Vec::new();
        for property in &stanza.properties {
            if property.name != "except" {
                return Err(Error::new(
                    &property.place,
                    format!("`{}` is no property of `bind`", property.name),
                ));
            }
            excepted.extend(property.counted(1..=usize::MAX)?.iter().map(|word| word.text.clone()));
        }
        let wanted = stanza.arguments.iter().map(|word| word.text.clone());
        bound.extend(wanted.filter(|address| !excepted.contains(address)));
    }
    Ok(bound)
}

/// `rewrite [continue|stop] FIELD ...`, for the fields `ttl` and `name`; without a field a name is meant.
fn rewrites(words: &[Token]) -> Vec<Rewrite> {
    let mut found = Vec::new();
    for stanza in Stanza::all(words) {
        let mut fields = stanza.arguments.iter().map(|word| word.text.as_str());
        let mut field = fields.next();
        if matches!(field, Some("continue" | "stop")) {
            field = fields.next();
        }
        let of_ttl = field == Some("ttl");
        if of_ttl || field == Some("name") {
            found.push(Rewrite { place: stanza.place.clone(), of_ttl });
        }
    }
    found
}
