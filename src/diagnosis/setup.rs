//! Owns one way to run a model, and the edits that lead from one way to another. Must not know why one would.

use crate::domain::{Author, Cell, Chain, ChainId, Fidelity, Level, Said, Slot, Step, Temperature, Width};

/// One way to run a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// A level of each factor; that of `chain` is the name of `chain`.
    pub cell: Cell,
    pub chain: Chain,
}

/// A single change of a setup.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Another level of a factor other than `chain`.
    Level(Level),
    Repeat(f32),
    Presence(f32),
    Frequency(f32),
    LastN(i32),
    /// Tokens are drawn, where the most probable one was taken.
    Draw,
    /// Every token can be drawn.
    NoTruncation,
    /// llama.cpp's truncations, at the beginning.
    Truncation,
    /// Another chain as a whole.
    Chain(Chain),
    /// Parameters that a request says to a server.
    Say(Said),
}

/// What a person's own chain is called.
const AS_RUN: &str = "as-run";
/// The built-in chain of which nothing is said.
const SERVERS: &str = "server-defaults";
/// llama.cpp's default temperature.
pub const USUAL_TEMPERATURE: f32 = 0.8;

impl Setup {
    /// A model with these samplers, and everything else as usual.
    pub fn new(model: &str, steps: Vec<Step<Slot>>, temperature: Temperature) -> Self {
        // It is kept as it is, faults included: they are what is looked for.
        let chain = Chain { id: AS_RUN.to_owned(), steps, fidelity: Fidelity::Faithful, author: Author::Experiment };
        Self { cell: Cell::usual(model, AS_RUN, temperature), chain }
    }

    /// A model that a server has, of which a request says so much.
    pub fn served(model: &str, said: Said) -> Self {
        let (id, steps) = if said.is_nothing() { (SERVERS, vec![]) } else { (AS_RUN, vec![Step::Request(said)]) };
        let chain = Chain { id: id.to_owned(), steps, fidelity: Fidelity::Faithful, author: Author::Server };
        let usual = Temperature::new(USUAL_TEMPERATURE).expect("it is one");
        // What is not said the server decides, the temperature too.
        Self { cell: Cell::usual(model, id, usual), chain }
    }

    /// A model on a server that runs this built-in chain whatever it is asked, but for the temperature.
    pub fn own_chain(model: &str, chain: Chain, temperature: Temperature) -> Self {
        Self { cell: Cell::usual(model, chain.id.as_str(), temperature), chain }
    }

    /// The same at another level of a factor other than `chain`.
    #[must_use]
    pub fn at(self, level: Level) -> Self {
        self.edited(&Edit::Level(level))
    }

    #[must_use]
    pub fn with(&self, edits: &[Edit]) -> Self {
        edits.iter().fold(self.clone(), Self::edited)
    }

    fn edited(mut self, edit: &Edit) -> Self {
        if let Edit::Level(level) = edit {
            return Self { cell: self.cell.with(level.clone()), chain: self.chain };
        }
        let steps = &mut self.chain.steps;
        match edit {
            Edit::Level(_) => {}
            Edit::Repeat(_) | Edit::Presence(_) | Edit::Frequency(_) | Edit::LastN(_) => penalise(steps, edit),
            Edit::Draw => draw(steps),
            Edit::NoTruncation => steps.retain(|step| !truncates(step)),
            Edit::Truncation => {
                let truncations =
                    [Step::TopK { k: 40 }, Step::TopP { p: 0.95, min_keep: 0 }, Step::MinP { p: 0.05, min_keep: 0 }];
                steps.splice(0..0, truncations);
            }
            Edit::Chain(chain) => steps.clone_from(&chain.steps),
            Edit::Say(said) => *steps = vec![Step::Request(said.or(said_in(steps)))],
        }
        let slug = edit.slug();
        self.chain.id = if [AS_RUN, SERVERS].contains(&self.chain.id.as_str()) {
            slug
        } else {
            format!("{}+{slug}", self.chain.id)
        };
        Self { cell: self.cell.with(ChainId::from(self.chain.id.as_str())), chain: self.chain }
    }

    /// The texts that are to be decoded together, where that is said; else 1.
    pub fn width(&self) -> usize {
        self.cell.get::<Width>().texts()
    }

    /// What its request says to a server.
    pub fn said(&self) -> Said {
        said_in(&self.chain.steps)
    }

    /// The first step of this shape.
    pub fn find<T>(&self, of: impl FnMut(&Step<Slot>) -> Option<T>) -> Option<T> {
        self.chain.steps.iter().find_map(of)
    }
}

