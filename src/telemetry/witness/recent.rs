//! The queries that were told about last, so that who reads an id can ask for more.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::{QueryId, Told};
use crate::model::Name;

/// So many are kept.
const KEPT: usize = 1024;

/// Their ids and questions.
#[derive(Debug, Default)]
pub struct Recent(Mutex<VecDeque<(QueryId, Name, u16)>>);

impl Recent {
    /// Keeps the question of a query.
    pub(super) fn keep(&self, told: &Told) {
        let Some((name, kind)) = &told.question else { return };
        let Ok(name) = Name::parse(name) else { return };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((told.id, name, *kind));
    }

    /// What a query asked: name and type.
    pub fn question(&self, id: QueryId) -> Option<(Name, u16)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().rev().find(|(known, ..)| *known == id)?;
        Some((found.1.clone(), found.2))
    }
}
