//! The table once, for commands.

use std::time::Duration;

use tokio::time::timeout;

use super::connect::{open, token};
use super::{Exchange, IstiodError, IstiodSettings, ListenerAddress, Step, Subscriptions, Table};
use crate::model::Defect;

/// What istiod says now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The name table.
    pub table: Table,
    /// What is wrong with it.
    pub defects: Vec<Defect>,
    /// Where the listeners of the proxy are bound; empty when they were not asked for.
    pub listeners: Vec<ListenerAddress>,
}

/// Connects, takes what is subscribed to, and hangs up; all of it within `deadline`. Nothing is tried twice, and
/// anything that cannot be used is an error.
pub async fn fetch(
    settings: &IstiodSettings,
    subscriptions: Subscriptions,
    deadline: Duration,
) -> Result<Fetched, IstiodError> {
    let silent = IstiodError::Silent { endpoint: settings.endpoint.clone(), after: deadline };
    timeout(deadline, ask(settings, subscriptions)).await.map_err(|_| silent)?
}

async fn ask(settings: &IstiodSettings, subscriptions: Subscriptions) -> Result<Fetched, IstiodError> {
    let mut exchange = Exchange::new(&settings.node, subscriptions);
    let token = token(settings).await?;
    let mut stream = open(settings, token.as_ref(), &mut exchange).await?;
    let mut table = None;
    let mut listeners = (subscriptions == Subscriptions::NameTable).then(Vec::new);
    loop {
        let (step, reply) = exchange.take(stream.next().await?);
        if let Some(reply) = reply {
            stream.reply(reply)?;
        }
        match step {
            Step::Table(rows, version) => table = Some(Table::received(rows, version)),
            Step::Listeners(bound) => listeners = Some(bound),
            Step::BadTable(cause) | Step::BadListeners(cause) => {
                return Err(IstiodError::Unusable { endpoint: settings.endpoint.clone(), cause });
            }
            Step::Strange(_) | Step::Nothing => {}
        }
        match (table.take(), listeners.take()) {
            (Some((table, defects)), Some(listeners)) => return Ok(Fetched { table, defects, listeners }),
            (came, bound) => (table, listeners) = (came, bound),
        }
    }
}
