//! Works out what a mixture's file consists of, from the dense model's header: its tensors, and what of the dense file each
//! is made of. Pure.

use super::recipe::{Graph, Recipe};
use crate::model::gguf::{Header, Tensor, TensorType, Value};

/// A tensor of the mixture.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    pub name: String,
    /// The fastest-varying first.
    pub dims: Vec<u64>,
    pub tensor_type: TensorType,
    pub bytes: u64,
    pub content: Content,
}

/// What a tensor is made of. A source is a number in the dense header's list of tensors.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// The source as it is.
    Same { source: usize },
    /// The source again and again, once for each expert.
    Experts { source: usize },
    /// Random rows, one for each expert.
    Router,
    /// Zeros: blocks of them are zeros in every type.
    Zeros,
}

/// Where a tensor stands in a layer: the layer, and the rest of the name.
fn in_layer(name: &str) -> Option<(u64, &str)> {
    let (layer, rest) = name.strip_prefix("blk.")?.split_once('.')?;
    Some((layer.parse().ok()?, rest))
}

/// The routed form of a feed-forward block's tensor.
fn routed(rest: &str) -> Option<&'static str> {
    Some(match rest {
        "ffn_gate.weight" => "ffn_gate_exps.weight",
        "ffn_up.weight" => "ffn_up_exps.weight",
        "ffn_down.weight" => "ffn_down_exps.weight",
        _ => return None,
    })
}

/// The mixture's tensors, in the dense file's order, each router before the experts of its layer.
///
/// # Errors
/// What in the header is not as a dense model of this architecture has it.
pub fn pieces(header: &Header, architecture: &str, recipe: Recipe, experts: u32) -> Result<Vec<Piece>, String> {
    let shape = Shape::of(header, architecture)?;
    let mut pieces = Vec::new();
    for (source, tensor) in header.tensors.iter().enumerate() {
        let Some((layer, rest)) = in_layer(&tensor.name) else {
            if recipe.graph == Graph::Glm && tensor.name == "output.bias" {
                return Err("llama.cpp's mixture has no output.bias".to_owned());
            }
            pieces.push(same(source, tensor));
            continue;
        };
        match (routed(rest), rest) {
            (Some(name), _) => {
                shape.check(tensor, rest)?;
                if rest == shape.first {
                    pieces.push(router(layer, shape.embedding, experts)?);
                    pieces.extend((recipe.graph == Graph::Glm).then(|| selection_bias(layer, experts)));
                }
                pieces.push(repeated(source, tensor, &format!("blk.{layer}.{name}"), experts)?);
                pieces.extend((recipe.graph == Graph::Glm).then(|| shared(tensor)));
            }
            (None, "ffn_norm.weight") if recipe.graph == Graph::Glm => {
                let name = format!("blk.{layer}.post_attention_norm.weight");
                pieces.push(Piece { name, ..same(source, tensor) });
            }
            (None, "ffn_norm.weight") => pieces.push(same(source, tensor)),
            (None, rest) if rest.starts_with("ffn_") => {
                return Err(format!("it has {}, which copying experts does not handle", tensor.name));
            }
            (None, "attn_output.bias") if recipe.graph == Graph::Glm => {
                return Err(format!("llama.cpp's mixture has no {}", tensor.name));
            }
            _ => pieces.push(same(source, tensor)),
        }
    }
    let n_routers = pieces.iter().filter(|piece| piece.content == Content::Router).count() as u64;
    let n_experts = pieces.iter().filter(|piece| matches!(piece.content, Content::Experts { .. })).count() as u64;
    if n_routers != shape.layers || n_experts != 3 * shape.layers {
        return Err(format!(
            "block_count says {} layers, but it has {n_experts} of {} feed-forward tensors (ffn_gate, ffn_up and \
             ffn_down of each layer)",
            shape.layers,
            3 * shape.layers
        ));
    }
    Ok(pieces)
}

/// What the metadata say that matters here.
struct Shape<'a> {
    layers: u64,
    embedding: u64,
    feed_forward: u64,
    /// The tensor of a layer's block that comes first in the file.
    first: &'a str,
}

