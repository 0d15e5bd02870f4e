//! Did you mean …? The known word that is closest to a misspelt one.

use crate::spelling::distance;

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
