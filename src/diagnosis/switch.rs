//! Owns what a switch is: the edits of a setup, what it would mean if they helped, and their words for people. Must not know
//! which switches there are.

use super::setup::{Edit, USUAL_LAST_N};
use crate::causes::{Adjustment, Cause, Knob};

/// Something that can be switched, and what it would be if it helped.
#[derive(Clone, Debug, PartialEq)]
pub struct Switch {
    pub cause: Cause,
    pub kind: Kind,
    pub edits: Vec<Edit>,
    /// In the words of a runtime's settings.
    pub adjustments: Vec<Adjustment>,
}

/// What it means that a switch helps. In the order in which explanations are preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A setting that is not as usual was put back.
    Undo,
    /// Something is changed that is as usual, and that no one would call a fault.
    Medicine,
}

/// What is not tried, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTried {
    pub what: String,
    pub why: String,
}

/// A repeat penalty that people add against loops.
pub const SOME_PENALTY: f32 = 1.1;
/// As far back as a penalty looks where it looks back on all of a text.
pub const LONG_LAST_N: i32 = 4096;
/// Below this a temperature is low, so that one with more room is tried.
pub const ROOMY_TEMPERATURE: f32 = 1.2;
/// A temperature at which the most probable token is nearly always taken.
pub const COOL_TEMPERATURE: f32 = 0.3;

/// What it means that a penalty looks back on so few tokens: llama.cpp's 64 is as usual.
pub fn of_window(last_n: i32) -> Kind {
    if last_n < USUAL_LAST_N { Kind::Undo } else { Kind::Medicine }
}

/// What a repeat penalty is the cause of where it is not 1, which is none: llama.cpp divides by it.
pub fn of_repeat_penalty(repeat: f32) -> Cause {
    match repeat {
        ..=0.0 => Cause::PenaltyZero,
        ..1.0 => Cause::PenaltyReward,
        _ => Cause::PenaltyStrong,
    }
}

pub fn adjustment(knob: Knob, from: &str, to: &str) -> Adjustment {
    Adjustment { knob, from: from.to_owned(), to: to.to_owned() }
}
