//! What the user types.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use forge::{family::Family, gguf::Precision, shape::Likeness};

/// Trains and writes moe-sweep's bundled demonstration models
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CardKind {
    Full,
    None,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Trains a model from scratch and writes it with its card
    Train {
        #[arg(value_enum)]
        family: Family,
        /// The same seed trains the same file
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[arg(long, default_value_t = 500)]
        steps: usize,
        /// The folder to write to
        #[arg(long, default_value = "models")]
        out: PathBuf,
        #[arg(long, value_enum, default_value = "f16")]
        precision: Precision,
        /// The card needs the probe, which takes a minute
        #[arg(long, value_enum, default_value = "full")]
        card: CardKind,
    },
    /// Prints documents of the training text
    Corpus {
        #[arg(long, default_value_t = 3)]
        sample: usize,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Writes a file with the widths of a well-known model, few layers and random weights
    Shape {
        #[arg(long, value_enum)]
        family: Likeness,
        #[arg(long, default_value_t = 3)]
        layers: usize,
        /// The same seed writes the same file
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The file to write, F16
        #[arg(long)]
        out: PathBuf,
    },
    /// Measures how much a model repeats itself, a row a chain, a column a temperature
    Probe {
        model: PathBuf,
        /// A file of prompts, one a line, in place of our own
        #[arg(long, value_name = "FILE")]
        prompts: Option<PathBuf>,
        /// Print the texts of this temperature too
        #[arg(long, value_name = "T")]
        texts: Option<f64>,
    },
}
