//! Did you mean …? The known word that is closest to a misspelt one.

/// The known word that `word` most likely stands for: the same but for case, `-` and `_`, or a few letters off.
pub(super) fn closest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let plain = |text: &str| text.replace(['-', '_'], "").to_lowercase();
    let word = plain(word);
    let allowed = (word.chars().count() / 3).min(3);
    let measured = known.iter().map(|candidate| (distance(&word, &plain(candidate)), *candidate));
    measured
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, found)| found)
}

/// How many letters must be changed, added, left out or swapped with a neighbour (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_word_is_found() {
        let known = ["zones", "catchAll", "listen", "ttl"];
        assert_eq!(closest("zone", &known), Some("zones"));
        assert_eq!(closest("catch_all", &known), Some("catchAll"));
        assert_eq!(closest("lsiten", &known), Some("listen"));
        assert_eq!(closest("tll", &known), Some("ttl"));
        assert_eq!(closest("upstreams", &known), None);
        assert_eq!(closest("", &known), None);
    }
}
