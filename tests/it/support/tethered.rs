//! Programs that end with the test process, also when nothing is dropped: those in statics, those of a test that is killed.

use std::path::Path;
use std::process::{ChildStdin, Command};
use std::sync::Mutex;
use std::time::Duration;

use super::process::Process;

/// Runs a program, says its number, and holds nothing of its output. When the standard input ends, because whoever writes
/// there is gone, it removes a directory and kills its process group: the program, and itself.
const TETHER: &str = r#"directory=$1; shift
"$@" </dev/null &
echo "tethered $!"
exec >/dev/null 2>&1
cat
rm -rf "$directory"
kill -9 0"#;

/// A running program that is killed when this is dropped, or when we end in whatever way.
pub(crate) struct Tethered {
    /// The shell that holds the program.
    process: Mutex<Process>,
    tether: Option<ChildStdin>,
    program: String,
}

impl Tethered {
    /// Starts it in the project's directory. `directory` is the program's alone: it goes when the program does.
    pub(crate) fn start(command: &Command, directory: Option<&Path>) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", TETHER]);
        // The name that errors are reported under.
        shell.arg(command.get_program()).arg(directory.unwrap_or(Path::new(""))).arg(command.get_program());
        shell.args(command.get_args());
        let (mut process, tether) =
            Process::start_tethered(&mut shell, &command.get_program().to_string_lossy());
        let program = process.reply("tethered ")["tethered ".len()..].to_owned();
        Self { process: Mutex::new(process), tether: Some(tether), program }
    }

    /// Waits until `met` says so of the lines printed so far or of the world; panics when the program ends before.
    pub(crate) fn wait_until(&self, what: &str, met: impl FnMut(&[String]) -> bool) {
        self.process.lock().unwrap().wait_until(what, met);
    }

    /// The same, with a text of what went wrong.
    pub(crate) fn try_wait_until(
        &self,
        what: &str,
        met: impl FnMut(&[String]) -> bool,
    ) -> Result<(), String> {
        self.process.lock().unwrap().try_wait_until(what, met)
    }

    /// How long to wait from now on.
    pub(crate) fn be_patient(&self, patience: Duration) {
        self.process.lock().unwrap().patience = patience;
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.program]).status();
        assert!(status.is_ok_and(|status| status.success()), "kill -s {name} {}", self.program);
    }

    /// Its process number.
    pub(crate) fn id(&self) -> &str {
        &self.program
    }

    /// The last lines that it printed.
    pub(crate) fn last_words(&self) -> String {
        self.process.lock().map(|mut process| process.last_words()).unwrap_or_default()
    }
}

impl Drop for Tethered {
    fn drop(&mut self) {
        self.tether = None;
        if let Ok(process) = self.process.get_mut() {
            process.wait();
        }
    }
}
