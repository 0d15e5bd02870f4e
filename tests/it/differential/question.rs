//! One question: a name, a type, and how it is put.

use std::fmt;

use super::client::Packet;
use super::world::Key;
use crate::support::random::Random;

/// Types by number (IANA DNS parameters).
pub(super) mod kind {
    pub(in super::super) const A: u16 = 1;
    pub(in super::super) const NS: u16 = 2;
    pub(in super::super) const CNAME: u16 = 5;
    pub(in super::super) const SOA: u16 = 6;
    pub(in super::super) const PTR: u16 = 12;
    pub(in super::super) const HINFO: u16 = 13;
    pub(in super::super) const MX: u16 = 15;
    pub(in super::super) const TXT: u16 = 16;
    pub(in super::super) const AAAA: u16 = 28;
    pub(in super::super) const SRV: u16 = 33;
    pub(in super::super) const NAPTR: u16 = 35;
    pub(in super::super) const DS: u16 = 43;
    pub(in super::super) const SVCB: u16 = 64;
    pub(in super::super) const HTTPS: u16 = 65;
    pub(in super::super) const IXFR: u16 = 251;
    pub(in super::super) const AXFR: u16 = 252;
    pub(in super::super) const ANY: u16 = 255;
    pub(in super::super) const CAA: u16 = 257;
    /// For private use.
    pub(in super::super) const PRIVATE: u16 = 65_280;

    /// All of them.
    pub(in super::super) const ALL: [u16; 19] = [
        A, AAAA, SRV, CNAME, TXT, NS, SOA, PTR, MX, HINFO, NAPTR, DS, SVCB, HTTPS, CAA, ANY, AXFR, IXFR,
        PRIVATE,
    ];
}

/// Class IN, and CH.
pub(super) const IN: u16 = 1;
pub(super) const CH: u16 = 3;

/// A question.
#[derive(Clone)]
pub(super) struct Question {
    /// Without the final dot, in the letter case in which it is asked.
    pub(super) name: String,
    pub(super) kind: u16,
    pub(super) class: u16,
    pub(super) operation: u8,
    pub(super) over_tcp: bool,
    /// RD, AD and CD.
    pub(super) flags: u16,
    pub(super) edns: Option<AskedEdns>,
    /// The service or pod that it is about.
    pub(super) about: Option<Key>,
}

/// The OPT record of a question.
#[derive(Clone, Debug)]
pub(super) struct AskedEdns {
    pub(super) size: u16,
    pub(super) version: u8,
    pub(super) dnssec_ok: bool,
    /// Code and content.
    pub(super) options: Vec<(u16, Vec<u8>)>,
}

const RD: u16 = 0x0100;
const AD: u16 = 0x0020;
const CD: u16 = 0x0010;

/// Option codes (IANA DNS EDNS0 option codes): NSID, client subnet, cookie, padding, one for local use.
const OPTIONS: [(u16, &[u8]); 5] = [
    (3, b""),
    (8, &[0, 1, 24, 0, 192, 0, 2]),
    (10, &[1, 2, 3, 4, 5, 6, 7, 8]),
    (12, &[0, 0, 0, 0]),
    (65_001, b"local"),
];

impl Question {
    /// As most clients ask.
    pub(super) fn plain(name: &str, kind: u16) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            class: IN,
            operation: 0,
            over_tcp: false,
            flags: RD,
            edns: None,
            about: None,
        }
    }

    /// The same, put in one of many ways.
    pub(super) fn dressed(mut self, random: &mut Random) -> Self {
        if random.percent(25) {
            self.name = self
                .name
                .chars()
                .map(|c| if random.percent(50) { c.to_ascii_uppercase() } else { c })
                .collect();
        }
        self.over_tcp = random.percent(25);
        self.flags = [(RD, 80), (AD, 20), (CD, 20)]
            .into_iter()
            .fold(0, |flags, (flag, chance)| if random.percent(chance) { flags | flag } else { flags });
        if random.percent(60) {
            let count = random.pick(&[0, 0, 0, 1, 2]);
            let mut options = random.sample(&OPTIONS, count);
            options.sort_unstable();
            self.edns = Some(AskedEdns {
                size: random.pick(&[0, 512, 1232, 1232, 1400, 4096, 65_535]),
                version: if random.percent(1) { 1 } else { 0 },
                dnssec_ok: random.percent(30),
                options: options.into_iter().map(|(code, content)| (code, content.to_vec())).collect(),
            });
        }
        if random.percent(1) {
            self.class = CH;
        }
        if random.percent(1) {
            // Inverse query, status, notify, update.
            self.operation = random.pick(&[1, 2, 4, 5]);
        }
        self
    }

    /// The same over TCP.
    pub(super) fn over_tcp(&self) -> Self {
        Self { over_tcp: true, ..self.clone() }
    }

    /// The name in lower case, without the final dot.
    pub(super) fn lower(&self) -> String {
        self.name.to_ascii_lowercase()
    }

    pub(super) fn packet(&self) -> Packet {
        let mut octets = vec![0, 0];
        octets.extend((self.flags | u16::from(self.operation) << 11).to_be_bytes());
        for count in [1, 0, 0, u16::from(self.edns.is_some())] {
            octets.extend(count.to_be_bytes());
        }
        for label in self.name.split('.').filter(|label| !label.is_empty()) {
            octets.push(u8::try_from(label.len()).unwrap());
            octets.extend(label.bytes());
        }
        octets.push(0);
        octets.extend(self.kind.to_be_bytes());
        octets.extend(self.class.to_be_bytes());
        if let Some(edns) = &self.edns {
            octets.push(0);
            octets.extend(41_u16.to_be_bytes());
            octets.extend(edns.size.to_be_bytes());
            octets.extend([0, edns.version, if edns.dnssec_ok { 0x80 } else { 0 }, 0]);
            let options = edns.options.iter().flat_map(|(code, content)| {
                let head = [code.to_be_bytes(), (content.len() as u16).to_be_bytes()].concat();
                head.into_iter().chain(content.iter().copied())
            });
            let options: Vec<u8> = options.collect();
            octets.extend((options.len() as u16).to_be_bytes());
            octets.extend(options);
        }
        Packet { octets, over_tcp: self.over_tcp }
    }

    /// Flags that a reply repeats.
    pub(super) fn repeated_flags(&self) -> String {
        let flags = [(RD, "rd"), (CD, "cd")].into_iter().filter(|(flag, _)| self.flags & flag != 0);
        flags.map(|(_, name)| name).collect::<Vec<_>>().join(" ")
    }

    /// Whether it has EDNS options.
    pub(super) fn has_options(&self) -> bool {
        self.edns.as_ref().is_some_and(|edns| !edns.options.is_empty())
    }

    /// Whether it can be put: no label is too long, nor is the name.
    pub(super) fn can_be_asked(&self) -> bool {
        self.name.len() <= 253 && self.name.split('.').all(|label| (1..=63).contains(&label.len()))
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = if self.over_tcp { "TCP" } else { "UDP" };
        write!(f, "{} class {} {}, {transport}", self.name, self.class, meshdns::wire::type_name(self.kind))?;
        let flags = [(RD, "rd"), (AD, "ad"), (CD, "cd")];
        for (_, name) in flags.iter().filter(|(flag, _)| self.flags & flag != 0) {
            write!(f, " {name}")?;
        }
        if self.operation != 0 {
            write!(f, ", operation {}", self.operation)?;
        }
        match &self.edns {
            Some(edns) => write!(f, ", {edns:?}"),
            None => Ok(()),
        }
    }
}
