//! How much shorter a text becomes where what was said before is only pointed to.

use std::cell::RefCell;

use flate2::{Compress, Compression, FlushCompress, Status};

/// Raw bytes over deflate bytes (RFC 1951, zlib's level 6, no header): one pass, where the
/// tool of Shaib et al. 2024, "Standardizing the Measurement of Text Diversity", compresses
/// what it has compressed. Below 1 for short texts, which deflate makes longer.
/// `None` of nothing.
pub fn compression_ratio(text: &str) -> Option<f64> {
    thread_local! {
        // Its tables are several times the size of a text; so they are kept.
        static DEFLATE: RefCell<(Compress, Vec<u8>)> = RefCell::new((Compress::new(Compression::default(), false), vec![0; 1 << 16]));
    }
    if text.is_empty() {
        return None;
    }
    DEFLATE.with_borrow_mut(|(deflate, buffer)| {
        deflate.reset();
        while deflate.total_in() < text.len() as u64 || deflate.total_out() == 0 {
            let rest = &text.as_bytes()[deflate.total_in() as usize..];
            deflate.compress(rest, buffer, FlushCompress::Finish).ok()?;
        }
        while deflate.compress(&[], buffer, FlushCompress::Finish).ok()? != Status::StreamEnd {}
        Some(text.len() as f64 / deflate.total_out() as f64)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::DeflateEncoder;

    use super::*;

    fn plain(text: &str) -> f64 {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        text.len() as f64 / encoder.finish().unwrap().len() as f64
    }

    #[test]
    fn agrees_with_a_fresh_compressor() {
        let long: String = (0..60_000_u32).map(|i| format!("{} ", i.wrapping_mul(2_654_435_761))).collect();
        for text in ["a", "to be able to be able to be able to", &"so ".repeat(100_000), &long, "ü"] {
            assert_eq!(compression_ratio(text), Some(plain(text)));
        }
        assert_eq!(compression_ratio(""), None);
    }

    #[test]
    fn loops_compress() {
        let varied: String = (0..100).map(|i| format!("word{i} ")).collect();
        let looping = "to be able ".repeat(70);
        assert!(compression_ratio(&looping) > compression_ratio(&varied).map(|ratio| 5.0 * ratio));
    }
}
