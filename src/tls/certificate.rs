//! What a certificate says of itself.

use std::fmt;

use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

use super::validity::validity;
use crate::model::Utc;

/// Names and validity of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// DNS names among the subject alternative names.
    pub dns_names: Vec<String>,
    /// URIs among them.
    pub uris: Vec<String>,
    /// Whether it has any subject alternative name, addresses included.
    pub has_names: bool,
    /// From when it is valid, in Unix seconds.
    pub not_before: u64,
    /// Until when.
    pub not_after: u64,
}

impl Certificate {
    /// Reads it; `None` if it is none.
    pub fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let parsed = EndEntityCert::try_from(der).ok()?;
        let (not_before, not_after) = validity(der)?;
        Some(Self {
            dns_names: parsed.valid_dns_names().map(str::to_owned).collect(),
            uris: parsed.valid_uri_names().map(str::to_owned).collect(),
            has_names: der.windows(ALTERNATIVE_NAMES.len()).any(|octets| octets == ALTERNATIVE_NAMES),
            not_before,
            not_after,
        })
    }

    /// Why it is of no use at this time, if so.
    pub(super) fn untimely(&self, now: u64) -> Option<String> {
        if now > self.not_after {
            Some(format!("expired at {}", Utc(self.not_after)))
        } else if now < self.not_before {
            Some(format!("is not valid before {}", Utc(self.not_before)))
        } else {
            None
        }
    }
}

/// The object identifier of the extension, with its tag and length (RFC 5280 §4.2.1.6).
const ALTERNATIVE_NAMES: [u8; 5] = [0x06, 0x03, 0x55, 0x1d, 0x11];

/// Names that are shown of a certificate, and characters of each: anybody may have made it.
const MOST_SHOWN: usize = 5;
const LONGEST_SHOWN: usize = 200;

/// Its names.
impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.uris.iter().chain(&self.dns_names);
        let count = self.uris.len() + self.dns_names.len();
        if count == 0 {
            return f.write_str("no DNS name or URI");
        }
        for (place, name) in names.take(MOST_SHOWN).enumerate() {
            f.write_str(if place == 0 { "" } else { ", " })?;
            write!(f, "{}", name.chars().take(LONGEST_SHOWN).collect::<String>().escape_debug())?;
        }
        match count.checked_sub(MOST_SHOWN) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_strangers_fit_into_a_line() {
        let uris = vec!["spiffe://a/\nERROR b".to_owned(), "x".repeat(1000)];
        let dns_names = (0..9).map(|number| format!("n{number}")).collect();
        let shown = Certificate { uris, dns_names, ..Certificate::default() }.to_string();
        assert_eq!(shown, format!("spiffe://a/\\nERROR b, {}, n0, n1, n2 and 6 more", "x".repeat(200)));
        assert_eq!(Certificate::default().to_string(), "no DNS name or URI");
    }
}
