//! The logistic function, from which both gates are made.

pub fn sigmoid(x: f32) -> f32 {
    (1.0 + (-x).exp()).recip()
}
