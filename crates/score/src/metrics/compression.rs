//! Measures how much shorter a text becomes where what was said before is only pointed to.

use miniz_oxide::deflate::compress_to_vec;

/// zlib's default.
const LEVEL: u8 = 6;

/// Raw bytes over deflate bytes (RFC 1951, level 6, no header): one pass, where the
/// tool of Shaib et al. 2024, "Standardizing the Measurement of Text Diversity", compresses
/// what it has compressed. Below 1 for short texts, which deflate makes longer.
/// `None` of nothing.
///
/// Of miniz_oxide, not of flate2, whose back end another library's features may
/// change, and zlib-rs, which takes other matches on other CPUs: the number must
/// be the same everywhere. Compressors differ by a few bytes a text.
pub fn compression_ratio(text: &str) -> Option<f64> {
    (!text.is_empty()).then(|| text.len() as f64 / compress_to_vec(text.as_bytes(), LEVEL).len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_near_zlib() {
        // python3 -c 'import zlib; t=" ".join(map(str,range(500))).encode(); c=zlib.compressobj(6,8,-15); print(len(c.compress(t)+c.flush()))'
        let text: Vec<String> = (0..500).map(|number: u32| number.to_string()).collect();
        let zlib = 1889.0 / 887.0;
        let ratio = compression_ratio(&text.join(" ")).unwrap();
        assert!((ratio / zlib - 1.0).abs() < 0.05, "{ratio} and {zlib}");
        assert_eq!(compression_ratio(""), None);
        assert!(compression_ratio("a").unwrap() < 1.0);
    }

    #[test]
    fn loops_compress() {
        let varied: String = (0..100).map(|i| format!("word{i} ")).collect();
        let looping = "to be able ".repeat(70);
        assert!(compression_ratio(&looping) > compression_ratio(&varied).map(|ratio| 5.0 * ratio));
    }
}
