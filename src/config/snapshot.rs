//! `snapshot` of a source: where its objects are kept for restarts, and how old they may get.
//!
//! `snapshot: {}` keeps one; `off`, like nothing, keeps none. Whatever is left out has a default.

use std::path::PathBuf;
use std::time::Duration;

use super::section::Section;
use super::sources::path;
use super::state_directory::state_directory;

/// A day.
const MAX_AGE: Duration = Duration::from_secs(86_400);
const EVERY: Duration = Duration::from_secs(60);
/// A year, in seconds.
const LONGEST: i64 = 31_536_000;
/// The name of the file where only a directory is known.
const FILE: &str = "snapshot.meshdns";

/// Where a snapshot is kept, and which ones are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotSettings {
    /// Its file. Default: `snapshot.meshdns` in the state directory.
    pub file: Option<PathBuf>,
    /// How long the source may have been away for its snapshot to be used. Default: a day.
    pub max_age: Duration,
    /// How often one is written at most. Default: 60 seconds.
    pub every: Duration,
}

/// There is no place for the file that could be taken without being told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "sources.kubernetes.snapshot.file is missing: none of STATE_DIRECTORY, XDG_STATE_HOME and HOME says where the \
     snapshot for restarts goes; set it, or write `snapshot: off`"
)]
pub struct NoSnapshotFile;

impl Default for SnapshotSettings {
    fn default() -> Self {
        Self { file: None, max_age: MAX_AGE, every: EVERY }
    }
}

impl SnapshotSettings {
    /// Reads `snapshot` of the section of a source; none if nothing is said about it, or it is turned off.
    pub(super) fn read(source: &mut Section<'_>) -> Option<Self> {
        if !source.has("snapshot") || source.says("snapshot", "off") {
            source.take("snapshot");
            return None;
        }
        let used = source.section("snapshot", |section| {
            let mut used = Self {
                file: section.take("file").and_then(|field| field.parsed("a path", path)),
                ..Self::default()
            };
            section.set("maxAge", &mut used.max_age, |field| field.integer("seconds", seconds));
            let every = section.take("every");
            let place = every.as_ref().map(|field| field.place.clone());
            if let Some(every) = every.and_then(|field| field.integer("seconds", seconds)) {
                used.every = every;
            }
            match place {
                Some(place) if used.every > used.max_age => {
                    let (every, most) = (used.every.as_secs(), used.max_age.as_secs());
                    section.problem(
                        &place,
                        &format!("{every} s are longer than a snapshot may be old (maxAge, {most} s)"),
                    );
                }
                _ => used.every = used.every.min(used.max_age),
            }
            used
        });
        Some(used)
    }

    /// The file, by the settings or else in the state directory that the environment names.
    pub fn file_or_default(
        &self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<PathBuf, NoSnapshotFile> {
        match &self.file {
            Some(file) => Ok(file.clone()),
            None => state_directory(variable).map(|directory| directory.join(FILE)).ok_or(NoSnapshotFile),
        }
    }
}

fn seconds(seconds: i64) -> Result<Duration, String> {
    let range = || format!("{seconds} is out of range: seconds from 1 to {LONGEST}");
    let within = u64::try_from(seconds).ok().filter(|_| (1..=LONGEST).contains(&seconds));
    within.map(Duration::from_secs).ok_or_else(range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::report::Report;
    use crate::yaml::documents;

    fn read(text: &str) -> Result<Option<SnapshotSettings>, String> {
        let report = Report::new("meshdns.yaml");
        let tree = documents(text).next().unwrap().parse().unwrap();
        let settings = Section::root(&report, &tree, SnapshotSettings::read);
        report.conclude(Some(settings)).map_err(|problems| problems.to_string())
    }

    #[test]
    fn a_snapshot_is_kept_when_something_is_said_about_it() {
        let second = Duration::from_secs(1);
        let default = SnapshotSettings::default();
        assert_eq!((default.max_age, default.every), (86_400 * second, 60 * second));
        assert_eq!(read("snapshot: {}"), Ok(Some(default.clone())));
        for text in ["snapshot:", "snapshot: off"] {
            assert_eq!(read(text), Ok(None), "{text}");
        }
        let given = SnapshotSettings { file: Some("a".into()), max_age: 3600 * second, every: second };
        assert_eq!(read("snapshot: {file: a, maxAge: 3600, every: 1}"), Ok(Some(given)));
        let short = read("snapshot: {maxAge: 30}").unwrap().unwrap();
        assert_eq!(short.every, 30 * second, "one that is left out fits");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = [
            ("snapshot: {file: ''}", "snapshot.file: the path is empty"),
            ("snapshot: {maxAge: 0}", "snapshot.maxAge: 0 is out of range: seconds from 1 to 31536000"),
            ("snapshot: {maxAge: 31536001}", "snapshot.maxAge: 31536001 is out of range"),
            ("snapshot: {every: -1}", "snapshot.every: -1 is out of range"),
            ("snapshot: {every: 1m}", "snapshot.every: `1m` is text: seconds is expected"),
            (
                "snapshot: {every: 7200, maxAge: 3600}",
                "snapshot.every: 7200 s are longer than a snapshot may be old",
            ),
            ("snapshot: {maxage: 1}", "did you mean `maxAge`?"),
            ("snapshot: here", "snapshot: `here` is text: a mapping is expected"),
            ("snapshot: false", "snapshot: `false` is a boolean: a mapping is expected"),
        ];
        for (text, expected) in refused {
            let told = read(text).unwrap_err();
            assert!(told.contains(expected), "{text}: {told}");
        }
    }

    #[test]
    fn the_file_is_in_the_state_directory_unless_said() {
        let file = |settings: &SnapshotSettings, variables: &[(&str, &str)]| {
            settings.file_or_default(|name| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            })
        };
        let default = SnapshotSettings::default();
        assert_eq!(file(&default, &[("STATE_DIRECTORY", "/a:/b")]), Ok("/a/snapshot.meshdns".into()));
        assert_eq!(
            file(&default, &[("STATE_DIRECTORY", ""), ("HOME", "/h")]),
            Ok("/h/.local/state/meshdns/snapshot.meshdns".into())
        );
        let told = file(&default, &[]).unwrap_err().to_string();
        assert!(told.contains("sources.kubernetes.snapshot.file is missing"), "{told}");
        let named = SnapshotSettings { file: Some("/c".into()), ..default };
        assert_eq!(file(&named, &[]), Ok("/c".into()));
    }
}
