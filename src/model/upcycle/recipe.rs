//! Says as which architecture a dense one is computed with experts, such that copies compute what the dense model does.
//!
//! Read from llama.cpp's graphs (`src/models/` there). What such a graph needs: the dense model's attention, norms and
//! activation, and routing whose weights sum to 1 (`norm_w`). `llama` has a routed form of itself, `qwen3` is computed so
//! by `qwen3moe`. `qwen2moe` does not normalise its weights, but `llama` takes the biases of `qwen2`; it turns pairs of
//! neighbours where qwen2 turns halves against each other, which rows in another order make up for.
//!
//! Gemma has none. Its activation, GELU, is in two mixtures of decoders: `gemma4`, which normalises attention's values,
//! and `grok`, which has no norms of queries and keys, and no window.

/// The dense architectures that have a recipe.
pub const KNOWN: [&str; 3] = ["llama", "qwen2", "qwen3"];

/// How a mixture is made of a dense architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The mixture's architecture.
    pub architecture: &'static str,
    pub turned: Turned,
    pub width: Width,
}

/// Which elements of a head the position turns against each other, in the dense architecture as seen from the mixture's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// The same ones.
    Alike,
    /// Halves, where the mixture turns neighbours: rows of queries and keys are reordered.
    Halves,
}

/// Where the mixture's metadata have the width of an expert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// It is that of the feed-forward block.
    FeedForward,
    /// It has a key of its own, `expert_feed_forward_length`.
    Own,
}

/// The recipe for a dense architecture; None where llama.cpp has no mixture that computes the same.
pub fn recipe_of(architecture: &str) -> Option<Recipe> {
    Some(match architecture {
        "llama" => Recipe { architecture: "llama", turned: Turned::Alike, width: Width::FeedForward },
        "qwen2" => Recipe { architecture: "llama", turned: Turned::Halves, width: Width::FeedForward },
        "qwen3" => Recipe { architecture: "qwen3moe", turned: Turned::Alike, width: Width::Own },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_to_be_known_has_a_recipe() {
        assert!(KNOWN.iter().all(|architecture| recipe_of(architecture).is_some()));
        assert_eq!(recipe_of("gemma3"), None);
    }
}
