//! The `cache` plugin: what it makes of a TTL (CoreDNS `plugin/cache/{setup,cache}.go`).

use super::duration::seconds;
use super::error::{Error, Place};
use super::lexer::Token;
use super::stanza::{Property, Stanza};
use super::zone::{Zone, within};

/// Replies kept, where it does not say otherwise.
const CAPACITY: i64 = 9984;
/// The longest that a positive answer is kept, where it does not say otherwise, in seconds.
const POSITIVE_CAP: u32 = 3600;
/// The same for a negative one.
const NEGATIVE_CAP: u32 = 1800;
/// The smallest TTL, where it does not say otherwise, in seconds.
const FLOOR: u32 = 5;
/// The longest that a failure may be kept (RFC 2308 §7.1).
const LONGEST_FAILURE: f64 = 300.0;

/// A cache in a server block.
#[derive(Clone, Debug, PartialEq)]
pub struct Cache {
    /// Where it begins.
    pub place: Place,
    /// For names in these zones only.
    pub zones: Vec<Zone>,
    /// Answers with records.
    pub positive: Bounds,
    /// Answers that there is nothing.
    pub negative: Bounds,
    /// Where it says that answers past their TTL are given, and for how many seconds after.
    pub stale: Option<(Place, u64)>,
    /// Where it says that names often asked are asked for anew before their TTL ends.
    pub prefetch: Option<Place>,
    /// Where it says that clients get the whole TTL however long an answer is kept already.
    pub keeps_ttl: Option<Place>,
    /// Its lines.
    lines: Vec<String>,
}

/// Which TTLs a cache lets through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The smallest; anything below is raised to it.
    pub floor: Bound,
    /// The largest; anything above is lowered to it. It is stronger than the floor.
    pub cap: Bound,
    /// Zones of which nothing is kept. TTLs are changed all the same.
    pub unkept: Vec<Zone>,
    capacity: i64,
}

/// A bound, and what sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Whether it is the smallest or the largest TTL.
    pub side: Side,
    /// In seconds.
    pub seconds: u32,
    /// Where it is set, or where the cache begins.
    pub place: Place,
    /// Whether it is written there, and not CoreDNS's default.
    pub written: bool,
}

/// The smallest or the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The smallest.
    Floor,
    /// The largest.
    Cap,
}

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// Records.
    Positive,
    /// That there are none.
    Negative,
}

/// A TTL behind a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed<'c> {
    /// In seconds.
    pub ttl: u32,
    /// The bound that made it so; none when it is as it was.
    pub bound: Option<&'c Bound>,
}

impl Bounds {
    /// What becomes of a TTL.
    pub fn pass(&self, ttl: u32) -> Passed<'_> {
        let floor = self.floor.seconds.min(self.cap.seconds);
        if ttl > self.cap.seconds {
            Passed { ttl: self.cap.seconds, bound: Some(&self.cap) }
        } else if ttl < floor {
            Passed { ttl: floor, bound: Some(&self.floor) }
        } else {
            Passed { ttl, bound: None }
        }
    }

    /// Whether answers for a name are kept.
    pub fn keeps(&self, name: &Zone) -> bool {
        !within(&self.unkept, name)
    }

    fn new(place: &Place, cap: u32) -> Self {
        let bound = |side, seconds| Bound { side, seconds, place: place.clone(), written: false };
        let (floor, cap) = (bound(Side::Floor, FLOOR), bound(Side::Cap, cap));
        Self { floor, cap, unkept: Vec::new(), capacity: CAPACITY }
    }

    /// `success` and `denial`: `CAPACITY [TTL [MINTTL]]`.
    fn read(&mut self, property: &Property) -> Result<(), Error> {
        let arguments = property.counted(1..=usize::MAX)?;
        let set = |side, seconds| Bound { side, seconds, place: property.place.clone(), written: true };
        self.capacity = number(&arguments[0])?;
        if let Some(argument) = arguments.get(1) {
            self.cap = set(Side::Cap, positive(argument)?);
        }
        if let Some(argument) = arguments.get(2) {
            let floor = number(argument)?;
            let refused = || Error::new(&argument.place, format!("the smallest TTL `{floor}` is negative"));
            self.floor = set(Side::Floor, whole(floor).ok_or_else(refused)?);
        }
        Ok(())
    }
}

