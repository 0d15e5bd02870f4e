//! `corefile --watch`: a file that leads to meshdns whatever is declared at the time.
//!
//! Rules: the first time everything must work. From then on what cannot be read or written is told once, is tried again, and leaves the
//! last good file as it is. Manifests are followed by the source of the server, so that what a broken one gave before stays in use.

use std::future::pending;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use meshdns::config::Settings;
use meshdns::model::Defect;
use meshdns::report::{Declared, Delegation, gaps_text};
use meshdns::source::{Report, Update, manifests};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::declared::{asked, known};
use super::import_file::ImportFile;
use super::load::{Loaded, load};

/// Pause between two looks at a server, and before what failed is tried again. CoreDNS looks at its files every 30 s where `reload` says
/// nothing else, and at most every 2 s.
const PAUSE: Duration = Duration::from_secs(2);
/// A pause lasts at least so many times as long as the look before it, so that the list of a large catalog takes 5% of a core.
const PAUSE_PER_LOOK: u32 = 19;
/// Updates that wait to be taken.
const WAITING: usize = 16;

/// The file, and what was said of it.
struct Kept<F> {
    file: ImportFile,
    made: F,
    told: String,
    trouble: String,
}

/// Keeps a file as `made` makes it, until we are ended.
pub(super) fn keep(
    path: &Path,
    settings: &Settings,
    server: Option<&str>,
    made: impl Fn(&Declared) -> Result<Delegation>,
) -> Result<()> {
    let mut kept = Kept { file: ImportFile::at(path)?, made, told: String::new(), trouble: String::new() };
    match server {
        Some(server) => ask(&mut kept, server),
        None => follow(&mut kept, settings),
    }
}

impl<F: Fn(&Declared) -> Result<Delegation>> Kept<F> {
    /// The first time.
    fn begin(&mut self, declared: &Declared) -> Result<()> {
        self.put(declared)?;
        eprintln!("{}: written, and again whenever what is declared changes", self.file);
        Ok(())
    }

    /// Says whether the file changed.
    fn put(&mut self, declared: &Declared) -> Result<bool> {
        let found = (self.made)(declared)?;
        let gaps = gaps_text(&found);
        let is_new = self.file.put(&found.text)?;
        if gaps != self.told {
            eprint!("{gaps}");
            self.told = gaps;
        }
        Ok(is_new)
    }

    /// Every further time; says whether it went well.
    fn again(&mut self, declared: Result<Declared>) -> bool {
        let trouble = match declared.and_then(|declared| self.put(&declared)) {
            Ok(is_new) => {
                if is_new {
                    eprintln!("{}: written", self.file);
                }
                String::new()
            }
            Err(error) => format!("{error:#}"),
        };
        if trouble != self.trouble && !trouble.is_empty() {
            eprintln!("{trouble}; {} stays as it is", self.file);
        }
        self.trouble = trouble;
        self.trouble.is_empty()
    }
}

/// By what a running server lists.
fn ask<F: Fn(&Declared) -> Result<Delegation>>(kept: &mut Kept<F>, server: &str) -> Result<()> {
    kept.begin(&asked(server)?)?;
    let mut took = Duration::ZERO;
    loop {
        std::thread::sleep(PAUSE.max(took * PAUSE_PER_LOOK));
        let begin = Instant::now();
        kept.again(asked(server));
        took = begin.elapsed();
    }
}

/// By manifests.
fn follow<F: Fn(&Declared) -> Result<Delegation>>(kept: &mut Kept<F>, settings: &Settings) -> Result<()> {
    ensure!(
        settings.sources.kubernetes.is_none(),
        "--watch does not watch the API server itself: ask a running meshdns, with --server URL"
    );
    ensure!(
        !settings.sources.manifests.is_empty(),
        "--watch: nothing can change: give --server URL, or --manifests PATH"
    );
    // Manifests are read once, by who then holds on to what they said.
    let mut others = settings.clone();
    others.sources.manifests.clear();
    let mut loaded = load(&others)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (updates, mut incoming) = mpsc::channel::<Update>(WAITING);
        let (report, found) = watch::channel(Report::default());
        let taken = async {
            if let Some(first) = incoming.recv().await {
                take(&mut loaded, first);
                kept.begin(&known(&loaded))?;
            }
            let mut went_well = true;
            loop {
                let update = timeout(PAUSE, incoming.recv()).await;
                tell(&mut loaded.report.defects, &found.borrow().defects);
                match update {
                    Ok(Some(update)) => take(&mut loaded, update),
                    Ok(None) => return Ok(()),
                    Err(_) if went_well => continue,
                    Err(_) => {}
                }
                went_well = kept.again(Ok(known(&loaded)));
            }
        };
        tokio::select! {
            () = manifests::run(settings.sources.manifests.clone(), updates, report, pending()) => Ok(()),
            ended = taken => ended,
        }
    })
}

fn take(loaded: &mut Loaded, update: Update) {
    loaded.keeper.apply(update.source.0, update.change);
    loaded.keeper.store_nowhere();
}

/// Tells the defects that there were not before.
fn tell(before: &mut Vec<Defect>, now: &[Defect]) {
    now.iter().filter(|defect| !before.contains(defect)).for_each(|defect| eprintln!("{defect}"));
    *before = now.to_vec();
}
