//! A model's weights by llama.cpp's names: drawn at random or read from a file, then trained.
//!
//! Experts are trained one tensor each and stacked in the file, as llama.cpp holds them.

use std::{
    fs::File,
    io::{BufReader, Read, Seek},
};

use candle_core::{
    Device, Result, Shape, Tensor, Var,
    quantized::{GgmlDType, QTensor, gguf_file::Content},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How a weight is kept in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// The file's own.
    Free,
    /// Always F32: norms, routers, biases and sinks.
    Full,
}

/// What a weight is before training.
#[derive(Debug, Clone, Copy)]
pub enum Init {
    Zeros,
    Ones,
    /// Uniform around zero, with this standard deviation.
    Noise(f64),
}

/// The weights of one model. Asked for a weight, it makes or reads it and remembers it.
pub struct Weights {
    source: Source,
    entries: Vec<Entry>,
}

enum Source {
    Seed(Box<ChaCha8Rng>),
    File { content: Content, reader: BufReader<File> },
}

struct Entry {
    name: String,
    precision: Precision,
    kind: Kind,
}

enum Kind {
    Single(Var),
    /// One an expert.
    Stack(Vec<Var>),
}

impl Weights {
    pub fn fresh(seed: u64) -> Self {
        Self { source: Source::Seed(Box::new(ChaCha8Rng::seed_from_u64(seed))), entries: Vec::new() }
    }

    pub fn stored(content: Content, reader: BufReader<File>) -> Self {
        Self { source: Source::File { content, reader }, entries: Vec::new() }
    }

    /// A weight of its own.
    pub fn single(
        &mut self,
        name: String,
        shape: impl Into<Shape>,
        init: Init,
        precision: Precision,
    ) -> Result<Tensor> {
        let shape = shape.into();
        let var = match &mut self.source {
            Source::Seed(rng) => drawn(&shape, init, rng)?,
            Source::File { content, reader } => Var::from_tensor(&loaded(content, reader, &name, &shape)?)?,
        };
        let tensor = var.as_tensor().clone();
        self.entries.push(Entry { name, precision, kind: Kind::Single(var) });
        Ok(tensor)
    }

    /// The same weight of every expert.
    pub fn stack(
        &mut self,
        name: String,
        experts: usize,
        shape: impl Into<Shape>,
        init: Init,
        precision: Precision,
    ) -> Result<Vec<Tensor>> {
        let shape = shape.into();
        let vars = match &mut self.source {
            Source::Seed(rng) => (0..experts).map(|_| drawn(&shape, init, rng)).collect::<Result<Vec<_>>>()?,
            Source::File { content, reader } => {
                let all: Vec<usize> = [experts].iter().chain(shape.dims()).copied().collect();
                let stack = loaded(content, reader, &name, &all.into())?;
                (0..experts).map(|expert| Var::from_tensor(&stack.get(expert)?)).collect::<Result<Vec<_>>>()?
            }
        };
        let tensors = vars.iter().map(|var| var.as_tensor().clone()).collect();
        self.entries.push(Entry { name, precision, kind: Kind::Stack(vars) });
        Ok(tensors)
    }

    /// All that training may change, in a fixed order.
    pub fn vars(&self) -> Vec<Var> {
        self.entries.iter().flat_map(|entry| entry.kind.vars()).cloned().collect()
    }

    /// All of them by name, those that are free in `precision`.
    pub fn tensors(&self, precision: GgmlDType) -> Result<Vec<(String, QTensor)>> {
        self.entries
            .iter()
            .map(|entry| {
                let tensor = match &entry.kind {
                    Kind::Single(var) => var.as_tensor().clone(),
                    Kind::Stack(vars) => Tensor::stack(&vars.iter().map(Var::as_tensor).collect::<Vec<_>>(), 0)?,
                };
                let dtype = match entry.precision {
                    Precision::Free => precision,
                    Precision::Full => GgmlDType::F32,
                };
                Ok((entry.name.clone(), QTensor::quantize(&tensor, dtype)?))
            })
            .collect()
    }
}

impl Kind {
    fn vars(&self) -> &[Var] {
        match self {
            Self::Single(var) => std::slice::from_ref(var),
            Self::Stack(vars) => vars,
        }
    }
}

fn drawn(shape: &Shape, init: Init, rng: &mut ChaCha8Rng) -> Result<Var> {
    let values: Vec<f32> = match init {
        Init::Zeros => vec![0.0; shape.elem_count()],
        Init::Ones => vec![1.0; shape.elem_count()],
        Init::Noise(std) => {
            let bound = (3f64.sqrt() * std) as f32;
            (0..shape.elem_count()).map(|_| rng.random_range(-bound..bound)).collect()
        }
    };
    Var::from_vec(values, shape.clone(), &Device::Cpu)
}

fn loaded(content: &Content, reader: &mut (impl Read + Seek), name: &str, shape: &Shape) -> Result<Tensor> {
    let tensor = content.tensor(reader, name, &Device::Cpu)?.dequantize(&Device::Cpu)?;
    if tensor.shape() != shape {
        candle_core::bail!("{name} has the shape {:?} where {shape:?} is expected", tensor.shape())
    }
    Ok(tensor)
}