impl Cache {
    /// The cache of a server block whose zones are `keys`.
    pub(super) fn read(words: &[Token], keys: &[Zone]) -> Result<Option<Self>, Error> {
        let stanzas = Stanza::all(words);
        let Some((stanza, more)) = stanzas.split_first() else { return Ok(None) };
        if let Some(second) = more.first() {
            return Err(Error::new(&second.place, "`cache` stands twice in one server block"));
        }
        let place = &stanza.place;
        let mut cache = Self {
            place: place.clone(),
            zones: Vec::new(),
            positive: Bounds::new(place, POSITIVE_CAP),
            negative: Bounds::new(place, NEGATIVE_CAP),
            stale: None,
            prefetch: None,
            keeps_ttl: None,
            lines: Vec::new(),
        };
        let mut zones = &stanza.arguments[..];
        if let Some((first, rest)) = zones.split_first()
            && first.text.parse::<i64>().is_ok()
        {
            let seconds = positive(first)?;
            let cap = Bound { side: Side::Cap, seconds, place: first.place.clone(), written: true };
            (cache.positive.cap, cache.negative.cap, zones) = (cap.clone(), cap, rest);
        }
        cache.zones = match zones {
            [] => keys.to_vec(),
            zones => zones.iter().flat_map(|zone| Zone::of_argument(&zone.text)).collect(),
        };
        for property in &stanza.properties {
            cache.read_property(property)?;
        }
        if let Some(policy) = stanza.property("serve_stale_policy")
            && cache.stale.is_none()
        {
            return Err(Error::new(&policy.place, "`serve_stale_policy` needs `serve_stale`"));
        }
        cache.lines = lines(stanza);
        Ok(Some(cache))
    }

    fn read_property(&mut self, property: &Property) -> Result<(), Error> {
        match property.name.as_str() {
            "success" => self.positive.read(property)?,
            "denial" => self.negative.read(property)?,
            "prefetch" => {
                let arguments = property.counted(1..=3)?;
                let amount = number(&arguments[0])?;
                if amount < 0 {
                    return Err(Error::new(&property.place, format!("`prefetch {amount}` is negative")));
                }
                arguments.get(1).map(duration).transpose()?;
                arguments.get(2).map(percentage).transpose()?;
                self.prefetch = Some(property.place.clone());
            }
            "serve_stale" => self.stale = Some((property.place.clone(), stale(property)?)),
            "serve_stale_policy" => {
                let policy = &property.counted(1..=1)?[0];
                if !policy.text.eq_ignore_ascii_case("prefer_positive") {
                    return Err(unknown(policy, "serve_stale_policy", "prefer_positive"));
                }
            }
            "servfail" => {
                let argument = &property.counted(1..=1)?[0];
                if !(0.0..=LONGEST_FAILURE).contains(&duration(argument)?) {
                    let message = format!("`servfail {}`: a failure is kept for 0s to 5m", argument.text);
                    return Err(Error::new(&property.place, message));
                }
            }
            "disable" => {
                let arguments = property.counted(1..=usize::MAX)?;
                let zones = match &arguments[1..] {
                    [] => vec![Zone::root()],
                    zones => zones.iter().map(|zone| Zone::of(&zone.text)).collect(),
                };
                match arguments[0].text.as_str() {
                    "success" => self.positive.unkept = zones,
                    "denial" => self.negative.unkept = zones,
                    _ => return Err(unknown(&arguments[0], "disable", "success or denial")),
                }
            }
            "keepttl" => {
                property.counted(0..=0)?;
                self.keeps_ttl = Some(property.place.clone());
            }
            name => return Err(Error::new(&property.place, format!("`{name}` is no property of `cache`"))),
        }
        Ok(())
    }

    /// The bounds of answers of this sign.
    pub fn bounds(&self, sign: Sign) -> &Bounds {
        match sign {
            Sign::Positive => &self.positive,
            Sign::Negative => &self.negative,
        }
    }

    /// Whether it takes answers for a name.
    pub fn takes(&self, name: &Zone) -> bool {
        within(&self.zones, name)
    }

