//! Times as the API writes them (RFC 3339).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment after 1970, to the nanosecond.
pub fn system_time(text: &str) -> Option<SystemTime> {
    let seconds = u64::try_from(unix_seconds(text)?).ok()?;
    let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).take(9);
    let (nanoseconds, _) =
        digits.fold((0, 100_000_000), |(sum, unit), digit| (sum + u32::from(digit - b'0') * unit, unit / 10));
    UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds))
}

/// Whole seconds since 1970-01-01T00:00:00Z; fractions are cut off, a leap second counts as the one before it.
pub(super) fn unix_seconds(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let (time, rest) = rest.strip_prefix(['T', 't', ' '])?.split_at_checked(8)?;
    let [year, month, day] = numbers(date, b'-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, b':', [2, 2, 2])?;
    let rest = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            (rest.len() < fraction.len()).then_some(rest)?
        }
    };
    let in_range = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    let in_day = hour * 3600 + minute * 60 + second.min(59) - offset(rest)?;
    in_range.then(|| days_before(year, month, day) * 86_400 + in_day)
}

/// The seconds that a zone such as `Z` or `+02:00` is ahead.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match zone.as_bytes().first()? {
        b'+' => (1, &zone[1..]),
        b'-' => (-1, &zone[1..]),
        _ => return None,
    };
    let [hours, minutes] = numbers(rest, b':', [2, 2])?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Numbers of so many digits each, with `between` between them and nothing after.
fn numbers<const N: usize>(text: &str, between: u8, digits: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(char::from(between));
    let mut read = [0; N];
    for (number, digits) in read.iter_mut().zip(digits) {
        let part = parts.next()?;
        if part.len() != digits || !part.bytes().all(|octet| octet.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(read)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let past = year - 1;
    let leap_days = past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400);
    let in_year: i64 = (1..month).map(|month| days_in(year, month)).sum();
    past * 365 + leap_days + in_year + day - 1 - 719_162
}

#[cfg(test)]
mod tests {
    use super::unix_seconds;

    #[test]
    fn times_are_read() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T12:30:45Z", Some(951_827_445)),
            ("2024-03-01T00:00:00+02:00", Some(1_709_244_000)),
            ("2024-03-01T00:00:00.123456-00:30", Some(1_709_253_000)),
            ("2016-12-31T23:59:60z", Some(1_483_228_799)),
            ("1969-12-31t23:59:59Z", Some(-1)),
            ("2023-02-29T00:00:00Z", None),
            ("2023-13-01T00:00:00Z", None),
            ("2023-01-01T24:00:00Z", None),
            ("2023-01-01T00:00:00", None),
            ("2023-01-01T00:00:00.Z", None),
            ("2023-01-01", None),
            ("2023-1-01T00:00:00Z", None),
            ("+023-01-01T00:00:00Z", None),
            ("yesterday é", None),
            ("", None),
        ] {
            assert_eq!(unix_seconds(text), seconds, "{text}");
        }
    }
}
