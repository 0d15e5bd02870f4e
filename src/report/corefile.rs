//! What clients see of our TTLs through the Corefiles before us, and what is wrong with these. `docs/corefile.md` documents
//! the shapes.

mod bounds;
mod classes;
mod delegation;
mod finding;
mod given;
mod notes;
mod placeholder;
mod protection;
mod suggest;
mod text;
mod way;

use serde::Serialize;

use super::census::Census;
use crate::config::Settings;
use crate::corefile::{Corefiles, Route, Zone};
use crate::model::ZoneKind;
pub(super) use bounds::fitting;
pub use classes::{ReportedObjects, ReportedSpan, ReportedTtl};
pub(super) use finding::listed;
pub use finding::{ReportedFinding, ReportedNote};
use given::Given;
pub(super) use text::corefile_text;
pub use way::ReportedRoute;

/// The TTLs that reach clients, and what is wrong with the Corefiles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CorefileReport {
    /// The ways of names that meshdns answers, or would if `grpc` were in the last server block of the way.
    pub routes: Vec<ReportedRoute>,
    /// What is wrong.
    pub findings: Vec<ReportedFinding>,
    /// What is worth knowing and not wrong.
    pub notes: Vec<ReportedNote>,
}

/// All that the report is made of.
struct Seen<'c> {
    corefiles: &'c Corefiles,
    settings: &'c Settings,
    /// The zones of the settings.
    zones: Vec<(Zone, ZoneKind)>,
    /// The ways of all zones that the Corefiles or the settings tell apart, by the server block where they begin.
    ways: Vec<Vec<Way<'c>>>,
}

/// A way, and the TTLs that we give there.
struct Way<'c> {
    route: Route<'c>,
    given: Vec<Given>,
}

impl<'c> Seen<'c> {
    fn of(corefiles: &'c Corefiles, settings: &'c Settings, census: Option<&Census>) -> Self {
        let zones: Vec<_> = settings.zones.iter().map(|zone| (Zone::from(&zone.name), zone.kind)).collect();
        let names: Vec<Zone> = zones.iter().map(|(zone, _)| zone.clone()).collect();
        let mut seen = Self { corefiles, settings, ways: Vec::new(), zones };
        for start in corefiles.starts() {
            let zones = corefiles.zones_of(start, &names);
            let given = given::given(&seen, &zones, census);
            let routes = zones.iter().map(|zone| corefiles.route(start, zone));
            seen.ways.push(routes.zip(given).map(|(route, given)| Way { route, given }).collect());
        }
        seen
    }

    /// The kind of our zone that a zone is in.
    fn kind(&self, zone: &Zone) -> Option<ZoneKind> {
        let ours = self.zones.iter().filter(|(ours, _)| ours.holds(zone));
        ours.max_by_key(|(ours, _)| ours.to_string().len()).map(|(_, kind)| *kind)
    }

    /// What a zone can have: as our zone that it is in; a reverse zone has addresses whosever it is.
    fn contents(&self, zone: &Zone) -> Option<ZoneKind> {
        self.kind(zone).or_else(|| zone.is_reverse().then_some(ZoneKind::Reverse))
    }

    fn ways(&self) -> impl Iterator<Item = &Way<'c>> {
        self.ways.iter().flatten()
    }

    fn routes(&self) -> impl Iterator<Item = &Route<'c>> {
        self.ways().map(|way| &way.route)
    }
}

impl CorefileReport {
    /// Of Corefiles, under these settings and with the objects that are there; without a census nobody looked for any.
    pub fn of(corefiles: &Corefiles, settings: &Settings, census: Option<&Census>) -> Self {
        let seen = Seen::of(corefiles, settings, census);
        let mut report = Self { routes: way::ways(&seen), ..Self::default() };
        placeholder::check(&seen, &mut report.findings);
        delegation::check(&seen, &mut report.findings);
        protection::check(&seen, &mut report.findings, &mut report.notes);
        bounds::check(&seen, &mut report.findings);
        notes::collect(&seen, &mut report.notes);
        report
    }
}