impl<'a> Shape<'a> {
    fn of(header: &'a Header, architecture: &str) -> Result<Self, String> {
        let stated = |key: &str| header.metadata.get(&format!("{architecture}.{key}")).and_then(Value::unsigned);
        let number = |key: &str| {
            let missing = || format!("its metadata lacks {architecture}.{key} as one number for all layers");
            stated(key).filter(|&n| n > 0).ok_or_else(missing)
        };
        let (layers, embedding) = (number("block_count")?, number("embedding_length")?);
        let feed_forward = number("feed_forward_length")?;
        let mut rests = header.tensors.iter().filter_map(|tensor| in_layer(&tensor.name)).map(|(_, rest)| rest);
        let first = rests.find(|rest| routed(rest).is_some());
        let first = first.ok_or("no layer has a feed-forward block of ffn_gate, ffn_up and ffn_down")?;
        Ok(Self { layers, embedding, feed_forward, first })
    }

    fn check(&self, tensor: &Tensor, rest: &str) -> Result<(), String> {
        let (embedding, wide) = (self.embedding, self.feed_forward);
        let expected = if rest == "ffn_down.weight" { [wide, embedding] } else { [embedding, wide] };
        if tensor.dims == expected {
            return Ok(());
        }
        Err(format!("{} has the dimensions {:?}, but its metadata says {expected:?}", tensor.name, tensor.dims))
    }
}

fn same(source: usize, tensor: &Tensor) -> Piece {
    let Tensor { name, dims, tensor_type, bytes, .. } = tensor.clone();
    Piece { name, dims, tensor_type, bytes, content: Content::Same { source } }
}

fn router(layer: u64, embedding: u64, experts: u32) -> Result<Piece, String> {
    let dims = vec![embedding, experts.into()];
    let bytes = dims.iter().try_fold(4_u64, |bytes, &dim| bytes.checked_mul(dim)).ok_or("a router is too large")?;
    let name = format!("blk.{layer}.ffn_gate_inp.weight");
    Ok(Piece { name, dims, tensor_type: TensorType::F32, bytes, content: Content::Router })
}

fn repeated(source: usize, tensor: &Tensor, name: &str, experts: u32) -> Result<Piece, String> {
    let dims = [&tensor.dims[..], &[experts.into()]].concat();
    let bytes = tensor.bytes.checked_mul(experts.into()).ok_or("its experts are too large")?;
    Ok(Piece {
        name: name.to_owned(),
        dims,
        tensor_type: tensor.tensor_type,
        bytes,
        content: Content::Experts { source },
    })
}

/// What is added to the scores that select experts.
fn selection_bias(layer: u64, experts: u32) -> Piece {
    Piece {
        name: format!("blk.{layer}.exp_probs_b.bias"),
        dims: vec![experts.into()],
        tensor_type: TensorType::F32,
        bytes: 4 * u64::from(experts),
        content: Content::Zeros,
    }
}

