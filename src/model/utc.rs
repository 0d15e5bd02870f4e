//! A moment as people read it.

use std::fmt;

/// Days from 0000-03-01 to 1970-01-01 in the Gregorian calendar.
const BEFORE_1970: u64 = 719_468;
/// Days of 400 years, after which the calendar begins anew.
const CYCLE: u64 = 146_097;

/// Seconds since 1970-01-01T00:00:00Z, shown as the API writes times (RFC 3339).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Utc(pub u64);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Years that begin in March have their leap day at the end.
        let (days, second) = (self.0 / 86_400 + BEFORE_1970, self.0 % 86_400);
        let (cycles, day) = (days / CYCLE, days % CYCLE);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (year * 365 + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = cycles * 400 + year + next;
        let (hour, minute) = (second / 3600, second / 60 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let by = |year: u64, number| year.is_multiple_of(number);
        let is_leap = |year| by(year, 4) && (!by(year, 100) || by(year, 400));
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..=CYCLE {
            let expected = format!("{year:04}-{month:02}-{day:02}T23:59:58Z");
            assert_eq!(Utc(days * 86_400 + 86_398).to_string(), expected);
            let last = match month {
                2 => 28 + u64::from(is_leap(year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            (year, month, day) = match (month, day == last) {
                (12, true) => (year + 1, 1, 1),
                (_, true) => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
        }
        assert_eq!(Utc(951_827_445).to_string(), "2000-02-29T12:30:45Z");
    }
}
