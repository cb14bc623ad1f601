//! Owns the grid: the levels of every factor, and what is left out.

use itertools::{Itertools as _, iproduct};

use crate::domain::{
    Cell, Chain, Exclusion, Factor, FactorLevel, FactorMap, Key, Level, LoadKey, Point, PromptKey, Scopes, Seed,
};

use super::{Fraction, Hypothesis, Model, Prompt};

/// The levels of every factor, in file order, and what is left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// What the levels of `model` stand for.
    pub models: Vec<Model>,
    /// What the levels of `chain` stand for.
    pub chains: Vec<Chain>,
    /// Of each factor at least one.
    pub levels: FactorMap<Vec<Level>>,
    pub seeds: Vec<Seed>,
    pub fraction: Fraction,
    /// Those whose cells are all there is; none where the fraction is another one.
    pub compared: Vec<Hypothesis>,
    pub excluded: Vec<Exclusion>,
}

impl Grid {
    /// The grid of these models and chains. `levels` are those of the other factors.
    pub fn new(models: Vec<Model>, chains: Vec<Chain>, mut levels: FactorMap<Vec<Level>>, seeds: Vec<Seed>) -> Self {
        levels[Factor::Model] = models.iter().map(|model| Level::Model(model.id.as_str().into())).collect();
        levels[Factor::Chain] = chains.iter().map(|chain| Level::Chain(chain.id.as_str().into())).collect();
        Self { models, chains, levels, seeds, fraction: Fraction::default(), compared: vec![], excluded: vec![] }
    }

    /// The levels of the factor whose levels are of this type.
    pub fn levels_of<T: FactorLevel>(&self) -> Vec<T> {
        self.levels.values().flatten().filter_map(T::of).cloned().collect()
    }

    /// Every combination of some factors' levels, those of the last factor fastest.
    pub fn combinations(&self, factors: &[Factor]) -> impl Iterator<Item = Vec<Level>> {
        factors.iter().map(|&factor| self.levels[factor].iter().cloned()).multi_cartesian_product()
    }

    /// Every way in which a model is loaded, exclusions aside.
    pub fn load_keys(&self) -> Vec<LoadKey> {
        self.keys()
    }

    /// Every way in which a prompt is asked.
    pub fn prompt_keys(&self) -> Vec<PromptKey> {
        self.keys()
    }

    fn keys<K: Scopes>(&self) -> Vec<Key<K>> {
        let key = |levels: Vec<Level>| {
            Key::of(|factor| {
                levels.iter().find(|level| level.factor() == factor).expect("each factor has levels").clone()
            })
        };
        self.combinations(&Key::<K>::factors()).map(key).collect()
    }

    /// Whether it is no part of the design, or left out by name.
    pub fn excludes(&self, point: Point<'_>) -> bool {
        !self.fraction.has(point.cell, &self.levels)
            || !(self.compared.is_empty() || self.compared.iter().any(|hypothesis| hypothesis.takes(point)))
            || self.excluded.iter().any(|exclusion| exclusion.matches(point))
    }

    /// Adds `offset` to every seed.
    ///
    /// # Errors
    /// When one would be none.
    pub fn offset_seeds(&mut self, offset: u32) -> Result<(), String> {
        move_seeds(&mut self.seeds, offset)
    }

    /// The seeds a chain runs with: none at all, once, where it makes no draw.
    pub fn seeds_of(&self, chain: &Chain) -> Vec<Option<Seed>> {
        seeds_of(chain, &self.seeds)
    }

    /// The chain that a level of `chain` stands for.
    pub fn chain(&self, id: &str) -> &Chain {
        self.chains.iter().find(|chain| chain.id == id).expect("the grid's levels are those of its chains")
    }

    /// The model that a level of `model` stands for.
    pub fn model(&self, id: &str) -> &Model {
        self.models.iter().find(|model| model.id == id).expect("the grid's levels are those of its models")
    }

    /// How many texts these prompts have, exclusions aside.
    pub(super) fn texts(&self, prompts: usize) -> u64 {
        let seeds_of = |chain: &Chain| if chain.draws() { self.seeds.len() } else { 1 };
        let draws: usize = self.chains.iter().map(seeds_of).sum();
        let levels = self.levels.iter().filter(|(factor, _)| *factor != Factor::Chain).map(|(_, levels)| levels.len());
        levels.chain([draws, prompts]).fold(1, |product, n| product.saturating_mul(n as u64))
    }

    /// Whether the exclusions leave anything to run on these prompts.
    pub(super) fn leaves_a_trial(&self, prompts: &[Prompt]) -> bool {
        self.combinations(&Factor::ALL).any(|levels| {
            let cell = Cell::new(FactorMap::from_fn(|factor| levels[factor as usize].clone()));
            let seeds = self.seeds_of(self.chain(cell.chain()));
            iproduct!(&seeds, prompts)
                .any(|(&seed, prompt)| !self.excludes(Point { cell: &cell, seed, prompt: &prompt.id }))
        })
    }
}

/// Adds `offset` to every seed.
///
/// # Errors
/// When one would be none.
pub(super) fn move_seeds(seeds: &mut [Seed], offset: u32) -> Result<(), String> {
    for seed in seeds {
        let moved = seed.get().checked_add(offset).and_then(Seed::new);
        *seed =
            moved.ok_or_else(|| format!("the seed {seed} + {offset} is larger than the largest seed, 4294967294"))?;
    }
    Ok(())
}

/// The seeds a chain runs with: none at all, once, where it makes no draw.
pub(super) fn seeds_of(chain: &Chain, seeds: &[Seed]) -> Vec<Option<Seed>> {
    if chain.draws() { seeds.iter().copied().map(Some).collect() } else { vec![None] }
}
