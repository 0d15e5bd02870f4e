//! fstrm_capture, and BIND's reader of what it has written.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::process::{Meshdns, Process, written};

const OBJECTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}
";

/// A server that sends messages there.
pub(super) fn meshdns(endpoint: &str, more: &str) -> Meshdns {
    let manifests = written("objects.yaml", OBJECTS).display().to_string();
    Meshdns::start(&format!(
        "zones: [cluster.local]\nsources: {{manifests: ['{manifests}']}}\n\
         telemetry: {{dnstap: {{endpoint: '{endpoint}'{more}}}, queryLog: {{successes: 1}}}}\n"
    ))
}

/// A running fstrm_capture.
pub(super) struct Collector {
    process: Process,
    file: PathBuf,
}

impl Collector {
    /// At a Unix socket.
    pub(super) fn at(socket: &Path) -> Self {
        Self::listening(&["-u", &socket.display().to_string()])
    }

    /// Where its arguments say.
    pub(super) fn listening(arguments: &[&str]) -> Self {
        let file = written("beside", "").with_file_name("captured.fstrm");
        let mut command = Command::new("fstrm_capture");
        command.args(["-t", "protobuf:dnstap.Dnstap", "-d", "-d", "-d", "-w"]).arg(&file).args(arguments);
        Self { process: Process::start(&mut command), file }
    }

    /// Ends it at once, as if its machine were gone.
    pub(super) fn kill(mut self) {
        self.process.signal("KILL");
        self.process.wait_for_end();
    }

    /// Ends it, and says what is in its file.
    pub(super) fn octets(mut self) -> Vec<u8> {
        self.process.signal("TERM");
        self.process.wait_for_end();
        std::fs::read(&self.file).unwrap()
    }

    /// Ends it, and says what BIND reads in its file.
    pub(super) fn read(mut self, arguments: &[&str]) -> String {
        self.process.signal("TERM");
        self.process.wait_for_end();
        let output = Command::new("dnstap-read").args(arguments).arg(&self.file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// A place for a socket.
pub(super) fn socket() -> PathBuf {
    written("beside", "").with_file_name("dnstap.sock")
}