impl Edit {
    /// In the name of a chain.
    fn slug(&self) -> String {
        match self {
            Self::Level(level) => level.to_string(),
            Self::Repeat(x) => format!("repeat-{x}"),
            Self::Presence(x) => format!("presence-{x}"),
            Self::Frequency(x) => format!("frequency-{x}"),
            Self::LastN(n) => format!("last-n-{n}"),
            Self::Draw => "draw".to_owned(),
            Self::NoTruncation => "no-truncation".to_owned(),
            Self::Truncation => "truncation".to_owned(),
            // A chain of the file can't have a built-in one's name.
            Self::Chain(chain) => format!("as-{}", chain.id),
            Self::Say(said) => said.to_string(),
        }
    }
}

fn said_in(steps: &[Step<Slot>]) -> Said {
    let said = steps.iter().filter_map(|step| match step {
        Step::Request(said) => Some(*said),
        _ => None,
    });
    said.fold(Said::default(), Said::or)
}

/// Whether a step removes candidates by their probability.
pub fn truncates(step: &Step<Slot>) -> bool {
    matches!(
        step,
        Step::TopK { .. } | Step::TopP { .. } | Step::MinP { .. } | Step::Typical { .. } | Step::TopNSigma { .. }
    )
}

/// llama.cpp's window.
pub const USUAL_LAST_N: i32 = 64;

/// Changes the chain's penalties, or puts them at its beginning, where llama.cpp has them.
fn penalise(steps: &mut Vec<Step<Slot>>, edit: &Edit) {
    if !steps.iter().any(|step| matches!(step, Step::Penalties { .. })) {
        steps.insert(0, Step::Penalties { last_n: USUAL_LAST_N, repeat: 1.0, frequency: 0.0, presence: 0.0 });
    }
    for step in steps {
        let Step::Penalties { last_n, repeat, frequency, presence } = step else { continue };
        match edit {
            Edit::Repeat(x) => *repeat = *x,
            Edit::Frequency(x) => *frequency = *x,
            Edit::Presence(x) => *presence = *x,
            Edit::LastN(n) => *last_n = *n,
            _ => {}
        }
    }
}

/// Puts a draw in the place of the choice of the most probable token.
fn draw(steps: &mut Vec<Step<Slot>>) {
    let has_temperature = steps.iter().any(|step| matches!(step, Step::Temperature { .. }));
    if let Some(place) = steps.iter().position(|step| *step == Step::Greedy) {
        steps[place] = Step::Dist;
        if !has_temperature {
            let usual = Temperature::new(USUAL_TEMPERATURE).expect("it is one");
            steps.insert(place, Step::Temperature { t: Slot::Fixed(usual) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::FlashAttention;

    fn setup(steps: Vec<Step<Slot>>) -> Setup {
        Setup::new("tiny", steps, Temperature::new(0.9).unwrap())
    }

    const OFF: Step<Slot> = Step::Penalties { last_n: 64, repeat: 1.0, frequency: 0.0, presence: 0.0 };

    #[test]
    fn edits_of_chains_add_up_and_name_it() {
        let zero = Step::Penalties { last_n: 64, repeat: 0.0, frequency: 0.0, presence: 1.1 };
        let edited = setup(vec![zero, Step::Greedy]).with(&[Edit::Repeat(1.0), Edit::Presence(0.0)]);
        assert_eq!(edited.chain.steps, [OFF, Step::Greedy]);
        assert_eq!((edited.chain.id.as_str(), edited.cell.chain()), ("repeat-1+presence-0", "repeat-1+presence-0"));
    }

    #[test]
    fn a_chain_without_penalties_gets_llama_cpps() {
        let edited = setup(vec![Step::Dist]).with(&[Edit::Repeat(1.1)]);
        let with = Step::Penalties { last_n: 64, repeat: 1.1, frequency: 0.0, presence: 0.0 };
        assert_eq!(edited.chain.steps, [with, Step::Dist]);
    }

    #[test]
    fn a_draw_needs_a_temperature() {
        let usual = Step::Temperature { t: Slot::Fixed(Temperature::new(0.8).unwrap()) };
        assert_eq!(setup(vec![Step::Greedy]).with(&[Edit::Draw]).chain.steps, [usual, Step::Dist]);
        let own = Step::Temperature { t: Slot::Trial };
        assert_eq!(setup(vec![own.clone(), Step::Greedy]).with(&[Edit::Draw]).chain.steps, [own, Step::Dist]);
    }

    #[test]
    fn a_level_leaves_the_chain_alone() {
        let base = setup(vec![Step::Dist]);
        let edited = base.with(&[Edit::Level(FlashAttention::Off.into())]);
        assert_eq!(edited.chain, base.chain);
        assert_eq!(*edited.cell.get::<FlashAttention>(), FlashAttention::Off);
    }
}
