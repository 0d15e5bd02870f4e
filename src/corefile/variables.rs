//! `{$NAME}` and `{%NAME%}`: values of environment variables inside words.

use super::world::World;

/// Values that refer to themselves are put in this often; CoreDNS would never end.
const MOST_REPLACEMENTS: usize = 100;
/// No word grows beyond this.
const LONGEST_WORD: usize = 65_536;

/// A word with the values of its variables; one that is not set counts as empty.
pub(super) fn replaced(word: &str, world: &dyn World) -> String {
    if !word.contains('{') {
        return word.to_owned();
    }
    with(with(word.to_owned(), "{%", "%}", world), "{$", "}", world)
}

fn with(mut word: String, opening: &str, closing: &str, world: &dyn World) -> String {
    for _ in 0..MOST_REPLACEMENTS {
        let Some(start) = word.find(opening) else { break };
        // Looked for from the opening itself on, as CoreDNS does: `{%}` is a reference without a name.
        let Some(end) = word[start..].find(closing).map(|at| start + at) else { break };
        if end <= start + opening.len() || word.len() > LONGEST_WORD {
            break;
        }
        let value = world.variable(&word[start + opening.len()..end]).unwrap_or_default();
        word = word.replace(&word[start..end + closing.len()].to_owned(), &value);
    }
    word
}
