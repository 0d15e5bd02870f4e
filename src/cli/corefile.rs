//! `corefile`: the server blocks that lead every declared name to meshdns, and what does not come to it.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use meshdns::config::Settings;
use meshdns::corefile::Corefiles;
use meshdns::model::Name;
use meshdns::report::{ClientTls, Declared, Delegation, MeshdnsAt, Platform, Wanted, gaps_text};

use super::declared::declared;
use super::flags::AnswerFlags;
use super::kept_blocks::keep;
use super::output::Output;
use super::surroundings::{corefiles, text};
use super::{FINDINGS, UNUSABLE};

/// Arguments of `corefile`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  meshdns corefile --config meshdns.yaml --for kubeadm --meshdns-at 10.96.0.53
  meshdns corefile --config meshdns.yaml --for eks --corefile Corefile --meshdns-at 10.96.0.53 > values.json
  meshdns corefile --config meshdns.yaml --for nodelocal --meshdns-at 10.96.0.53:53
  meshdns corefile --config meshdns.yaml --server http://127.0.0.1:8081 --watch /etc/coredns/custom/meshdns.server

What to apply goes to standard output, what does not come to meshdns to standard error. Nothing is applied, and no API server is written to.
Exit codes: 0 fine, 1 there are findings, 2 bad usage or settings, or a Corefile that CoreDNS would refuse.")]
pub(super) struct Corefile {
    /// What has the cluster's DNS: coredns, kubeadm, aks, eks, gke, kube-dns, nodelocal
    #[arg(long = "for", value_name = "PLATFORM", value_parser = platform(), default_value = "coredns", hide_possible_values = true)]
    platform: Platform,
    /// Where meshdns is asked: an address, with a port or without, or unix:///path; repeatable [default: as Corefiles or settings have it]
    #[arg(long, value_name = "ADDRESS", value_parser = meshdns_at)]
    meshdns_at: Vec<MeshdnsAt>,
    /// Files by which CoreDNS speaks TLS to meshdns, as its pods find them: CERT,KEY,CA or CA
    #[arg(long, value_name = "FILES", value_delimiter = ',', value_parser = word)]
    tls: Vec<String>,
    /// DNS name in the certificate of meshdns
    #[arg(long, value_name = "NAME", requires = "tls", value_parser = word)]
    tls_servername: Option<String>,
    /// Corefile that is there now: tells what does not come to meshdns; repeatable, in the order from the client
    #[arg(long = "corefile", value_name = "FILE")]
    corefiles: Vec<PathBuf>,
    /// Domain of the cluster, which kube-dns keeps for itself and node caches send to the cluster's DNS
    #[arg(long, value_name = "DOMAIN", default_value = "cluster.local", value_parser = domain)]
    cluster_domain: Name,
    /// Address that the blocks listen on; repeatable [default: as the Corefile has it; for nodelocal 169.254.20.10]
    #[arg(long, value_name = "ADDRESS", value_parser = word)]
    bind: Vec<String>,
    /// Ask a running server by the URL of its admin listener what is declared, instead of reading objects
    #[arg(long, value_name = "URL", env = "MESHDNS_SERVER", hide_env_values = true)]
    server: Option<String>,
    /// Write the blocks to this file for a Corefile to import, again whenever what is declared changes
    #[arg(long, value_name = "FILE")]
    watch: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    #[command(flatten)]
    answers: AnswerFlags,
}

/// All that does not change while we watch.
struct Fixed {
    settings: Settings,
    platform: Platform,
    corefiles: Corefiles,
    before: Option<String>,
    at: Vec<MeshdnsAt>,
    tls: Option<ClientTls>,
    cluster_domain: Name,
    bind: Vec<String>,
}

impl Corefile {
    /// Prints what to apply, or keeps a file up to date.
    pub(super) fn run(self) -> Result<ExitCode> {
        let files = match corefiles(&self.corefiles)? {
            Ok(files) => files,
            Err(error) => {
                eprintln!("{error}");
                return Ok(ExitCode::from(UNUSABLE));
            }
        };
        let settings = self.answers.settings(None)?;
        let plain = self.meshdns_at.iter().filter_map(|at| match at {
            MeshdnsAt::Address(ip, port) => Some(SocketAddr::new(*ip, port.unwrap_or(53))),
            MeshdnsAt::Unix(_) => None,
        });
        let asked = plain.chain(settings.listen.dns.iter().copied()).collect();
        let fixed = Fixed {
            before: self.corefiles.last().map(|path| text(path)).transpose()?,
            corefiles: Corefiles::new(files, asked),
            settings,
            platform: self.platform,
            at: self.meshdns_at,
            tls: (!self.tls.is_empty())
                .then_some(ClientTls { files: self.tls, server_name: self.tls_servername }),
            cluster_domain: self.cluster_domain,
            bind: self.bind,
        };
        let server = self.server.as_deref();
        match &self.watch {
            Some(path) => {
                ensure!(
                    fixed.platform.is_importable(),
                    "--watch: what `--for {}` prints is no file that a Corefile imports",
                    fixed.platform.as_str()
                );
                keep(path, &fixed.settings, server, |declared| fixed.delegation(declared))?;
                Ok(ExitCode::SUCCESS)
            }
            None => {
                let found = fixed.delegation(&declared(&fixed.settings, server)?)?;
                self.output.print(&found, |found| found.text.clone())?;
                if self.output == Output::Text {
                    eprint!("{}", gaps_text(&found));
                }
                Ok(if found.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
            }
        }
    }
}

impl Fixed {
    fn delegation(&self, declared: &Declared) -> Result<Delegation> {
        Ok(Delegation::of(&Wanted {
            platform: self.platform,
            settings: &self.settings,
            declared,
            corefiles: &self.corefiles,
            before: self.before.as_deref(),
            at: self.at.clone(),
            tls: self.tls.clone(),
            cluster_domain: self.cluster_domain.clone(),
            bind: self.bind.clone(),
        })?)
    }
}

fn platform() -> impl TypedValueParser<Value = Platform> {
    let names = PossibleValuesParser::new(Platform::ALL.map(Platform::as_str));
    names.try_map(|name| {
        Platform::ALL
            .into_iter()
            .find(|platform| platform.as_str() == name)
            .context("no platform has this name")
    })
}

fn meshdns_at(text: &str) -> Result<MeshdnsAt> {
    if let Some(path) = text.strip_prefix("unix://") {
        ensure!(
            path.starts_with('/'),
            "`{text}` does not name a socket by its absolute path, such as unix:///run/meshdns/dns.sock"
        );
        return Ok(MeshdnsAt::Unix(PathBuf::from(word(path)?)));
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(MeshdnsAt::Address(ip, None));
    }
    match text.parse::<SocketAddr>() {
        Ok(at) => Ok(MeshdnsAt::Address(at.ip(), Some(at.port()))),
        Err(_) => bail!(
            "`{text}` is not an address, such as 10.96.0.53 or 127.0.0.1:8053, nor unix:///path; CoreDNS takes no names here"
        ),
    }
}

/// A word of a Corefile.
fn word(text: &str) -> Result<String> {
    let is_plain = |letter: char| !letter.is_whitespace() && !"\"`{}#".contains(letter);
    ensure!(
        !text.is_empty() && text.chars().all(is_plain),
        "`{text}` is no word of a Corefile: it has blanks, quotes, braces or `#`"
    );
    Ok(text.to_owned())
}

fn domain(text: &str) -> Result<Name> {
    Ok(Name::parse(text)?)
}
