//! What must have happened before we answer.
//!
//! Rules: every condition is a named handle that is released by its first success; one that is dropped without
//! success stays missing. Most conditions must be met for any answer to be given; some only for somebody to be sent to us, because
//! a way to ask us is missing and others are there. A condition that is not met may say why. Take all handles before serving begins: without any, we are ready. What was released is
//! not taken back: a source that goes away later leaves its last answers standing. Stopping ends readiness for good.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// The conditions; clones are the same.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    complete: AtomicBool,
    /// Complete, and nothing else is missing.
    whole: AtomicBool,
    stopping: AtomicBool,
    missing: Mutex<BTreeMap<String, Missing>>,
    /// By what they are about: what is wrong though we may be ready.
    notes: Mutex<BTreeMap<String, Vec<String>>>,
    changed: watch::Sender<bool>,
}

/// A condition that is not met.
#[derive(Debug, Default)]
struct Missing {
    /// How many handles of this name there are.
    handles: usize,
    /// Why it is not met; empty: nothing is known about that.
    because: String,
    /// Answers are given without it.
    is_way_in: bool,
}

/// One condition.
#[derive(Debug)]
#[must_use = "dropping a handle leaves its condition missing"]
pub struct ReadinessHandle {
    readiness: Readiness,
    name: String,
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

impl Readiness {
    /// No conditions yet.
    pub fn new() -> Self {
        Self(Arc::new(Shared {
            complete: AtomicBool::new(true),
            whole: AtomicBool::new(true),
            stopping: AtomicBool::new(false),
            missing: Mutex::default(),
            notes: Mutex::default(),
            changed: watch::Sender::new(true),
        }))
    }

    /// Adds a condition. Names should say what is waited for; equal names are shown once.
    pub fn handle(&self, name: impl Into<String>) -> ReadinessHandle {
        let name = name.into();
        self.missing_now().entry(name.clone()).or_default().handles += 1;
        self.update();
        ReadinessHandle { readiness: self.clone(), name }
    }

    /// Adds a condition without which we do not want to be asked, and answer who does.
    pub fn way_in(&self, name: impl Into<String>) -> ReadinessHandle {
        let name = name.into();
        self.missing_now().entry(name.clone()).or_default().is_way_in = true;
        self.handle(name)
    }

    /// Whether we want to be asked: everything is there and nobody said stop.
    pub fn is_ready(&self) -> bool {
        self.0.whole.load(Ordering::Acquire) && !self.is_stopping()
    }

    /// Whether calls are to be answered: all that answers need is there. Also while stopping, until the last client has gone.
    pub fn is_complete(&self) -> bool {
        self.0.complete.load(Ordering::Acquire)
    }

    /// Whether we are on the way out.
    pub fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Acquire)
    }

    /// What is still missing, in order: `name`, or `name: why`.
    pub fn missing(&self) -> Vec<String> {
        let told = |(name, missing): (&String, &Missing)| match missing.because.as_str() {
            "" => name.clone(),
            because => format!("{name}: {because}"),
        };
        self.missing_now().iter().map(told).collect()
    }

    /// Says why a condition is not met, in one line; of no effect when it is.
    pub fn explain(&self, name: &str, because: &str) {
        if let Some(missing) = self.missing_now().get_mut(name) {
            because.clone_into(&mut missing.because);
        }
    }

    /// What is wrong with something that does not keep us from being ready; in place of what was said of it before.
    pub fn note(&self, name: &str, lines: &[String]) {
        let mut notes = self.0.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.insert(name.to_owned(), lines.to_vec());
    }

    /// All of that, as `name: what`.
    pub fn notes(&self) -> Vec<String> {
        let notes = self.0.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes
            .iter()
            .flat_map(|(name, lines)| lines.iter().map(move |line| format!("{name}: {line}")))
            .collect()
    }

    /// Ends readiness.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Release);
        self.update();
    }

    /// Whether we are ready, now and whenever that changes.
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.0.changed.subscribe()
    }

    fn missing_now(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Missing>> {
        self.0.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self) {
        // Under the lock, so that of two changes the later one is also the later one to be seen.
        let missing = self.missing_now();
        let complete = missing.values().all(|missing| missing.is_way_in);
        self.0.complete.store(complete, Ordering::Release);
        self.0.whole.store(missing.is_empty(), Ordering::Release);
        let ready = self.is_ready();
        self.0.changed.send_if_modified(|before| std::mem::replace(before, ready) != ready);
    }
}

impl ReadinessHandle {
    /// The condition is met.
    pub fn release(self) {
        let mut missing = self.readiness.missing_now();
        if let Some(held) = missing.get_mut(&self.name) {
            held.handles -= 1;
            if held.handles == 0 {
                missing.remove(&self.name);
            }
        }
        drop(missing);
        self.readiness.update();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_ready_when_every_handle_was_released() {
        let readiness = Readiness::new();
        let manifests = readiness.handle("manifests");
        let ledger = readiness.handle("ledger");
        assert_eq!(readiness.missing(), ["ledger", "manifests"]);
        manifests.release();
        assert!(!readiness.is_ready());
        ledger.release();
        assert!(readiness.is_ready());
        assert!(readiness.missing().is_empty());
    }

    #[test]
    fn a_dropped_handle_stays_missing() {
        let readiness = Readiness::new();
        drop(readiness.handle("manifests"));
        assert_eq!(readiness.missing(), ["manifests"]);
    }

    #[test]
    fn a_condition_that_is_not_met_may_say_why() {
        let readiness = Readiness::new();
        let handle = readiness.handle("istiod");
        readiness.explain("istiod", "connecting");
        readiness.explain("manifests", "not even asked for");
        assert_eq!(readiness.missing(), ["istiod: connecting"]);
        handle.release();
        readiness.explain("istiod", "gone again");
        assert!(readiness.is_ready() && readiness.missing().is_empty());
    }

    #[test]
    fn equal_names_are_conditions_of_their_own() {
        let readiness = Readiness::new();
        let (first, second) = (readiness.handle("watch"), readiness.handle("watch"));
        first.release();
        assert_eq!(readiness.missing(), ["watch"]);
        second.release();
        assert!(readiness.is_ready());
    }

    #[test]
    fn answers_are_given_while_a_way_in_is_missing() {
        let readiness = Readiness::new();
        let (certificate, manifests) = (readiness.way_in("certificate"), readiness.handle("manifests"));
        assert!(!readiness.is_complete());
        manifests.release();
        assert!(readiness.is_complete() && !readiness.is_ready());
        assert_eq!(readiness.missing(), ["certificate"]);
        certificate.release();
        assert!(readiness.is_ready());
    }

    #[test]
    fn stopping_ends_readiness_and_is_seen() {
        let readiness = Readiness::new();
        let watch = readiness.watch();
        assert!(*watch.borrow());
        readiness.stop();
        assert!(!*watch.borrow() && !readiness.is_ready() && readiness.is_complete());
    }
}
