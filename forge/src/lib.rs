//! The models that moe-sweep brings with it: written, trained and measured here.
//!
//! They are demonstrations of a mechanism, trained so that the effect is easy to see. Nothing here
//! knows moe-sweep, and moe-sweep knows only the files that come out.

pub mod corpus;
pub mod tokenizer;

pub mod family;
pub mod layers;
pub mod weights;

pub mod gguf;
pub mod train;

pub mod probe;

pub mod shape;

pub mod card;
