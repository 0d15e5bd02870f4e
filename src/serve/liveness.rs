//! Whether every worker still gets something done.
//!
//! Rules: a worker that is stuck takes its connections and its share of packets with it, and the others do not notice. So
//! each of them lets its pulse beat, and somebody else feels it. Silence is counted in looks of the one who feels, not in
//! time: when the whole process was stopped for a while (SIGSTOP, a sleeping machine) nobody has missed anything. A
//! worker that is silent for long is not alive; one that is silent for very long is given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

/// How often, and how long is too long.
#[derive(Clone, Copy, Debug)]
pub struct PulseLimits {
    /// Between two beats, and between two looks.
    pub beat: Duration,
    /// Looks without a beat after which we are not alive.
    pub silent: u32,
    /// Looks without a beat after which the worker is given up.
    pub lost: u32,
}

impl Default for PulseLimits {
    fn default() -> Self {
        Self { beat: Duration::from_secs(1), silent: 10, lost: 60 }
    }
}

/// The pulses of all workers; clones are the same.
#[derive(Clone, Debug)]
pub struct Liveness {
    workers: Arc<[Felt]>,
    limits: PulseLimits,
}

#[derive(Debug, Default)]
struct Felt {
    beats: AtomicU64,
    /// Looks since the last beat.
    silence: AtomicU32,
}

impl Liveness {
    /// Of that many workers.
    pub fn new(workers: usize, limits: PulseLimits) -> Self {
        Self { workers: (0..workers).map(|_| Felt::default()).collect(), limits }
    }

    /// The pulse of a worker, to be run there. Never ends.
    pub async fn beat(&self, worker: usize) {
        let mut beats = interval(self.limits.beat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beats.tick().await;
            if let Some(felt) = self.workers.get(worker) {
                felt.beats.fetch_add(1, Relaxed);
            }
        }
    }

    /// Feels all pulses, until one is lost: that of the worker it gives.
    pub async fn lost(&self) -> usize {
        let mut looks = interval(self.limits.beat);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut felt: Vec<u64> = vec![0; self.workers.len()];
        loop {
            looks.tick().await;
            for (number, (worker, before)) in self.workers.iter().zip(&mut felt).enumerate() {
                if worker.look(before) >= self.limits.lost {
                    return number;
                }
            }
        }
    }

    /// For how long a worker that is given up was silent.
    pub fn patience(&self) -> Duration {
        self.limits.beat * self.limits.lost
    }

    /// The workers that are silent, and for how long.
    pub fn silent(&self) -> Vec<(usize, Duration)> {
        let silence = |worker: &Felt| worker.silence.load(Relaxed);
        let workers = self.workers.iter().map(silence).enumerate();
        let silent = workers.filter(|(_, silence)| *silence >= self.limits.silent);
        silent.map(|(number, silence)| (number, self.limits.beat * silence)).collect()
    }
}

impl Felt {
    /// Looks once, and says how many looks there were since the last beat.
    fn look(&self, before: &mut u64) -> u32 {
        let beats = self.beats.load(Relaxed);
        if beats != *before {
            *before = beats;
            self.silence.store(0, Relaxed);
            return 0;
        }
        self.silence.fetch_add(1, Relaxed) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const LIMITS: PulseLimits = PulseLimits { beat: SECOND, silent: 3, lost: 6 };

    /// Lets that many seconds pass, one by one, as they do.
    async fn pass(seconds: u32) {
        for _ in 0..seconds {
            tokio::time::advance(SECOND).await;
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_without_a_pulse_is_told_and_then_given_up() {
        let liveness = Liveness::new(2, LIMITS);
        let (one, all) = (liveness.clone(), liveness.clone());
        let _beating = tokio::spawn(async move { one.beat(0).await });
        let lost = tokio::spawn(async move { all.lost().await });
        pass(2).await;
        assert_eq!(liveness.silent(), []);
        pass(2).await;
        assert!(matches!(liveness.silent()[..], [(1, silence)] if silence >= 3 * SECOND));
        assert!(!lost.is_finished());
        pass(4).await;
        assert_eq!(lost.await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pulse_that_comes_back_is_felt() {
        let liveness = Liveness::new(1, LIMITS);
        let (one, all) = (liveness.clone(), liveness.clone());
        let lost = tokio::spawn(async move { all.lost().await });
        pass(4).await;
        assert_eq!(liveness.silent().len(), 1);
        let _beating = tokio::spawn(async move { one.beat(0).await });
        pass(20).await;
        assert_eq!(liveness.silent(), []);
        assert!(!lost.is_finished());
    }

    /// As when the process was stopped: both sides lose the same time.
    #[tokio::test(start_paused = true)]
    async fn time_that_passed_for_nobody_is_not_silence() {
        let liveness = Liveness::new(1, LIMITS);
        let (one, all) = (liveness.clone(), liveness.clone());
        let _beating = tokio::spawn(async move { one.beat(0).await });
        let lost = tokio::spawn(async move { all.lost().await });
        pass(2).await;
        tokio::time::advance(1000 * SECOND).await;
        pass(2).await;
        assert_eq!(liveness.silent(), []);
        assert!(!lost.is_finished());
    }
}
