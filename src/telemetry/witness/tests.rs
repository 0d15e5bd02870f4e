//! What is told about, and what is not.

use super::*;
use crate::answer::Facts;
use crate::config::{Overrides, Settings};
use crate::telemetry::metrics::Metrics;

/// A message with one question for `a.` and so many answers in its header.
fn message(answers: u8) -> Vec<u8> {
    let mut message = vec![0, 0, 0x80, 0, 0, 1, 0, answers, 0, 0, 0, 0];
    message.extend_from_slice(b"\x01a\0\0\x01\0\x01");
    message
}

struct Scene {
    metrics: Metrics,
    witness: Arc<Witness>,
    teller: Teller,
    number: u32,
    began: Instant,
}

impl Scene {
    fn with(log: Option<QueryLogSettings>) -> Self {
        let metrics = Metrics::new();
        let (witness, teller) = Witness::new(log, None, None, metrics.witness());
        Self { metrics, witness, teller, number: 0, began: Instant::now() }
    }

    /// Shows it so many of these queries, all in one second, and counts those that are told about.
    fn told(&mut self, second: u64, count: usize, rcode: Rcode, answers: u8) -> usize {
        let message = message(answers);
        for _ in 0..count {
            self.number += 1;
            self.witness.see(&Ended {
                listener: Listener::Udp,
                peer: None,
                facts: Facts::default(),
                rcode,
                started: self.began + Duration::from_secs(second),
                took: Duration::from_micros(1),
                message: &message,
                number: QueryNumber::new(7, self.number),
            });
        }
        std::iter::from_fn(|| self.teller.queue.try_recv().ok()).count()
    }

    fn counted(&self, name: &str) -> u64 {
        let text = self.metrics.text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap().parse().unwrap()
    }
}

#[test]
fn nothing_is_told_unless_asked_for_and_that_can_change() {
    let mut scene = Scene::with(None);
    assert_eq!(scene.told(0, 10, Rcode::ServFail, 0), 0);
    scene.witness.set_log(Some(QueryLogSettings::default()));
    assert_eq!(scene.told(0, 10, Rcode::ServFail, 0), 10);
    scene.witness.set_log(None);
    assert_eq!(scene.told(0, 10, Rcode::ServFail, 0), 0);
}

#[test]
fn errors_are_always_told_successes_in_samples_and_denials_as_the_settings_say() {
    let lines = QueryLogSettings { successes: 100, lines_per_second: 10_000, ..QueryLogSettings::default() };
    for (denials, expected) in [(Denials::Always, 500), (Denials::Sampled, 5), (Denials::Never, 0)] {
        let mut scene = Scene::with(Some(QueryLogSettings { denials, ..lines }));
        for rcode in [Rcode::ServFail, Rcode::Refused, Rcode::FormErr, Rcode::NotImp, Rcode::Status] {
            assert_eq!(scene.told(0, 100, rcode, 0), 100, "{rcode:?}");
        }
        assert_eq!(scene.told(0, 100, Rcode::Dropped, 0), 0);
        assert!(scene.told(0, 500, Rcode::NoError, 1).abs_diff(5) <= 1);
        assert!(scene.told(0, 500, Rcode::NxDomain, 0).abs_diff(expected) <= 1, "{denials:?}");
        assert!(scene.told(0, 500, Rcode::NoError, 0).abs_diff(expected) <= 1, "{denials:?}");
    }
}

#[test]
fn a_flood_of_denials_is_bounded_and_leaves_room_for_errors() {
    let mut scene =
        Scene::with(Some(QueryLogSettings { lines_per_second: 7, ..QueryLogSettings::default() }));
    assert_eq!(scene.told(0, 500, Rcode::NxDomain, 0), 7);
    assert_eq!(scene.told(0, 500, Rcode::Refused, 0), 7);
    assert_eq!(scene.told(1, 500, Rcode::NxDomain, 0), 7);
    assert_eq!(scene.counted("meshdns_query_log_suppressed_total"), 3 * 493);
}

#[test]
fn a_teller_that_is_behind_costs_lines_and_nothing_else() {
    let settings = QueryLogSettings { lines_per_second: 10_000, ..QueryLogSettings::default() };
    let mut scene = Scene::with(Some(settings));
    assert_eq!(scene.told(0, WAITING + 300, Rcode::Refused, 0), WAITING);
    assert_eq!(scene.counted("meshdns_query_log_dropped_total"), 300);
}

#[test]
fn what_is_told_says_what_was_asked_and_what_the_answer_rests_on() {
    let settings = Settings::read("settings", "zones: [cluster.local]", &Overrides::default()).unwrap();
    let catalog = Catalog::new(settings.policy());
    let seen = Seen {
        id: QueryId::of(7),
        listener: Listener::Tcp,
        peer: None,
        facts: Facts::default(),
        rcode: Rcode::Refused,
        ended: SystemTime::now(),
        took: Duration::from_micros(5),
        message: message(0).into(),
        is_logged: true,
        is_traced: false,
    };
    let told = Told::of(&catalog, &seen);
    assert_eq!((told.question, told.ttl, told.object), (Some(("a.".to_owned(), 1)), None, None));
    assert!(told.reason.unwrap().contains("no configured zone takes the name (cluster.local.)"));
    // The catalog has changed its mind: what it says now is no reason for what it said then.
    assert_eq!(Told::of(&catalog, &Seen { rcode: Rcode::NxDomain, ..seen }).reason, None);
}

#[test]
fn ids_are_read_as_they_are_written() {
    for number in [0, 1, u64::MAX] {
        let id = QueryId::of(number);
        assert_eq!(QueryId::parse(&id.to_string()), Some(id));
        assert_ne!(id, QueryId::of(number.wrapping_add(1)));
    }
    assert!(
        ["", "7", "+123456789abcdef", "0123456789abcdefg"].iter().all(|text| QueryId::parse(text).is_none())
    );
}
