//! What a client asks an API server for, and how tests name it.

use std::time::Instant;

use hyper::header::AUTHORIZATION;
use hyper::{HeaderMap, Method, Uri};

/// How something is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A list from its beginning.
    List,
    /// A further page of a list.
    NextPage,
    /// A watch.
    Watch,
    /// A watch that begins with everything there is (`sendInitialEvents`).
    StreamedList,
    /// One object, or a page that is no resource: `/version`, `/apis`.
    Get,
    /// Anything that changes something.
    Write,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// When it came.
    pub(crate) at: Instant,
    /// The resource in plural; empty where the path is none of a resource.
    pub(crate) resource: String,
    /// How it is asked for.
    pub(crate) kind: Kind,
    /// Path and query.
    pub(crate) target: String,
    /// The bearer token.
    pub(crate) token: Option<String>,
    /// The status of the answer, if there is one yet.
    pub(crate) answered: Option<u16>,
    /// Whether the answer is over.
    pub(crate) over: bool,
}

impl Asked {
    pub(crate) fn read(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        let segments: Vec<&str> = uri.path().split('/').filter(|segment| !segment.is_empty()).collect();
        let within = match segments[..] {
            ["api", _, ref rest @ ..] | ["apis", _, _, ref rest @ ..] => rest,
            _ => &[],
        };
        let (resource, object) = match *within {
            // Beside it the namespace itself is an object: `namespaces/shop`.
            ["namespaces", _, resource, ref rest @ ..] => (resource, rest.first()),
            [resource, ref rest @ ..] => (resource, rest.first()),
            [] => ("", None),
        };
        let query = uri.query().unwrap_or_default();
        let says = |key: &str| {
            query.split('&').any(|pair| pair.strip_prefix(key).is_some_and(|rest| rest.starts_with('=')))
        };
        let is_true = |key: &str| {
            query.split('&').any(|pair| pair == format!("{key}=true") || pair == format!("{key}=1"))
        };
        let kind = match () {
            () if *method != Method::GET => Kind::Write,
            () if resource.is_empty() || object.is_some() => Kind::Get,
            () if is_true("watch") && is_true("sendInitialEvents") => Kind::StreamedList,
            () if is_true("watch") => Kind::Watch,
            () if says("continue") => Kind::NextPage,
            () => Kind::List,
        };
        let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        Self {
            at: Instant::now(),
            resource: resource.to_owned(),
            kind,
            target: uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            token: token.map(str::to_owned),
            answered: None,
            over: false,
        }
    }
}

/// Which requests are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Requests {
    resource: Option<&'static str>,
    kinds: Option<&'static [Kind]>,
}

impl Requests {
    /// All.
    pub(crate) const ALL: Self = Self { resource: None, kinds: None };
    /// All that go on for long.
    pub(crate) const WATCHES: Self = Self::ALL.of(&[Kind::Watch, Kind::StreamedList]);

    /// Those for a resource, in plural.
    pub(crate) const fn to(resource: &'static str) -> Self {
        Self { resource: Some(resource), kinds: None }
    }

    /// Of these, those of some kinds.
    pub(crate) const fn of(self, kinds: &'static [Kind]) -> Self {
        Self { kinds: Some(kinds), ..self }
    }

    /// Whether this is one of them.
    pub(crate) fn include(&self, asked: &Asked) -> bool {
        self.resource.is_none_or(|resource| resource == asked.resource)
            && self.kinds.is_none_or(|kinds| kinds.contains(&asked.kind))
    }
}
