//! A file that a Corefile imports, and that only we write.
//!
//! Rules: the file is replaced as a whole, by a rename inside its directory, so that CoreDNS never reads half of it. A file that does not
//! begin as ours do is somebody's own and stays as it is. What is the same is not written again, because CoreDNS's `reload` would
//! start everything anew.

use std::fmt;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use meshdns::report::MARK;

/// The file.
pub(super) struct ImportFile {
    path: PathBuf,
}

impl fmt::Display for ImportFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

impl ImportFile {
    /// At a path that has a name and a directory.
    pub(super) fn at(path: &Path) -> Result<Self> {
        ensure!(path.file_name().is_some(), "--watch: `{}` names no file", path.display());
        Ok(Self { path: path.to_owned() })
    }

    /// Replaces what is there; says whether anything changed.
    pub(super) fn put(&self, text: &str) -> Result<bool> {
        match fs::read_to_string(&self.path) {
            Ok(known) if known == text => return Ok(false),
            Ok(known) if !known.is_empty() && !known.starts_with(MARK) => bail!(
                "{}: this file was not written by `meshdns corefile`, so it is left as it is",
                self.path.display()
            ),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| self.path.display().to_string()),
        }
        self.replace(text).with_context(|| format!("{} cannot be written", self.path.display()))?;
        Ok(true)
    }

    fn replace(&self, text: &str) -> std::io::Result<()> {
        // Hidden, and with an end of its own: no pattern of an `import` takes it.
        let mut name = std::ffi::OsString::from(".");
        name.push(self.path.file_name().unwrap_or_default());
        name.push(format!(".{}.new", std::process::id()));
        let new = self.path.with_file_name(name);
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        let replaced = written.and_then(|()| fs::rename(&new, &self.path));
        if replaced.is_err() {
            let _ = fs::remove_file(&new);
        }
        replaced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn only_our_files_are_replaced() {
        let folder = folder();
        let path = folder.path().join("meshdns.server");
        let file = ImportFile::at(&path).unwrap();
        let text = format!("{MARK} --for coredns.\n");
        assert!(file.put(&text).unwrap());
        assert!(!file.put(&text).unwrap());
        assert!(file.put(&format!("{text}# more\n")).unwrap());
        fs::write(&path, "example.org {\n}\n").unwrap();
        let error = file.put(&text).unwrap_err().to_string();
        assert!(error.ends_with("was not written by `meshdns corefile`, so it is left as it is"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "example.org {\n}\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_that_is_not_there_is_told() {
        let folder = folder();
        let file = ImportFile::at(&folder.path().join("no/such.server")).unwrap();
        let error = file.put("x").unwrap_err().to_string();
        assert!(error.ends_with("no/such.server cannot be written"), "{error}");
    }
}
