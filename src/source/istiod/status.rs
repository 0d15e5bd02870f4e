//! How the source stands, for metrics, readiness and whoever keeps tables.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Kept, Table, View};
use crate::model::{Defect, Kind};
use crate::source::Report;
use crate::telemetry::metrics::{IstiodFigures, TableAge};

/// Whether a stream stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// The first one is on its way.
    #[default]
    Connecting,
    /// There is a connection, and nothing came on it yet.
    Asked,
    /// It does.
    Up,
    /// It does not; why the last one ended, or did not come about.
    Down(String),
}

/// How the source stands.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// The stream.
    pub link: Link,
    /// The table in use: what istiod sent last of what could be used, or what was kept of an earlier run.
    pub table: Option<Arc<Table>>,
    /// Whether that table is what istiod says now: it came over the stream that stands, and nothing after it was
    /// refused.
    pub current: bool,
    /// When that was last known to be so.
    pub confirmed: Option<SystemTime>,
    /// What is wrong with the table.
    pub defects: Arc<[Defect]>,
    /// Why the last response was refused, if nothing could be used since.
    pub refused: Option<String>,
    /// Responses that we refused, since the start.
    pub nacks: u64,
    /// Attempts to connect after the first.
    pub reconnects: u64,
}

impl Status {
    /// As metrics. A table that is what istiod says now has no age, however long ago it came: a silent istiod has
    /// nothing new to say as long as it answers pings.
    pub fn figures(&self) -> IstiodFigures {
        let age = match (&self.table, self.confirmed) {
            (None, _) | (_, None) => TableAge::NoTable,
            (Some(_), Some(_)) if self.current => TableAge::Current,
            (Some(_), Some(at)) => TableAge::Since(at),
        };
        IstiodFigures {
            connected: self.link == Link::Up,
            age,
            rows: self.table.as_ref().map_or(0, |table| table.rows.len() as u64),
            nacks: self.nacks,
            reconnects: self.reconnects,
        }
    }

    /// What would have to be kept of it now.
    pub fn to_keep(&self, view: &View) -> Option<Kept> {
        let confirmed = if self.current { SystemTime::now() } else { self.confirmed? };
        Some(Kept { view: view.clone(), table: Arc::clone(self.table.as_ref()?), confirmed })
    }

    /// Why there is no table yet, for those who wait for one.
    pub fn waits_for(&self) -> String {
        match (&self.link, &self.refused) {
            (Link::Down(cause), _) => cause.clone(),
            (_, Some(cause)) => format!("its table cannot be used: {cause}"),
            (Link::Asked | Link::Up, None) => "it has not sent a table yet".to_owned(),
            (Link::Connecting, None) => "connecting".to_owned(),
        }
    }

    /// The same as every source reports.
    pub fn report(&self) -> Report {
        let rows = self.table.as_ref().map_or(0, |table| table.rows.len() as u64);
        let objects = if rows > 0 { [(Kind::TableRow, rows)].into() } else { Default::default() };
        Report { objects, defects: self.defects.to_vec(), ..Report::default() }
    }

    /// The stream is lost, or what it says cannot be used: from now on the table grows old. `unnoticed` is how long
    /// ago that may have begun.
    pub(super) fn outdate(&mut self, unnoticed: Duration) {
        if std::mem::take(&mut self.current) {
            let now = SystemTime::now();
            let known = self.confirmed.unwrap_or(now);
            self.confirmed = Some(now.checked_sub(unnoticed).unwrap_or(now).max(known));
        }
    }
}