    /// Its lines, with other bounds: for each sign the largest TTL, and the smallest.
    pub fn with_bounds(&self, positive: (u32, u32), negative: (u32, u32)) -> Vec<String> {
        let mut lines = vec![format!("{} {{", self.lines[0])];
        for (name, bounds, (cap, floor)) in
            [("success", &self.positive, positive), ("denial", &self.negative, negative)]
        {
            lines.push(format!("    {name} {} {cap} {floor}", bounds.capacity));
        }
        lines.extend(self.lines[1..].iter().map(|line| format!("    {line}")));
        lines.push("}".to_owned());
        lines
    }
}

/// The head without its brace, and what stands in the block besides the bounds.
fn lines(stanza: &Stanza) -> Vec<String> {
    let line = |name: &str, arguments: &[Token]| {
        arguments.iter().fold(name.to_owned(), |line, argument| line + " " + &argument.text)
    };
    let others =
        stanza.properties.iter().filter(|property| !matches!(property.name.as_str(), "success" | "denial"));
    let others = others.map(|property| line(&property.name, &property.arguments));
    std::iter::once(line("cache", &stanza.arguments)).chain(others).collect()
}

/// `serve_stale [DURATION [MODE [VERIFY-TIMEOUT] [TTL [RECHECK]]]]`: the seconds for which stale answers are given.
fn stale(property: &Property) -> Result<u64, Error> {
    let arguments = property.counted(0..=5)?;
    let wrong = |message: String| Error::new(&property.place, format!("`serve_stale`: {message}"));
    let mut times = Vec::new();
    let mut verify = false;
    for (index, argument) in arguments.iter().enumerate() {
        if index == 1 {
            match argument.text.to_lowercase().as_str() {
                "verify" => verify = true,
                "immediate" => {}
                _ => return Err(unknown(argument, "serve_stale", "immediate or verify")),
            }
            continue;
        }
        let time = duration(argument)?;
        if time < 0.0 {
            return Err(wrong(format!("`{}` is negative", argument.text)));
        }
        times.push(time);
    }
    let after_mode = &times[times.len().min(1)..];
    let after_mode = if verify { &after_mode[after_mode.len().min(1)..] } else { after_mode };
    if after_mode.len() > 2 {
        return Err(wrong("more than a TTL and a time to check again follow the mode".to_owned()));
    }
    if after_mode.first().is_some_and(|ttl| ttl.fract() != 0.0 || *ttl > f64::from(u32::MAX)) {
        return Err(wrong("the TTL of stale answers is not a whole number of seconds".to_owned()));
    }
    if after_mode.get(1).is_some_and(|recheck| *recheck > LONGEST_FAILURE) {
        return Err(wrong("the time to check again is over 5m".to_owned()));
    }
    Ok(times.first().map_or(3600, |seconds| *seconds as u64))
}

fn percentage(argument: &Token) -> Result<(), Error> {
    let number = argument.text.strip_suffix('%').and_then(|digits| digits.parse::<i64>().ok());
    match number {
        Some(10..=90) => Ok(()),
        _ => Err(Error::new(
            &argument.place,
            format!("`{}` is not a percentage from 10% to 90%", argument.text),
        )),
    }
}

fn duration(argument: &Token) -> Result<f64, Error> {
    let message = || format!("`{}` is not a duration such as 5s or 1m30s", argument.text);
    seconds(&argument.text).ok_or_else(|| Error::new(&argument.place, message()))
}

fn number(argument: &Token) -> Result<i64, Error> {
    let message = || format!("`{}` is not a whole number", argument.text);
    argument.text.parse().map_err(|_| Error::new(&argument.place, message()))
}

/// A largest TTL.
fn positive(argument: &Token) -> Result<u32, Error> {
    match number(argument)? {
        seconds if seconds > 0 => Ok(whole(seconds).unwrap_or(u32::MAX)),
        seconds => Err(Error::new(&argument.place, format!("`{seconds}` is no largest TTL: 1 is the least"))),
    }
}

/// Seconds that are not negative. What is beyond any TTL is as good as the largest.
fn whole(seconds: i64) -> Option<u32> {
    (seconds >= 0).then(|| u32::try_from(seconds).unwrap_or(u32::MAX))
}

fn unknown(argument: &Token, property: &str, expected: &str) -> Error {
    Error::new(&argument.place, format!("`{property} {}`: {expected} is expected", argument.text))
}
