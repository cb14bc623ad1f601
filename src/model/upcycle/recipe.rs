//! Says as which architecture a dense one is computed with experts, such that copies compute what the dense model does.
//!
//! Read from llama.cpp's graphs (`src/models/` there). What such a graph needs: the dense model's attention, norms and
//! activation, and routing whose weights sum to 1 (`norm_w`). `llama` has a routed form of itself, `qwen3` is computed so
//! by `qwen3moe`. `qwen2moe` does not normalise its weights; `glm4moe` does, and takes the biases of `qwen2`. It adds a
//! shared expert and biases of the selection, which are zeros here.
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
    pub graph: Graph,
}

/// What the mixture's graph wants beside routers and experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Graph {
    /// Nothing: an expert is as wide as the dense block was.
    Plain,
    /// A key for an expert's width, `expert_feed_forward_length`.
    Width,
    /// The same; the norm before the experts under attention's name, a shared expert and biases of the selection, which
    /// are zeros, and keys that say how routing is computed.
    Glm,
}

/// The recipe for a dense architecture; None where llama.cpp has no mixture that computes the same.
pub fn recipe_of(architecture: &str) -> Option<Recipe> {
    Some(match architecture {
        "llama" => Recipe { architecture: "llama", graph: Graph::Plain },
        "qwen2" => Recipe { architecture: "glm4moe", graph: Graph::Glm },
        "qwen3" => Recipe { architecture: "qwen3moe", graph: Graph::Width },
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
