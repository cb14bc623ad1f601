//! Writes chains as an experiment file has them: what `raw` and `rules` read as the same chain.

use toml::{Table, Value};

use crate::domain::{Chain, Fidelity, Said, SaidValue, Slot, Step};

/// A chain's `[[chain]]` table.
pub fn chain_table(chain: &Chain) -> Table {
    let mut table = Table::new();
    table.insert("id".to_owned(), chain.id.clone().into());
    if chain.fidelity == Fidelity::Faithful {
        table.insert("faithful".to_owned(), true.into());
    }
    table.insert("steps".to_owned(), chain.steps.iter().map(step).collect::<Vec<_>>().into());
    table
}

/// A number as a file writes it.
pub fn number(x: f32) -> Value {
    shortest(x).into()
}

/// The shortest decimal that reads back as the same `f32`: 0.1 and not 0.10000000149011612.
pub(super) fn shortest(x: f32) -> f64 {
    x.to_string().parse().unwrap_or_else(|_| x.into())
}

fn step(step: &Step<Slot>) -> Value {
    let of_share = |p: f32, min_keep: usize| match min_keep {
        0 => number(p),
        min_keep => table([("p", number(p)), ("min_keep", integer(min_keep as i64))]),
    };
    let (name, value) = match step {
        Step::Infill => return "infill".into(),
        Step::Json => return "json".into(),
        Step::Greedy => return "greedy".into(),
        Step::Dist => return "dist".into(),
        Step::Temperature { t } => ("temperature", slot(*t)),
        Step::TemperatureExt { t, delta, exponent } => {
            let t = ("t", slot(*t));
            ("temperature_ext", table([t, ("delta", number(*delta)), ("exponent", number(*exponent))]))
        }
        Step::TopK { k } => ("top_k", integer(*k)),
        Step::TopP { p, min_keep } => ("top_p", of_share(*p, *min_keep)),
        Step::MinP { p, min_keep } => ("min_p", of_share(*p, *min_keep)),
        Step::Typical { p, min_keep } => ("typical", of_share(*p, *min_keep)),
        Step::TopNSigma { n } => ("top_n_sigma", number(*n)),
        Step::Xtc { p, threshold, min_keep } => {
            let min_keep = ("min_keep", integer(*min_keep as i64));
            ("xtc", table([("p", number(*p)), ("threshold", number(*threshold)), min_keep]))
        }
        Step::Penalties { last_n, repeat, frequency, presence } => {
            let strengths = [("repeat", repeat), ("frequency", frequency), ("presence", presence)];
            let strengths = strengths.map(|(name, strength)| (name, number(*strength)));
            ("penalties", table([("last_n", integer(*last_n))].into_iter().chain(strengths)))
        }
        Step::Dry { multiplier, base, allowed_length, last_n, sequence_breakers } => {
            let numbers = [("multiplier", number(*multiplier)), ("base", number(*base))];
            let integers = [("allowed_length", integer(*allowed_length)), ("last_n", integer(*last_n))];
            let breakers = [("sequence_breakers", sequence_breakers.clone().into())];
            ("dry", table(numbers.into_iter().chain(integers).chain(breakers)))
        }
        Step::LogitBias { biases } => {
            let bias =
                |bias: &crate::domain::TokenBias| table([("token", integer(bias.token)), ("bias", number(bias.bias))]);
            ("logit_bias", biases.iter().map(bias).collect::<Vec<_>>().into())
        }
        Step::Grammar { grammar, root } => {
            ("grammar", table([("grammar", grammar.as_str().into()), ("root", root.as_str().into())]))
        }
        Step::Mirostat { tau, eta, m } => {
            ("mirostat", table([("tau", number(*tau)), ("eta", number(*eta)), ("m", integer(*m))]))
        }
        Step::MirostatV2 { tau, eta } => ("mirostat_v2", table([("tau", number(*tau)), ("eta", number(*eta))])),
        Step::Request(said) => ("request", request(*said)),
        Step::AdaptiveP { target, decay } => {
            ("adaptive_p", table([("target", number(*target)), ("decay", number(*decay))]))
        }
    };
    table([(name, value)])
}

fn request(said: Said) -> Value {
    table(said.parameters().map(|(name, value)| match value {
        SaidValue::Integer(n) => (name, integer(n)),
        SaidValue::Number(x) => (name, number(x)),
    }))
}

fn slot(slot: Slot) -> Value {
    match slot {
        Slot::Trial => "T".into(),
        Slot::Fixed(temperature) => number(temperature.get()),
    }
}

fn integer(n: impl Into<i64>) -> Value {
    Value::Integer(n.into())
}

fn table<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Table(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Author;
    use crate::experiment::builtin_chains;
    use crate::experiment::error::Problems;
    use crate::experiment::raw_chain::RawChain;
    use crate::experiment::rules::resolve_chain;
    use crate::format::strategies::chains;

    fn read_back(chain: &Chain) -> Option<Chain> {
        let text = toml::to_string(&chain_table(chain)).unwrap();
        let raw: RawChain = toml::from_str(&text).ok()?;
        let mut problems = Problems::new("x.toml", &text);
        let read = resolve_chain(&raw, &std::collections::BTreeMap::new(), &mut problems);
        problems.none_or(read).ok()
    }

    #[test]
    fn built_in_chains_read_back() {
        // Those whose steps somebody else says have none to be written.
        for chain in builtin_chains().into_iter().filter(|chain| chain.author == Author::Experiment) {
            assert_eq!(read_back(&chain), Some(chain));
        }
    }

    proptest! {
        /// A chain that breaks a rule is refused, and no other one is read in its place.
        #[test]
        fn any_chain_reads_back(chain in chains()) {
            let is_request = |step: &Step<Slot>| matches!(step, Step::Request(_));
            let author = if chain.steps.iter().any(is_request) { Author::Server } else { Author::Experiment };
            let chain = Chain { fidelity: Fidelity::Faithful, author, ..chain };
            if let Some(read) = read_back(&chain) {
                prop_assert_eq!(read, chain);
            }
        }
    }
}
