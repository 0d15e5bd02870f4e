//! What `check` says of settings and manifests.

use std::collections::BTreeMap;

use serde::Serialize;

use super::corefile::{CorefileReport, corefile_text};
use super::explanation::ReportedDefect;
use crate::config::Problem;
use crate::corefile;
use crate::source::Report;
use crate::tls::FileProblem;

/// Everything that is wrong, and what was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// Why the settings are refused; nothing was read when there is any.
    pub problems: Vec<ReportedProblem>,
    /// What is wrong with the files of `listen.grpcTls`.
    pub certificates: Vec<ReportedFile>,
    /// What is wrong with objects.
    pub defects: Vec<ReportedDefect>,
    /// Objects in use, by kind.
    pub objects: BTreeMap<&'static str, u64>,
    /// Objects of kinds that DNS has no use for, by `apiVersion/kind`.
    pub skipped: BTreeMap<String, u64>,
    /// What Corefiles do to our answers, if any was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corefile: Option<CorefileReport>,
}

/// One file that should be replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedFile {
    /// The file.
    pub file: String,
    /// What is wrong with it, as the rest of a sentence.
    pub message: String,
}

/// One problem of the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedProblem {
    /// The settings file; empty for a flag or variable.
    pub file: String,
    /// Line in the file, from 1.
    pub line: Option<u32>,
    /// Path of the setting, or the flag.
    pub setting: String,
    /// What is wrong.
    pub message: String,
}

impl CheckReport {
    /// Of problems with the settings and what was read.
    pub fn of(problems: &[Problem], report: &Report) -> Self {
        Self {
            problems: problems.iter().map(Into::into).collect(),
            certificates: Vec::new(),
            defects: report.defects.iter().map(Into::into).collect(),
            objects: report.objects.iter().map(|(kind, count)| (kind.as_str(), *count)).collect(),
            skipped: report.skipped.clone(),
            corefile: None,
        }
    }

    /// Of a Corefile that CoreDNS would refuse.
    pub fn of_refused(error: &corefile::Error) -> Self {
        let problem = ReportedProblem {
            file: error.place.file.to_string(),
            line: Some(error.place.line),
            setting: "--corefile".to_owned(),
            message: error.message.clone(),
        };
        Self { problems: vec![problem], ..Self::of(&[], &Report::default()) }
    }

    /// Whether anything is wrong with what was read.
    pub fn has_findings(&self) -> bool {
        !self.defects.is_empty()
            || !self.certificates.is_empty()
            || self.corefile.as_ref().is_some_and(|found| !found.findings.is_empty())
    }
}

impl From<&FileProblem> for ReportedFile {
    fn from(problem: &FileProblem) -> Self {
        Self { file: problem.path.display().to_string(), message: problem.message.clone() }
    }
}

impl From<&Problem> for ReportedProblem {
    fn from(problem: &Problem) -> Self {
        Self {
            file: problem.file.clone(),
            line: problem.line,
            setting: problem.setting.clone(),
            message: problem.message.clone(),
        }
    }
}

/// The report as text: certificates, defects, one per line, then counts, then Corefiles.
pub fn check_text(found: &CheckReport) -> String {
    let of_files = found
        .certificates
        .iter()
        .map(|certificate| format!("{}: {}\n", certificate.file, certificate.message));
    let of_objects = found.defects.iter().map(|defect| format!("{defect}\n"));
    let mut text: String = of_files.chain(of_objects).collect();
    let defects = match found.certificates.len() + found.defects.len() {
        0 => "nothing is wrong".to_owned(),
        1 => "1 defect".to_owned(),
        count => format!("{count} defects"),
    };
    let listed = |counts: Vec<String>| if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
    let objects = listed(found.objects.iter().map(|(kind, count)| format!("{count} {kind}")).collect());
    let skipped = listed(found.skipped.iter().map(|(kind, count)| format!("{count} {kind}")).collect());
    text.push_str(&format!("{defects}\nobjects: {objects}\nskipped: {skipped}\n"));
    found.corefile.iter().for_each(|found| text.push_str(&corefile_text(found)));
    text
}
