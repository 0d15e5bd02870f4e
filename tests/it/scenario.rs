//! Scenario files: objects in, questions, expected messages. Found by glob, so a new file is a new test.
//!
//! Each is run over the pure path, question bytes to answer bytes, and every reply is decoded by hickory-proto.
//! `README.md` beside the files describes their format.

mod expect;
mod script;
mod world;

use std::path::{Path, PathBuf};

use script::{Action, Script};
use world::World;

/// Where the files are.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/scenarios")
}

fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "scn") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Runs one file and says what differs.
fn run(path: &Path) -> Result<usize, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let script = Script::parse(&text)?;
    let mut world = World::new(&script)?;
    let mut asked = 0;
    for step in &script.steps {
        let outcome = match &step.action {
            Action::Apply(text) => world.apply(text),
            Action::Table(rows) => world.table(rows),
            Action::Delete(key) => world.delete(key),
            Action::Now(now) => {
                world.tell_time(*now);
                Ok(())
            }
            Action::Ask(question, expected) => {
                asked += 1;
                world.ask(question).and_then(|reply| expected.check(&reply, &mut world.serials))
            }
        };
        outcome.map_err(|problem| format!("line {}: {problem}", step.line))?;
    }
    if asked == 0 {
        return Err("it asks nothing".to_owned());
    }
    Ok(asked)
}

#[test]
fn every_scenario_holds() {
    let files = files();
    assert!(files.len() >= 90, "only {} scenario files were found", files.len());
    let mut questions = 0;
    let mut failures = Vec::new();
    for path in &files {
        match run(path) {
            Ok(asked) => questions += asked,
            Err(problem) => {
                let name = path.strip_prefix(folder()).unwrap_or(path).display().to_string();
                failures.push(format!("{name}: {problem}"));
            }
        }
    }
    println!("{} scenarios, {questions} questions", files.len());
    assert!(failures.is_empty(), "{} of {} fail:\n{}", failures.len(), files.len(), failures.join("\n"));
}

#[test]
fn a_scenario_that_does_not_hold_fails() {
    let script = "# A wrong expectation.\nask web.shop.svc.cluster.local. A\nexpect NOERROR aa\n";
    let script = Script::parse(script).unwrap();
    let mut world = World::new(&script).unwrap();
    let Action::Ask(question, expected) = &script.steps[0].action else { panic!("no question") };
    let reply = world.ask(question).unwrap();
    let problem = expected.check(&reply, &mut world.serials).unwrap_err();
    assert!(problem.contains("NXDOMAIN"), "{problem}");
}
