//! Writes a stage as an experiment file, so that whatever a diagnosis claims can be run again by hand. Must not know why
//! these arms are compared.

use std::fmt::Write as _;
use std::path::PathBuf;

use strum::Display;
use toml::{Table, Value};

use super::setup::Setup;
use crate::domain::{Chain, Context, Factor, Level, Seed, Written};
use crate::experiment::{Server, builtin_chains, chain_table, number};
use crate::metrics::Metric;

/// Texts made to answer one question.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    pub kind: StageKind,
    /// The first is the base, from which the others are changes.
    pub arms: Vec<Arm>,
    pub claims: Vec<Claim>,
    pub prompts: Vec<Prompt>,
    pub seeds: Vec<Seed>,
    pub counted: Counted,
}

/// The texts that a diagnosis counts: those that a person would call the fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub enum Counted {
    /// Those that end in a loop.
    #[default]
    Loops,
    /// Those that repeat themselves in any way: where hardly any ends in a loop.
    Repeats,
}

impl Counted {
    /// What says whether a text counts, as 1 or 0.
    pub fn metric(self) -> Metric {
        match self {
            Self::Loops => Metric::Loop,
            Self::Repeats => Metric::Repeats,
        }
    }
}

/// In the order in which a diagnosis takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Display)]
#[strum(serialize_all = "kebab-case")]
pub enum StageKind {
    /// Does it loop as it is run?
    AsRun,
    /// The same with more prompts.
    MorePrompts,
    /// What is not as usual is put back, one setting at a time, and all of it.
    PutBack,
    /// What is as usual is changed, one setting at a time.
    Medicines,
    /// Two switches together.
    Pairs,
    /// What was found, on prompts and seeds that nobody has seen.
    Remedy,
    /// The same on more of them, where it looked well and was not confirmed.
    RemedyOnMore,
    /// One switch at a time, the confirmed remedy switched.
    SecondCause,
    /// That one and the first, on prompts that nobody has seen.
    BothRemedies,
    /// All of it, as one experiment that a person can extend.
    Whole,
}

/// A way to run the model, in a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// Also the name of its claim.
    pub id: String,
    pub setup: Setup,
}

/// That one arm loops less than another.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    pub id: String,
    /// The places of the two arms.
    pub base: usize,
    pub other: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    pub id: String,
    pub kind: String,
    pub text: String,
}

/// What a stage's experiments have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// What runs of it are called.
    pub name: String,
    pub model: String,
    pub target: Target,
    pub max_tokens: u32,
    pub context: u32,
    /// The probability of a cause that is none.
    pub alpha: f64,
    /// Within what a switch is let go of.
    pub negligible: f64,
}

/// Whom the texts are asked of.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A model in a file, by llama.cpp.
    File(PathBuf),
    /// A model that a server has, by the name that it gives it.
    Server { server: Server, served_as: String },
}

impl StageKind {
    /// Whether it ends as soon as one of its claims is decided.
    pub fn is_search(self) -> bool {
        match self {
            Self::PutBack | Self::Medicines | Self::SecondCause | Self::Pairs => true,
            Self::AsRun | Self::MorePrompts | Self::Remedy => false,
            Self::RemedyOnMore | Self::BothRemedies | Self::Whole => false,
        }
    }

    /// Its place among the stages, as people see it.
    pub fn number(self) -> u8 {
        match self {
            Self::AsRun | Self::MorePrompts => 1,
            Self::PutBack | Self::Medicines => 2,
            Self::Pairs => 3,
            Self::Remedy | Self::RemedyOnMore | Self::Whole => 4,
            Self::SecondCause => 5,
            Self::BothRemedies => 6,
        }
    }

    /// How much of alpha its claims have: a remedy is looked at twice at most, and the parts add up to 1 (Bonferroni).
    fn share_of_alpha(self) -> f64 {
        match self {
            Self::Remedy => 0.8,
            Self::RemedyOnMore => 0.2,
            _ => 1.0,
        }
    }

    /// The number of stages that are known to be needed once it has begun.
    pub fn of(self) -> u8 {
        self.number().next_multiple_of(2).max(Self::Remedy.number())
    }

    /// What it asks.
    pub fn question(self) -> &'static str {
        match self {
            Self::AsRun => "Does it loop as it is run?",
            Self::MorePrompts => "Does it loop as it is run, on more prompts?",
            Self::PutBack => "Which setting, put back to the usual, makes it loop less?",
            Self::Medicines => "Which other setting, by itself, makes it loop less?",
            Self::Pairs => "Which switches together make it loop less?",
            Self::Whole => "What does each switch do to the share of texts that loop?",
            Self::Remedy => "Does the remedy hold on prompts and seeds that nothing was chosen by?",
            Self::RemedyOnMore => "Does the remedy hold on more of them?",
            Self::SecondCause => "Some loops are left: which second setting makes it loop less still?",
            Self::BothRemedies => "Do both remedies hold on prompts that nothing was chosen by?",
        }
    }
}

impl Stage {
    /// The name of its file and of its run's folder.
    pub fn name(&self) -> String {
        format!("{}-{}", self.kind.number(), self.kind)
    }

