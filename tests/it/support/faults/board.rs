//! What is wrong at the moment, and what was asked so far.

use std::sync::Mutex;

use tokio::sync::watch;

use super::fault::Fault;
use super::requests::{Asked, Requests};

/// Shared by the test, which changes it, and the proxy, which follows it.
#[derive(Default)]
pub(super) struct Board {
    inflicted: Mutex<Vec<Inflicted>>,
    /// Of everything that was ever inflicted.
    serial: watch::Sender<u64>,
    asked: Mutex<Vec<Asked>>,
}

/// A fault that some requests suffer from.
#[derive(Clone)]
pub(super) struct Inflicted {
    /// Another one for each.
    pub(super) number: u64,
    on: Requests,
    pub(super) fault: Fault,
    /// How many requests it is still meant for. Responses on their way are none of them.
    left: Option<usize>,
}

impl Inflicted {
    /// Whether it is meant for some requests only, of which this is one.
    pub(super) fn is_for_few(&self) -> bool {
        self.left.is_some()
    }
}

impl Board {
    /// Adds a fault, which comes before the earlier ones.
    pub(super) fn inflict(&self, on: Requests, fault: Fault, left: Option<usize>) {
        let number = *self.serial.borrow() + 1;
        self.inflicted.lock().unwrap().insert(0, Inflicted { number, on, fault, left });
        self.serial.send_replace(number);
    }

    /// Takes the faults of exactly these requests away.
    pub(super) fn heal(&self, on: &Requests) {
        self.inflicted.lock().unwrap().retain(|inflicted| inflicted.on != *on);
        self.serial.send_modify(|number| *number += 1);
    }

    /// Says when anything changes.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.serial.subscribe()
    }

    /// What a new request suffers from.
    pub(super) fn strike(&self, asked: &Asked) -> Option<Inflicted> {
        let mut all = self.inflicted.lock().unwrap();
        let place = all.iter().position(|inflicted| inflicted.on.include(asked))?;
        let inflicted = &mut all[place];
        if let Some(left) = &mut inflicted.left {
            *left -= 1;
            if *left == 0 {
                return Some(all.remove(place));
            }
        }
        Some(inflicted.clone())
    }

    /// What a response on its way suffers from.
    pub(super) fn weigh_on(&self, asked: &Asked) -> Option<Inflicted> {
        let all = self.inflicted.lock().unwrap();
        all.iter().find(|inflicted| inflicted.left.is_none() && inflicted.on.include(asked)).cloned()
    }

    /// Notes a request, and gives its number.
    pub(super) fn note(&self, asked: Asked) -> usize {
        let mut all = self.asked.lock().unwrap();
        all.push(asked);
        all.len() - 1
    }

    /// Notes what became of it.
    pub(super) fn update(&self, number: usize, change: impl FnOnce(&mut Asked)) {
        change(&mut self.asked.lock().unwrap()[number]);
    }

    /// The requests so far.
    pub(super) fn asked(&self, requests: &Requests) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().filter(|asked| requests.include(asked)).cloned().collect()
    }
}
