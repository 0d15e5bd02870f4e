//! The one writer: folds changes into the inventory and publishes the units they touch.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::allocate::{Allocator, NoAllocator};
use crate::catalog::{Catalog, compile};
use crate::inventory::{Inventory, UnitKey};
use crate::model::Change;

/// Owns the inventory; the only one that publishes to its catalog.
pub struct Keeper {
    inventory: Inventory,
    allocator: Box<dyn Allocator>,
    catalog: Arc<Catalog>,
}

impl Keeper {
    /// Starts with nothing known, and nothing that gives addresses to hosts.
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self::with_allocator(catalog, Box::new(NoAllocator))
    }

    /// Starts with nothing known.
    pub fn with_allocator(catalog: Arc<Catalog>, allocator: Box<dyn Allocator>) -> Self {
        Self { inventory: Inventory::default(), allocator, catalog }
    }

    /// Takes one change of one source in; when it returns, every reader sees it. Says how many units it touched.
    pub fn apply(&mut self, source: u8, change: Change) -> usize {
        let mut touched = self.inventory.apply(source, change);
        touched.append(&mut self.allocator.update(&self.inventory, &touched));
        self.publish(&touched);
        touched.len()
    }

    fn publish(&self, touched: &BTreeSet<UnitKey>) {
        for key in touched {
            let unit = compile(&self.inventory, &*self.allocator, key, &self.catalog.policy.compile);
            self.catalog.publish(key.clone(), unit);
        }
    }

    /// What is known.
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }
}

/// Applies updates until every source is gone. `listed` is told of each source's complete state once it answers.
#[cfg(feature = "server")]
pub async fn keep(
    mut updates: tokio::sync::mpsc::Receiver<crate::source::Update>,
    mut keeper: Keeper,
    mut listed: impl FnMut(crate::source::SourceId),
) {
    while let Some(update) = updates.recv().await {
        let complete = matches!(update.change, Change::Replace(_));
        let units = keeper.apply(update.source.0, update.change);
        tracing::debug!(source = update.source.0, units, "published");
        if complete {
            listed(update.source);
        }
    }
}
