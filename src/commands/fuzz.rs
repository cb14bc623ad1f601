//! Files to score, mutated: in every shape that `score` knows.

use super::texts::{Shape, texts};
use crate::fuzz::{Kind, Read, fuzz};

#[test]
fn score_inputs() {
    let shapes = [
        Shape::Whole,
        Shape::Lines,
        Shape::JsonLines { field: "text" },
        Shape::JsonLines { field: "/choices/0/text" },
        Shape::Json { field: "text" },
    ];
    fuzz("score", Kind::JsonLines, 2000, |bytes| {
        let mut read = Read::Refused;
        for shape in shapes {
            match texts("in", bytes, shape) {
                // Plain text is always read: it says nothing of the others.
                Ok(_) if matches!(shape, Shape::Whole | Shape::Lines) => {}
                Ok(_) => read = Read::Accepted,
                Err(error) => assert!(error.line >= 1 && !error.to_string().is_empty()),
            }
        }
        read
    });
}
