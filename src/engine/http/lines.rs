//! Cuts lines as server-sent events end them: with LF, with CR LF, or with a CR alone (HTML Living Standard, 9.2.6).
//!
//! Knows nothing of what the lines say. A line that ends in CR is handed on at once: whether an
//! LF follows is seen when the next one is read, for it may be long in coming.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

/// What may stand before the first line, and is no part of it.
const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

pub struct Lines<R> {
    source: BufReader<R>,
    /// The line before ended in CR: an LF that comes next is the rest of its end.
    after_cr: bool,
    first: bool,
}

impl<R: Read> Lines<R> {
    pub fn new(source: R) -> Self {
        Self { source: BufReader::new(source), after_cr: false, first: true }
    }

    pub fn source(&self) -> &R {
        self.source.get_ref()
    }

    /// The source, without what was read ahead of the last line.
    pub fn into_source(self) -> R {
        self.source.into_inner()
    }

    /// Reads the next line into `line`, without its end; false where there is none. A last line
    /// may lack its end.
    pub fn read(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        line.clear();
        let mut begun = false;
        loop {
            let buffer = match self.source.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                buffer => buffer?,
            };
            if buffer.is_empty() {
                return Ok(begun);
            }
            let skipped = usize::from(std::mem::take(&mut self.after_cr) && buffer[0] == b'\n');
            let rest = &buffer[skipped..];
            let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            line.extend_from_slice(&rest[..end.unwrap_or(rest.len())]);
            begun |= !rest.is_empty();
            self.after_cr = end.is_some_and(|at| rest[at] == b'\r');
            let used = skipped + end.map_or(rest.len(), |at| at + 1);
            self.source.consume(used);
            if end.is_some() {
                break;
            }
        }
        if std::mem::take(&mut self.first) && line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte at a time, so that every end is split.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(&mut buffer[..1])
        }
    }

    fn lines(bytes: &[u8]) -> Vec<String> {
        let read = |source: &mut dyn Read| {
            let (mut lines, mut line, mut all) = (Lines::new(source), Vec::new(), Vec::new());
            while lines.read(&mut line).unwrap() {
                all.push(String::from_utf8(line.clone()).unwrap());
            }
            all
        };
        let whole = read(&mut &*bytes);
        assert_eq!(read(&mut Drip(bytes)), whole);
        whole
    }

    #[test]
    fn a_line_ends_in_lf_or_cr_lf_or_cr() {
        assert_eq!(lines(b"a\nb\r\nc\rd"), ["a", "b", "c", "d"]);
        assert_eq!(lines(b"a\n\nb\r\n\r\nc\r\rd\n\r"), ["a", "", "b", "", "c", "", "d", ""]);
        assert_eq!(lines(b""), [""; 0]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        assert_eq!(lines("\u{FEFF}a\n\u{FEFF}b\n".as_bytes()), ["a", "\u{FEFF}b"]);
    }

    #[test]
    fn a_line_that_ends_in_cr_does_not_wait_for_the_next_byte() {
        struct Stalls(bool);
        impl Read for Stalls {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                assert!(!std::mem::replace(&mut self.0, true), "it was read from again");
                buffer[..2].copy_from_slice(b"a\r");
                Ok(2)
            }
        }
        let mut line = Vec::new();
        assert!(Lines::new(Stalls(false)).read(&mut line).unwrap());
        assert_eq!(line, b"a");
    }
}
