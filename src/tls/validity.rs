//! From when and until when a certificate is valid.
//!
//! Rules: X.509 in DER (RFC 5280 §4.1): of the structure only what stands before the validity is passed over, and nothing is
//! checked. Times are UTCTime and GeneralizedTime with seconds and `Z`, as RFC 5280 §4.1.2.5 has them.

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// The explicit tag of the version.
const VERSION: u8 = 0xa0;

/// Not before and not after, in Unix seconds; what is before 1970 counts as 1970.
pub(super) fn validity(certificate: &[u8]) -> Option<(u64, u64)> {
    let mut to_sign = Der(Der(Der(certificate).take(SEQUENCE)?).take(SEQUENCE)?);
    if to_sign.0.first() == Some(&VERSION) {
        to_sign.take(VERSION)?;
    }
    // Serial number, algorithm, issuer.
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        to_sign.take(tag)?;
    }
    let mut validity = Der(to_sign.take(SEQUENCE)?);
    Some((validity.time()?, validity.time()?))
}

/// What is left to read.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The content of the next value, which must have this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            short @ 0..0x80 => (usize::from(*short), rest),
            long => {
                let (octets, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
                if octets.is_empty() || octets.len() > 4 {
                    return None;
                }
                (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
            }
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (*found == tag).then_some(content)
    }

    fn time(&mut self) -> Option<u64> {
        match *self.0.first()? {
            UTC_TIME => {
                let (year, rest) = number(self.take(UTC_TIME)?, 2)?;
                seconds(if year < 50 { 2000 + year } else { 1900 + year }, rest)
            }
            GENERALIZED_TIME => {
                let (year, rest) = number(self.take(GENERALIZED_TIME)?, 4)?;
                seconds(year, rest)
            }
            _ => None,
        }
    }
}

fn number(text: &[u8], digits: usize) -> Option<(u64, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    let digit =
        |value: u64, digit: &u8| Some(value * 10 + u64::from(digit.checked_sub(b'0').filter(|d| *d < 10)?));
    Some((number.iter().try_fold(0, digit)?, rest))
}

/// `MMDDHHMMSSZ` of a year, as Unix seconds.
fn seconds(year: u64, rest: &[u8]) -> Option<u64> {
    let (month, rest) = number(rest, 2)?;
    let (day, rest) = number(rest, 2)?;
    let (hour, rest) = number(rest, 2)?;
    let (minute, rest) = number(rest, 2)?;
    let (second, rest) = number(rest, 2)?;
    let within =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    if rest != b"Z" || !within {
        return None;
    }
    if year < 1970 {
        return Some(0);
    }
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    Some((days - 719_468) * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Utc;

    #[test]
    fn certificates_say_from_when_until_when() {
        let key = rcgen::KeyPair::generate().unwrap();
        for (from, until) in
            [((1969, 12, 31), (1975, 3, 1)), ((2024, 2, 29), (2049, 12, 31)), ((2050, 1, 1), (9999, 12, 31))]
        {
            let mut params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
            params.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
            params.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
            let (not_before, not_after) = validity(params.self_signed(&key).unwrap().der()).unwrap();
            let day = |(year, month, day): (i32, u8, u8)| format!("{year:04}-{month:02}-{day:02}T00:00:00Z");
            assert_eq!(Utc(not_before).to_string(), day(from.max((1970, 1, 1))));
            assert_eq!(Utc(not_after).to_string(), day(until));
        }
    }

    #[test]
    fn what_is_cut_off_has_no_validity_and_does_no_harm() {
        let key = rcgen::KeyPair::generate().unwrap();
        let whole = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        for length in 0..whole.der().len() {
            assert_eq!(validity(&whole.der()[..length]), None);
        }
        assert_eq!(validity(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(seconds(2024, b"1301000000Z"), None);
        assert_eq!(number(b"1x", 2), None);
    }
}
