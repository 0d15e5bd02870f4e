//! A port of a Service, a slice or a ServiceEntry.

/// One port as its object declares it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Port {
    /// Its name; empty when it has none. Compared without regard to case.
    pub name: Box<str>,
    /// `TCP`, `UDP`, `SCTP`; for a ServiceEntry the application protocol. Compared without regard to case.
    pub protocol: Box<str>,
    /// Its number; a slice may leave it out, and then no SRV record can be made of it.
    pub number: Option<u16>,
}

impl Port {
    /// The port that stands for "no ports": nameless and without a number.
    pub fn none() -> Self {
        Self { name: "".into(), protocol: "".into(), number: None }
    }
}
