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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    struct Scratch {
        directory: tempfile::TempDir,
        files: TlsFiles,
    }

    impl Scratch {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let path = |name: &str| directory.path().join(name);
            let (certificate, key) = (path("tls.crt"), path("tls.key"));
            let settings = TlsSettings { certificate, key, client_ca: None, client_names: Vec::new() };
            Self { directory, files: TlsFiles::new(settings) }
        }

        fn write(&self, name: &str, text: &str) {
            std::fs::write(self.directory.path().join(name), text).unwrap();
        }

        /// What comes of a look: nothing new, the names of the certificate, or what is wrong.
        fn look(&mut self, told: bool, now: u64) -> Option<Result<String, String>> {
            let made = self.files.look(told, now)?;
            Some(made.map(|identity| identity.certificate.to_string()).map_err(|problem| problem.message))
        }
    }

    /// A certificate for this name, valid from 2027-01-15 on, and its key.
    fn pair(name: &str) -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2027, 1, 15);
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn a_change_counts_when_two_looks_find_the_same() {
        let mut scratch = Scratch::new();
        let ((first, first_key), (second, second_key)) = (pair("first"), pair("second"));
        scratch.write("tls.crt", &first);
        scratch.write("tls.key", &first_key);
        assert_eq!(scratch.look(false, NOW), Some(Ok("first".to_owned())));
        assert_eq!(scratch.look(false, NOW), None);
        // Between the two files of somebody who writes one after the other.
        scratch.write("tls.crt", &second);
        assert_eq!(scratch.look(false, NOW), None);
        scratch.write("tls.key", &second_key);
        assert_eq!(scratch.look(false, NOW), None);
        assert_eq!(scratch.look(false, NOW), Some(Ok("second".to_owned())));
        assert_eq!(scratch.look(false, NOW), None);
        assert_eq!(scratch.look(true, NOW), Some(Ok("second".to_owned())));
    }

    #[test]
    fn what_is_wrong_is_told_once_and_again_to_who_asks() {
        let mut scratch = Scratch::new();
        let ((good, key), (other, _)) = (pair("good"), pair("other"));
        scratch.write("tls.crt", &other);
        scratch.write("tls.key", &key);
        let told = scratch.look(false, NOW).unwrap().unwrap_err();
        assert!(told.starts_with("is not the key of the certificate in "), "{told}");
        assert_eq!(scratch.look(false, NOW), None);
        assert_eq!(scratch.look(true, NOW), Some(Err(told)));
        scratch.write("tls.crt", &good);
        assert_eq!(scratch.look(false, NOW), None);
        assert_eq!(scratch.look(false, NOW), Some(Ok("good".to_owned())));
    }

    #[test]
    fn time_alone_may_mend_it() {
        let mut scratch = Scratch::new();
        let (certificate, key) = pair("early");
        scratch.write("tls.crt", &certificate);
        scratch.write("tls.key", &key);
        let early = "is not valid before 2027-01-15T00:00:00Z";
        assert_eq!(scratch.look(false, 1_799_971_199), Some(Err(early.to_owned())));
        assert_eq!(scratch.look(false, 1_799_971_199), None);
        assert_eq!(scratch.look(false, 1_799_971_200), Some(Ok("early".to_owned())));
    }

    #[test]
    fn what_is_no_file_of_that_kind_is_not_read() {
        let mut scratch = Scratch::new();
        let (certificate, _) = pair("good");
        scratch.write("tls.crt", &certificate);
        scratch.write("tls.key", &"x".repeat(usize::try_from(LARGEST).unwrap() + 1));
        let told = scratch.look(false, NOW).unwrap().unwrap_err();
        assert_eq!(told, "is larger than 1048576 octets");
        std::fs::remove_file(scratch.directory.path().join("tls.key")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", scratch.directory.path().join("tls.key")).unwrap();
        assert_eq!(scratch.look(true, NOW), Some(Err("is not a file".to_owned())));
    }
}
