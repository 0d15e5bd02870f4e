//! When the endpoints of a service change, and to what.

use std::collections::BTreeSet;

use crate::random::Random;

/// From this second on these endpoints are ready, each by its number.
pub(crate) type Change = (u32, BTreeSet<u32>);

const DAY: u32 = 24 * 3600;

/// Kinds of services.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    /// Ten pods that nobody touches.
    Still,
    /// Ten pods, replaced one after the other twice a day.
    RollingUpdates,
    /// As many pods as the load of the day asks for.
    Autoscaling,
    /// Five pods, of which one is ready for two minutes on average, and not for 15 s.
    FlappingPod,
}

impl Stream {
    pub(crate) const ALL: [Self; 4] =
        [Self::Still, Self::RollingUpdates, Self::Autoscaling, Self::FlappingPod];

    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Still => "a still service",
            Self::RollingUpdates => "rolling updates",
            Self::Autoscaling => "autoscaling",
            Self::FlappingPod => "a flapping pod",
        }
    }

    /// The changes of so many seconds, the first at 0.
    pub(crate) fn changes(self, time: u32, random: &mut Random) -> Vec<Change> {
        let mut pods = Pods::default();
        match self {
            Self::Still => pods.scale(0, 10),
            Self::RollingUpdates => {
                pods.scale(0, 10);
                let mut day = 0;
                while day < time {
                    // One in each half of it, begun so early that it ends there.
                    for half in [day, day + DAY / 2] {
                        pods.roll(half + seconds(random, 0, DAY / 2 - 1200), time, random);
                    }
                    day += DAY;
                }
            }
            Self::Autoscaling => scale_with_load(&mut pods, time, random),
            Self::FlappingPod => {
                pods.scale(0, 5);
                let mut at = 0;
                loop {
                    at += exponential(random, 120);
                    pods.set(at, time, 0, false);
                    at += exponential(random, 15);
                    pods.set(at, time, 0, true);
                    if at >= time {
                        break;
                    }
                }
            }
        }
        pods.changes
    }
}

/// The pods of a service, and what has become of them so far.
#[derive(Default)]
struct Pods {
    ready: BTreeSet<u32>,
    next: u32,
    changes: Vec<Change>,
}

impl Pods {
    fn changed(&mut self, at: u32) {
        match self.changes.last_mut() {
            Some((last, ready)) if *last == at => ready.clone_from(&self.ready),
            Some((_, ready)) if *ready == self.ready => {}
            _ => self.changes.push((at, self.ready.clone())),
        }
    }

    fn set(&mut self, at: u32, end: u32, pod: u32, ready: bool) {
        if at < end {
            if ready {
                self.ready.insert(pod)
            } else {
                self.ready.remove(&pod)
            };
            self.changed(at);
        }
    }

    /// New pods come, or the youngest go.
    fn scale(&mut self, at: u32, count: usize) {
        while self.ready.len() < count {
            self.ready.insert(self.next);
            self.next += 1;
        }
        while self.ready.len() > count {
            self.ready.pop_last();
        }
        self.changed(at);
    }

    /// Every pod is replaced by a new one, which takes 10 to 60 s to be ready; then the old one goes within 5 s.
    fn roll(&mut self, begin: u32, end: u32, random: &mut Random) {
        let mut at = begin;
        for old in self.ready.clone() {
            at += seconds(random, 10, 60);
            let new = self.next;
            self.next += 1;
            self.set(at, end, new, true);
            at += seconds(random, 0, 5);
            self.set(at, end, old, false);
        }
    }
}

/// As the HorizontalPodAutoscaler does with its defaults: it looks every 15 s, leaves a difference below 10% alone, scales up at
/// once, and down to the most that it wanted in the last 300 s. The load is that of a day with its noon, and wavers by itself.
fn scale_with_load(pods: &mut Pods, time: u32, random: &mut Random) {
    const LOOK: u32 = 15;
    const WINDOW: usize = 300 / LOOK as usize;
    let (phase, mut wavering) = (f64::from(seconds(random, 0, DAY)), 0.0);
    let offset = seconds(random, 0, LOOK - 1);
    let mut count = 10.0;
    let mut wanted = [10.0; WINDOW];
    for look in 0..time / LOOK {
        let at = look * LOOK + offset;
        let angle = (f64::from(at) + phase) / f64::from(DAY) * std::f64::consts::TAU;
        let step = f64::from(seconds(random, 0, 2000)) / 1000.0 - 1.0;
        wavering = 0.99 * wavering + 0.03 * step;
        let load = (12.0 + 8.0 * angle.sin()) * (1.0 + wavering);
        let apart = load / count;
        wanted[look as usize % WINDOW] =
            if (0.9..=1.1).contains(&apart) { count } else { load.ceil().max(3.0) };
        let most = wanted.iter().copied().fold(0.0, f64::max);
        let now = wanted[look as usize % WINDOW];
        count = if now > count { now } else { most.min(count) };
        pods.scale(if pods.changes.is_empty() { 0 } else { at }, count as usize);
    }
}

fn seconds(random: &mut Random, low: u32, high: u32) -> u32 {
    random.between(low as usize, high as usize) as u32
}

/// At least a second, and this many on average.
fn exponential(random: &mut Random, mean: u32) -> u32 {
    let uniform = (random.between(0, 999_999) as f64 + 0.5) / 1_000_000.0;
    (-uniform.ln() * f64::from(mean)).round().max(1.0) as u32
}