    /// The experiment file.
    pub fn toml(&self, frame: &Frame) -> String {
        let Frame { name, model, target, max_tokens, context, alpha, negligible } = frame;
        let mut out = format!(
            "# A stage of a diagnosis: moe-sweep run takes it as any other experiment.\n\
             schema = 1\nname = {}\nquestion = {}\n\n[generate]\nmax_tokens = {max_tokens}\n",
            quoted(&format!("{name}-{}", self.name())),
            quoted(self.kind.question()),
        );
        let factors = self.factors();
        // A file says it in one place.
        let is_level = factors.iter().any(|(factor, _)| *factor == Factor::Context);
        if !is_level {
            let _ = writeln!(out, "context = {context}");
        }
        let _ = writeln!(out, "\n[grid]");
        for (factor, levels) in factors {
            let levels: Vec<Value> = levels.into_iter().map(|level| value(level, *context)).collect();
            let _ = writeln!(out, "{factor} = {}", Value::Array(levels));
        }
        let seeds: Vec<String> = self.seeds.iter().map(|seed| seed.get().to_string()).collect();
        let _ = writeln!(out, "seed = [{}]", seeds.join(", "));
        if !self.claims.is_empty() {
            out += "design = \"hypotheses\"\n";
        }
        out += "\n[[model]]\n";
        let mut entry = Table::from_iter([("id".to_owned(), Value::from(model.as_str()))]);
        match target {
            Target::File(path) => {
                entry.insert("path".to_owned(), path.display().to_string().into());
                out += &entry.to_string();
            }
            Target::Server { server, served_as } => {
                entry.insert("server".to_owned(), server.id.clone().into());
                entry.insert("served_as".to_owned(), served_as.clone().into());
                let _ = write!(out, "{entry}\n[[server]]\n{}", server_table(server));
            }
        }
        for chain in self.chains() {
            out += "\n[[chain]]\n";
            // Each value in a line: a table of its own would not be the chain's.
            for (key, value) in chain_table(chain) {
                let _ = writeln!(out, "{key} = {value}");
            }
        }
        if self.kind.is_search() {
            let _ = write!(out, "\n[sequential]\nalpha = {alpha}\nstop = \"first\"\nnegligible = {negligible}\n");
        } else {
            // As a person would write it: 0.04.
            let alpha = (alpha * self.kind.share_of_alpha() * 1e6).round() / 1e6;
            let _ = write!(out, "\n[analysis]\nalpha = {alpha}\n");
        }
        for claim in &self.claims {
            out += &self.hypothesis(claim, *context);
        }
        let _ = write!(out, "\n[prompts]\ninline = [\n");
        for Prompt { kind, text, .. } in &self.prompts {
            let _ = writeln!(out, "    {{ group = {}, text = {} }},", quoted(kind), quoted(text));
        }
        out += "]\n";
        out
    }

    /// Of each factor that varies or is not as usual, its levels; the base's first.
    fn factors(&self) -> Vec<(Factor, Vec<&Level>)> {
        let levels = |factor: Factor| {
            let mut levels: Vec<&Level> = Vec::new();
            for arm in &self.arms {
                let level = arm.setup.cell.level(factor);
                if !levels.contains(&level) {
                    levels.push(level);
                }
            }
            levels
        };
        let is_written = |(factor, levels): &(Factor, Vec<&Level>)| {
            factor.usual().as_ref() != levels.first().copied() || levels.len() > 1
        };
        Factor::ALL.into_iter().map(|factor| (factor, levels(factor))).filter(is_written).collect()
    }

    fn chains(&self) -> Vec<&Chain> {
        let mut chains: Vec<&Chain> = Vec::new();
        for Arm { setup, .. } in &self.arms {
            // A file's chain can't have a built-in one's name, and need not.
            let is_built_in = builtin_chains().iter().any(|chain| chain.id == setup.chain.id);
            if !is_built_in && !chains.iter().any(|chain| chain.id == setup.chain.id) {
                chains.push(&setup.chain);
            }
        }
        chains
    }

    /// A claim names a level of every factor that varies, so that it is about its two arms and no other.
    fn hypothesis(&self, claim: &Claim, context: u32) -> String {
        let arms = [&self.arms[claim.base], &self.arms[claim.other]];
        let varying = self.factors().into_iter().filter(|(_, levels)| levels.len() > 1);
        let (compared, kept): (Vec<Factor>, Vec<Factor>) = varying
            .map(|(factor, _)| factor)
            .partition(|factor| arms[0].setup.cell.level(*factor) != arms[1].setup.cell.level(*factor));
        let selection = |arm: &Arm, factors: &[Factor]| {
            let level = |factor: &Factor| (factor.name().to_owned(), value(arm.setup.cell.level(*factor), context));
            Value::Table(factors.iter().map(level).collect())
        };
        let mut out =
            format!("\n[[hypothesis]]\nid = {}\nmetric = \"{}\"\n", quoted(&claim.id), self.counted.metric().name());
        if !kept.is_empty() {
            let _ = writeln!(out, "where = {}", selection(arms[0], &kept));
        }
        let [base, other] = arms.map(|arm| selection(arm, &compared));
        let _ = write!(out, "contrast = {{ base = {base}, other = {other} }}\nexpect = \"decreasing\"\n");
        out
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A level as the file has it, where `[generate]` would have this context.
fn value(level: &Level, context: u32) -> Value {
    match level.written() {
        _ if *level == Level::Context(Context::Setting) => context.into(),
        Written::Name(name) => name.into(),
        Written::Integer(n) => n.into(),
        // Levels are f32 at most, and are written as short as they can be.
        Written::Number(x) => number(x as f32),
        Written::Switch(on) => on.into(),
    }
}

fn server_table(server: &Server) -> Table {
    let mut table = Table::new();
    let mut set = |name: &str, value: String| table.insert(name.to_owned(), value.into());
    set("id", server.id.clone());
    set("url", server.url.clone());
    set("api", server.api.to_string());
    if let Some(variable) = &server.key_env {
        set("key_env", variable.clone());
    }
    if let Some(chain) = &server.own_chain {
        set("own_chain", chain.clone());
    }
    if !server.extensions.is_empty() {
        let names: Vec<String> = server.extensions.iter().map(ToString::to_string).collect();
        table.insert("extensions".to_owned(), names.into());
    }
    table
}