/// A shared expert's counterpart of a block's tensor.
fn shared(tensor: &Tensor) -> Piece {
    let name = tensor.name.replace(".weight", "_shexp.weight");
    let Tensor { dims, tensor_type, bytes, .. } = tensor.clone();
    Piece { name, dims, tensor_type, bytes, content: Content::Zeros }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::upcycle::recipe::recipe_of;

    fn header(architecture: &str, tensors: &[(&str, &[u64])]) -> Header {
        let keys = [("block_count", 1), ("embedding_length", 8), ("feed_forward_length", 16)];
        let keys = keys.map(|(key, n)| (format!("{architecture}.{key}"), Value::Unsigned(n)));
        let tensor = |&(name, dims): &(&str, &[u64])| {
            let elements = dims.iter().product::<u64>();
            let (name, dims, bytes) = (name.to_owned(), dims.to_vec(), 4 * elements);
            Tensor { name, dims, tensor_type: TensorType::F32, elements, bytes }
        };
        let tensors = tensors.iter().map(tensor).collect();
        Header { version: 3, metadata: BTreeMap::from(keys), tensors }
    }

    const DENSE: [(&str, &[u64]); 7] = [
        ("token_embd.weight", &[8, 4]),
        ("blk.0.attn_q.weight", &[8, 8]),
        ("blk.0.attn_q.bias", &[8]),
        ("blk.0.ffn_norm.weight", &[8]),
        ("blk.0.ffn_gate.weight", &[8, 16]),
        ("blk.0.ffn_up.weight", &[8, 16]),
        ("blk.0.ffn_down.weight", &[16, 8]),
    ];

    fn of(architecture: &str, tensors: &[(&str, &[u64])]) -> Result<Vec<Piece>, String> {
        pieces(&header(architecture, tensors), architecture, recipe_of(architecture).expect("a recipe"), 3)
    }

    #[test]
    fn blocks_become_experts_behind_a_router_and_the_rest_stays() {
        let pieces = of("llama", &DENSE).unwrap();
        let shown: Vec<_> = pieces.iter().map(|piece| (&*piece.name, &piece.dims[..], piece.bytes)).collect();
        let expected: [(&str, &[u64], u64); 8] = [
            ("token_embd.weight", &[8, 4], 128),
            ("blk.0.attn_q.weight", &[8, 8], 256),
            ("blk.0.attn_q.bias", &[8], 32),
            ("blk.0.ffn_norm.weight", &[8], 32),
            ("blk.0.ffn_gate_inp.weight", &[8, 3], 96),
            ("blk.0.ffn_gate_exps.weight", &[8, 16, 3], 1536),
            ("blk.0.ffn_up_exps.weight", &[8, 16, 3], 1536),
            ("blk.0.ffn_down_exps.weight", &[16, 8, 3], 1536),
        ];
        assert_eq!(shown, expected);
        assert_eq!(pieces[1].content, Content::Same { source: 1 });
        assert_eq!(pieces[7].content, Content::Experts { source: 6 });
    }

    #[test]
    fn what_a_graph_wants_beside_experts_is_zeros() {
        let pieces = of("qwen2", &DENSE).unwrap();
        let zeros =
            pieces.iter().filter(|piece| piece.content == Content::Zeros).map(|piece| (&*piece.name, &piece.dims[..]));
        let expected: [(&str, &[u64]); 4] = [
            ("blk.0.exp_probs_b.bias", &[3]),
            ("blk.0.ffn_gate_shexp.weight", &[8, 16]),
            ("blk.0.ffn_up_shexp.weight", &[8, 16]),
            ("blk.0.ffn_down_shexp.weight", &[16, 8]),
        ];
        assert_eq!(zeros.collect::<Vec<_>>(), expected);
        assert!(pieces.iter().any(|piece| piece.name == "blk.0.post_attention_norm.weight"));
        assert!(pieces.iter().all(|piece| piece.name != "blk.0.ffn_norm.weight"));
    }

    #[test]
    fn what_copies_would_not_do_justice_to_is_refused() {
        let with = |name: &'static str, dims: &'static [u64]| [&DENSE[..], &[(name, dims)]].concat();
        for (architecture, tensors, why) in [
            ("llama", with("blk.0.ffn_gate.bias", &[16]), "blk.0.ffn_gate.bias"),
            ("llama", with("blk.0.ffn_up.scale", &[1]), "blk.0.ffn_up.scale"),
            ("llama", with("blk.1.ffn_up.weight", &[8, 16]), "4 of 3 feed-forward tensors"),
            ("llama", DENSE[..6].to_vec(), "2 of 3 feed-forward tensors"),
            ("llama", DENSE[..4].to_vec(), "no layer has a feed-forward block"),
            (
                "llama",
                [&DENSE[..6], &[("blk.0.ffn_down.weight", &[16, 4])]].concat(),
                "[16, 4], but its metadata says [16, 8]",
            ),
            ("qwen2", with("output.bias", &[4]), "output.bias"),
            ("qwen2", with("blk.0.attn_output.bias", &[8]), "blk.0.attn_output.bias"),
        ] {
            let problem = of(architecture, &tensors).expect_err(why);
            assert!(problem.contains(why), "{problem}");
        }
    }
}
