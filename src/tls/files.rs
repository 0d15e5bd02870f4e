//! The files of a listener, and when a change of them counts.
//!
//! Rules: files are looked at, not watched, because the swap of a mounted Secret happens in a hidden directory (`..data`), and SPIFFE
//! Helper writes one file after the other. So that nobody is caught between two of them, a change counts when two looks in a
//! row find the same. What cannot be used is told once; looks go on, because time alone may mend it.

use std::fmt;
use std::path::{Path, PathBuf};

use super::TlsSettings;
use super::identity::Identity;

/// More than any of the files needs: all authorities of the public Web are a fifth of this.
const LARGEST: u64 = 1 << 20;

/// What keeps a file from being used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct FileProblem {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, as the rest of a sentence.
    pub message: String,
}

impl FileProblem {
    pub(super) fn new(path: &Path, message: String) -> Self {
        Self { path: path.to_owned(), message }
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.message)
    }
}

type Content = Result<Vec<u8>, FileProblem>;

/// What the files have in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contents {
    certificate: Content,
    key: Content,
    client_ca: Option<Content>,
}

impl Contents {
    fn read(settings: &TlsSettings) -> Self {
        Self {
            certificate: read(&settings.certificate),
            key: read(&settings.key),
            client_ca: settings.client_ca.as_deref().map(read),
        }
    }

    pub(super) fn certificate(&self) -> Result<&[u8], FileProblem> {
        self.certificate.as_deref().map_err(Clone::clone)
    }

    pub(super) fn key(&self) -> Result<&[u8], FileProblem> {
        self.key.as_deref().map_err(Clone::clone)
    }

    pub(super) fn client_ca(&self) -> Result<Option<&[u8]>, FileProblem> {
        self.client_ca.as_ref().map(|content| content.as_deref().map_err(Clone::clone)).transpose()
    }
}

fn read(path: &Path) -> Content {
    let failed = |error: std::io::Error| FileProblem::new(path, format!("cannot be read: {error}"));
    let status = std::fs::metadata(path).map_err(failed)?;
    if !status.is_file() {
        return Err(FileProblem::new(path, "is not a file".to_owned()));
    }
    if status.len() > LARGEST {
        return Err(FileProblem::new(path, format!("is larger than {LARGEST} octets")));
    }
    std::fs::read(path).map_err(failed)
}

/// The files, and what was last found in them.
#[derive(Debug)]
pub struct TlsFiles {
    settings: TlsSettings,
    /// In the last look.
    seen: Option<Contents>,
    /// What was last made of them; no problem: the identity is in force.
    judged: Option<(Contents, Option<FileProblem>)>,
}

impl TlsFiles {
    /// Not looked at yet.
    pub fn new(settings: TlsSettings) -> Self {
        Self { settings, seen: None, judged: None }
    }

    /// Which they are.
    pub fn settings(&self) -> &TlsSettings {
        &self.settings
    }

    /// Looks at them at this time (Unix seconds): a new identity, or a new reason why there is none. The first look counts at once,
    /// and so do those that somebody asks for (`told`), who also hears again what was said before.
    pub fn look(&mut self, told: bool, now: u64) -> Option<Result<Identity, FileProblem>> {
        let contents = Contents::read(&self.settings);
        let settled = self.seen.as_ref().is_none_or(|seen| *seen == contents);
        self.seen = Some(contents.clone());
        if !settled && !told {
            return None;
        }
        let before = match &self.judged {
            Some((known, None)) if *known == contents && !told => return None,
            Some((_, problem)) if !told => problem.clone(),
            _ => None,
        };
        let made = Identity::new(&self.settings, &contents, now);
        let problem = made.as_ref().err().cloned();
        let is_news = made.is_ok() || problem != before;
        self.judged = Some((contents, problem));
        is_news.then_some(made)
    }
}

/// Everything that is wrong with the files now, and what is worth mending.
pub fn examined(settings: &TlsSettings, now: u64) -> Vec<FileProblem> {
    match Identity::new(settings, &Contents::read(settings), now) {
        Err(problem) => vec![problem],
        Ok(identity) => {
            let warnings = identity.warnings(now).into_iter();
            warnings.map(|warning| FileProblem::new(&settings.certificate, warning)).collect()
        }
    }
}
