//! Writes tables as CSV, safe to open in a spreadsheet, and is the only writer of CSV.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and prompts and models can be called
//! anything. Such a text gets an apostrophe in front, which a spreadsheet hides and a reader takes off again: a
//! cell that begins with an apostrophe is the rest of it. Numbers are left as they are.

use std::borrow::Cow;
use std::io::{self, Write};

use ::csv::Writer;

/// A table that is being written.
pub struct Table<W: Write>(Writer<W>);

impl<W: Write> Table<W> {
    pub fn new(out: W) -> Self {
        Self(Writer::from_writer(out))
    }

    /// # Errors
    /// When it can't be written.
    pub fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) -> io::Result<()> {
        for cell in cells {
            self.0.write_field(guarded(cell.as_ref()).as_bytes())?;
        }
        self.0.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// # Errors
    /// When it can't be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A cell that no spreadsheet takes for a formula (OWASP, CSV Injection).
fn guarded(cell: &str) -> Cow<'_, str> {
    let begins = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\'' | '＝' | '＋' | '－' | '＠');
    if cell.starts_with(begins) && cell.parse::<f64>().is_err() {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(cells: &[&str]) -> String {
        let mut out = Vec::new();
        let mut table = Table::new(&mut out);
        table.row(cells).unwrap();
        table.flush().unwrap();
        drop(table);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn texts_are_no_formulas_and_numbers_stay_numbers() {
        let cells = ["=cmd|calc", "+x", "-x", "@x", "'x", "\tx", "-0.5", "1e-9", "x=1", ""];
        assert_eq!(written(&cells), "'=cmd|calc,'+x,'-x,'@x,''x,'\tx,-0.5,1e-9,x=1,\n");
    }

    proptest! {
        #[test]
        fn a_reader_takes_the_apostrophe_off(cell in "[=+@'-]{0,2}[a-z0-9\",\r\n]{0,6}") {
            let csv = written(&[&cell, "x"]);
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
            let record = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(record[0].strip_prefix('\'').unwrap_or(&record[0]), cell);
        }
    }
}
