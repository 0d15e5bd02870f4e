//! Answers and records told to people and programs: the shapes that `explain` and `records` print as text and JSON, and
//! that the admin listener serves, and what `check` finds. `docs/explain.md` documents them.
//!
//! Nothing here decides about answers: a question goes through `wire` like any other, with a recorder for its notes.

mod ask;
mod census;
mod check;
mod conflicts;
mod corefile;
mod delegation;
mod explanation;
mod ledger;
mod listing;
mod nearby;
mod parity;
mod plan;
mod render;

pub use ask::{BadQuestion, Question, explain};
pub use census::Census;
pub use check::{CheckReport, ReportedFile, ReportedProblem, check_text};
pub use conflicts::{Conflict, Loser, conflicts, conflicts_text};
pub use corefile::{
    CorefileReport, ReportedFinding, ReportedNote, ReportedObjects, ReportedRoute, ReportedSpan, ReportedTtl,
};
pub use delegation::{
    ClientTls, Declared, DeclaredHost, Delegation, Fate, Gap, MARK, MeshdnsAt, Platform, Refused,
    ReportedGap, Wanted, gaps_text,
};
pub use explanation::{Explanation, ReportedDefect, ReportedRecord, ReportedStaleness, ReportedStep, Status};
pub use ledger::{ReportedConflict, ReportedHost, ReportedLedger, ledger_text};
pub use listing::{BadFilter, Filter, ReportedLine, records};
pub use parity::{ParityReport, ReportedDifference, Socket, parity_text};
pub use plan::{Plan, Silent, Standing, plan_text};
pub use render::{listing_text, text};
