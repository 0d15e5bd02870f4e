//! A cache whose name is asked for all the time: it asks again in the second in which what it has runs out.

use meshdns::catalog::TtlPolicy;

use crate::random::Random;
use crate::stream::Change;
use crate::world::World;

/// What a TTL costs and spares.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) seconds: u64,
    pub(crate) changes: u64,
    /// How often the cache asked.
    pub(crate) queries: u64,
    /// Seconds in which the cache had an address that was gone, or lacked one that was there.
    pub(crate) wrong: u64,
    /// How often it became wrong.
    pub(crate) times: u64,
    /// The longest of these times.
    pub(crate) longest: u32,
}

impl Cost {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            seconds: self.seconds + other.seconds,
            changes: self.changes + other.changes,
            queries: self.queries + other.queries,
            wrong: self.wrong + other.wrong,
            times: self.times + other.times,
            longest: self.longest.max(other.longest),
        }
    }

    pub(crate) fn an_hour(&self, count: u64) -> f64 {
        count as f64 * 3600.0 / self.seconds as f64
    }

    pub(crate) fn part_wrong(&self) -> f64 {
        self.wrong as f64 / self.seconds as f64
    }

    pub(crate) fn mean_wrong(&self) -> f64 {
        if self.times == 0 { 0.0 } else { self.wrong as f64 / self.times as f64 }
    }
}

/// What becomes of a cache in so many seconds of changes. The service was as it is at first for a day before.
pub(crate) fn run(changes: &[Change], time: u32, policy: TtlPolicy, random: &mut Random) -> Cost {
    let mut world = World::new(policy, &changes[0].1);
    let mut cost = Cost { seconds: time.into(), changes: changes.len() as u64 - 1, ..Cost::default() };
    let mut rest = changes[1..].iter().peekable();
    // It has been there before, so it asks for the first time sooner or later.
    let first = random.between(0, world.ask(0).1 as usize) as u32;
    let (mut cached, mut expires, mut wrong_since) = (changes[0].1.clone(), first, None);
    let mut now = &changes[0].1;
    loop {
        let change = rest.peek().map_or(time, |(at, _)| *at);
        let at = change.min(expires);
        if at >= time {
            break;
        }
        if at == change
            && let Some((_, ready)) = rest.next()
        {
            world.change(at, ready);
            now = ready;
        }
        if at == expires {
            let (fresh, ttl) = world.ask(at);
            assert_eq!(fresh, *now, "what is answered is what is there");
            cost.queries += 1;
            (cached, expires) = (fresh, at + ttl);
        }
        match (wrong_since, cached == *now) {
            (None, false) => wrong_since = Some(at),
            (Some(since), true) => {
                cost.wrong += u64::from(at - since);
                cost.times += 1;
                cost.longest = cost.longest.max(at - since);
                wrong_since = None;
            }
            _ => {}
        }
    }
    if let Some(since) = wrong_since {
        cost.wrong += u64::from(time - since);
        cost.times += 1;
    }
    cost
}
