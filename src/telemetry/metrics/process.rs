//! What the process uses, as the kernel says it at the moment of asking.
//!
//! Rules: names and meanings are those of Prometheus's client libraries, so that dashboards for any process have this one too. What the
//! kernel does not say is not shown.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Ticks of `/proc/self/stat` in a second. The kernel's own clock may tick otherwise; what it tells programs has been this on every
/// architecture that we are built for.
const TICKS: f64 = 100.0;

/// This process.
#[derive(Debug)]
pub(super) struct ProcessMetrics {
    begun: SystemTime,
}

impl Default for ProcessMetrics {
    fn default() -> Self {
        Self { begun: SystemTime::now() }
    }
}

impl Collector for ProcessMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let file = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
        if let Some(seconds) = cpu_seconds(&file("stat")) {
            let help = "CPU time that the process has used, of the kernel's work for it too";
            let counter =
                encoder.encode_descriptor("process_cpu_seconds", help, None, MetricType::Counter)?;
            ConstCounter::new(seconds).encode(counter)?;
        }
        let mut gauge = |name, help, value: Option<f64>| {
            let Some(value) = value else { return Ok(()) };
            let encoder = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(value).encode(encoder)
        };
        let memory = resident_kilobytes(&file("status")).map(|kilobytes| kilobytes * 1024.0);
        gauge("process_resident_memory_bytes", "Resident memory", memory)?;
        #[expect(clippy::cast_precision_loss, reason = "a process has fewer than 2^53 files open")]
        let open = fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count() as f64);
        gauge("process_open_fds", "Open file descriptors", open)?;
        gauge("process_max_fds", "File descriptors that may be open", most_files(&file("limits")))?;
        let begun = self.begun.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs_f64());
        gauge("process_start_time_seconds", "When the process started, in Unix seconds", begun)
    }
}

/// Of `/proc/self/stat`: time of the process and of the kernel for it, the 14th field and the 15th. The second is a name in parentheses,
/// which may have anything in it.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}

/// Of `/proc/self/status`.
fn resident_kilobytes(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// Of `/proc/self/limits`: the soft one; none where it is `unlimited`.
fn most_files(limits: &str) -> Option<f64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_where_the_kernel_has_them() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 90 0 0 0 250 50 9 9 20 0 4 0 8000 1000 500";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(resident_kilobytes("VmHWM:\t  9000 kB\nVmRSS:\t    8192 kB\n"), Some(8192.0));
        let limits =
            |soft| format!("Max processes 1 2 processes\nMax open files            {soft}  4096  files\n");
        assert_eq!(most_files(&limits("1024")), Some(1024.0));
        assert_eq!(most_files(&limits("unlimited")), None);
    }
}
