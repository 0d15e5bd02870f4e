//! The comparison itself: the same questions to both, and what is made of the replies.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::AddAssign;

use super::client;
use super::facts::{Context, Facts};
use super::question::Question;
use super::reply::Reply;
use super::rules;
use super::servers::Pair;
use super::world::World;

/// How much was compared, and what came of it.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) questions: usize,
    /// Replies over UDP that were cut, and were asked for again over TCP.
    pub(super) truncated: usize,
    /// How many answers each rule explains.
    pub(super) explained: BTreeMap<&'static str, usize>,
    /// What no rule explains, told whole.
    pub(super) unexplained: Vec<String>,
}

impl AddAssign for Outcome {
    fn add_assign(&mut self, other: Self) {
        self.questions += other.questions;
        self.truncated += other.truncated;
        for (rule, count) in other.explained {
            *self.explained.entry(rule).or_default() += count;
        }
        self.unexplained.extend(other.unexplained);
    }
}

impl Outcome {
    /// Asks both these questions.
    pub(super) fn of(world: &World, pair: &Pair, questions: &[Question]) -> Self {
        let facts = Facts::new(world, pair);
        let mut outcome = Self { questions: questions.len(), ..Self::default() };
        let cut: Vec<Question> = questions
            .iter()
            .zip(facts.ask(questions))
            .filter_map(|(question, replies)| outcome.judge(&facts, question, &replies))
            .collect();
        outcome.truncated = cut.len();
        for (question, replies) in cut.iter().zip(facts.ask(&cut)) {
            outcome.judge(&facts, question, &replies);
        }
        outcome
    }

    /// Compares; gives the question that is left to ask if the reply was cut.
    fn judge(&mut self, facts: &Facts<'_>, question: &Question, replies: &Replies) -> Option<Question> {
        let Replies { theirs, ours, .. } = replies;
        let context = facts.context(question, replies.otherwise.as_ref());
        let (expected, applied) = rules::expected(&context, theirs, ours);
        // Which records are left depends on their order. All of them come over TCP.
        // Options that are repeated take room of theirs, so that ours may just fit.
        let cut =
            !question.over_tcp && expected.is_truncated() && (ours.is_truncated() || question.has_options());
        let same = if cut { expected.head() == ours.head() } else { *ours == expected };
        if !same {
            self.unexplained.push(told(facts, question, replies, &expected));
        }
        if cut {
            return Some(question.over_tcp());
        }
        for rule in applied {
            *self.explained.entry(rule).or_default() += 1;
        }
        None
    }
}

/// What was said to one question.
struct Replies {
    theirs: Reply,
    ours: Reply,
    otherwise: Option<Reply>,
}

impl Facts<'_> {
    fn ask(&self, questions: &[Question]) -> Vec<Replies> {
        let ask = |server: SocketAddr, questions: &[Question]| -> Vec<Reply> {
            let packets: Vec<_> = questions.iter().map(Question::packet).collect();
            client::ask(server, &packets).iter().map(|octets| Reply::read(octets.as_deref())).collect()
        };
        let lower: BTreeMap<usize, Question> = self.some(questions, |context| context.in_lower_case());
        let unfiltered = self.some(questions, |context| context.unfiltered());
        let (theirs, ours, otherwise) = std::thread::scope(|scope| {
            let ask = &ask;
            let theirs = scope.spawn(|| ask(self.pair.plugin, questions));
            let otherwise = scope.spawn(|| {
                let mut replies = BTreeMap::new();
                for (server, some) in [(Some(self.pair.plugin), lower), (self.pair.unfiltered, unfiltered)] {
                    let (places, questions): (Vec<usize>, Vec<Question>) = some.into_iter().unzip();
                    if let Some(server) = server {
                        replies.extend(places.into_iter().zip(ask(server, &questions)));
                    }
                }
                replies
            });
            let ours = ask(self.pair.ours, questions);
            (theirs.join().unwrap(), ours, otherwise.join().unwrap())
        });
        let mut otherwise = otherwise;
        let both = theirs.into_iter().zip(ours).enumerate();
        both.map(|(at, (theirs, ours))| Replies { theirs, ours, otherwise: otherwise.remove(&at) }).collect()
    }

    /// The questions that are put otherwise too, by their place.
    fn some(
        &self,
        questions: &[Question],
        otherwise: impl Fn(&Context<'_>) -> Option<Question>,
    ) -> BTreeMap<usize, Question> {
        let all = questions.iter().enumerate();
        all.filter_map(|(at, question)| Some((at, otherwise(&self.context(question, None))?))).collect()
    }
}

fn told(facts: &Facts<'_>, question: &Question, replies: &Replies, expected: &Reply) -> String {
    let Replies { theirs, ours, .. } = replies;
    let objects = question.about.as_ref().map(|about| facts.world.about(about)).unwrap_or_default();
    let expected = if expected == theirs { String::new() } else { format!("  expected of us:\n{expected}") };
    format!(
        "seed {}, {}: {question}\n  kubernetes plugin:\n{theirs}{expected}  meshdns:\n{ours}  objects:\n{objects}",
        facts.world.seed, facts.variant.name
    )
}
