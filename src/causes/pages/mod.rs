//! Holds the page of each cause, in a file for each part of a program that causes it.

pub mod engine;
pub mod experts;
pub mod model;
pub mod penalties;
pub mod prompt;
pub mod sampling;
pub mod server;
