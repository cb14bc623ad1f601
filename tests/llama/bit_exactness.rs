//! `numerics = "invariant"` down to the bits: a text's token ids and all the
//! logits they were chosen from are the same whatever is evaluated beside it,
//! on all bundled architectures and several types of weights.
//!
//! Every architecture with every type takes minutes:
//! `MOE_SWEEP_TEST_EXACTNESS=full cargo test --release --test llama bit_exactness`.
//! Otherwise each architecture is tried with one type.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use moe_sweep::domain::{
    CacheType, Context, Eos, ExpertsUsed, FlashAttention, Generation, KvK, KvV, Level, LevelType as _, LoadKey,
    Numerics, Overflow, PromptKey, Quant, Repack, ResolvedChain, Rope, Seed, Step, Stop, SwaFull, Temperature, Token,
    Ubatch, Written,
};
use moe_sweep::engine::kernels::Kernels;
use moe_sweep::engine::llama::{Llama, LlamaEngine, Model};
use moe_sweep::engine::{
    Effort, Engine, Group, Job, LoadMode, LoadSettings, Observer, Quantisation, Questions, Samplers, Sharing, Strategy,
    Ticket, Timing, Work,
};

use crate::support::alone::alone;

const MODELS: [&str; 4] = ["deepseek-tiny", "phi-moe-tiny", "gpt-oss-tiny", "dense-tiny"];
/// gpt-oss-tiny as F32: the others round away what a cache laid out differently would change.
const QUANTS: [Quant; 4] = [Quant::Q4_K_M, Quant::Q8_0, Quant::F32, Quant::Source];
const CONTEXT: u32 = 768;
const SENTENCE: &str = "The principle is simple: water turns a wheel, and the wheel turns a stone. ";

/// llama.cpp would evaluate the last token of so long a prompt by itself.
const ONE_TOO_MANY: usize = 513;

/// Lanes, threads and batch of each. Where there are more lanes than prompts, texts move; where the batch is narrower
/// than a prompt has texts, some wait for a sequence, and move without one.
const STRATEGIES: [(u32, u32, u32); 9] =
    [(1, 4, 1), (1, 2, 2), (1, 4, 8), (1, 1, 32), (1, 4, 128), (2, 2, 32), (2, 1, 3), (4, 1, 8), (4, 1, 1)];

/// What is compared.
struct Ways<'a> {
    /// Of the texts that are made one at a time: [`Sharing::None`] evaluates each prompt for each text.
    alone: Sharing,
    strategies: &'a [(u32, u32, u32)],
}

const ALL: Ways<'_> = Ways { alone: Sharing::None, strategies: &STRATEGIES };
/// For levels of factors, of which there are many: some texts together, and texts that move.
const SOME: Ways<'_> = Ways { alone: Sharing::Prompt, strategies: &[(1, 1, 32), (2, 1, 3)] };

/// The tokens of every text and the hash of its logits.
type Texts = BTreeMap<Ticket, (Vec<Token>, String)>;

#[derive(Default)]
struct Kept {
    texts: Texts,
    stops: BTreeMap<Ticket, Stop>,
    moved: u64,
    in_heads: u64,
}

impl Observer for Kept {
    fn started(&mut self, _: Ticket) -> std::io::Result<()> {
        Ok(())
    }

    fn finished(&mut self, ticket: Ticket, generation: Generation, _: Timing) -> std::io::Result<()> {
        self.stops.insert(ticket, generation.stop);
        let hash = generation.logits_blake3.expect("the work asks for it");
        self.texts.insert(ticket, (generation.tokens.expect("its tokens are known"), hash));
        Ok(())
    }

    fn failed(&mut self, _: Ticket, reason: String, _: u32) -> std::io::Result<()> {
        panic!("{reason}")
    }

    fn worked(&mut self, effort: Effort) -> std::io::Result<()> {
        self.moved += effort.moved_sequences;
        self.in_heads += effort.shared_head_tokens;
        Ok(())
    }
}

#[test]
fn tokens_and_logits_depend_on_nothing_else() {
    let name = "bit_exactness::tokens_and_logits_depend_on_nothing_else";
    alone(name, &[("GGML_CPU_TILED_MM", "0")], || compare_all(Kernels::Avx2, &MODELS));
}

#[test]
fn they_depend_on_nothing_else_by_the_kernels_of_ggml_either() {
    let name = "bit_exactness::they_depend_on_nothing_else_by_the_kernels_of_ggml_either";
    alone(name, &[("GGML_CPU_TILED_MM", "0")], || compare_all(Kernels::Ggml, &MODELS[..1]));
}

fn compare_all(kernels: Kernels, models: &[&str]) {
    let llama = Llama::start(kernels).expect("llama.cpp starts");
    let folder = tempfile::tempdir().expect("a folder");
    let full = std::env::var_os("MOE_SWEEP_TEST_EXACTNESS").is_some_and(|how| how == "full");
    let mut moved = 0;
    for (&model, one) in models.iter().zip(QUANTS) {
        for quant in if full { QUANTS.to_vec() } else { vec![one] } {
            let path = weights(&llama, model, quant, folder.path());
            moved += compare(&llama, &path, &usual(), &work(&llama, &path), &ALL, &format!("{model} as {quant}"));
        }
    }
    assert!(moved > 0, "no text went from one context to another: moving has not been tried");
}

fn weights(llama: &Llama, model: &str, quant: Quant, folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(model).with_extension("gguf");
    if quant == Quant::Source {
        return source;
    }
    let target = folder.join(format!("{model}-{quant}.gguf"));
    let quantisation = Quantisation { source, target: target.clone(), quant, threads: 2 };
    llama.quantise(&quantisation).expect("the weights can be quantised");
    target
}

#[test]
fn levels_of_contexts_and_loads_are_other_arithmetic_and_depend_on_nothing_else_either() {
    let name = "bit_exactness::levels_of_contexts_and_loads_are_other_arithmetic_and_depend_on_nothing_else_either";
    alone(name, &[("GGML_CPU_TILED_MM", "0")], compare_levels);
}

fn compare_levels() {
    let llama = Llama::start(Kernels::Avx2).expect("llama.cpp starts");
    let rope = |name: &str| Level::from(name.parse::<Rope>().expect("a rope"));
    let ubatch = |n: i64| Level::from(Ubatch::read(&Written::Integer(n)).expect("a number"));
    let one_expert = ExpertsUsed::Number(1.try_into().expect("not 0"));
    let of_mixtures = [Level::from(FlashAttention::Off), KvK(CacheType::Q8_0).into(), KvV(CacheType::Q4_0).into()]
        .into_iter()
        .chain([KvK(CacheType::F32).into(), KvV(CacheType::BF16).into(), rope("linear:2"), rope("yarn:2")])
        .chain([rope("base:500000"), one_expert.into(), ubatch(40)]);
    let of_windows = [Level::from(FlashAttention::Off), SwaFull::Window.into()];
    let levels = of_mixtures.map(|level| ("deepseek-tiny", level));
    for (name, level) in levels.chain(of_windows.map(|level| ("gpt-oss-tiny", level))) {
        let path = weights(&llama, name, Quant::Source, Path::new(""));
        let said = format!("{name}, {} {level}", level.factor());
        let texts = |levels: &LoadKey| {
            let settings = settings(&path, (1, 1, 32), levels);
            let model = Model::load(&llama, &settings).expect("the model loads");
            let mut kept = Kept::default();
            LlamaEngine::new(&llama, &model, &settings).generate(&work(&llama, &path), &mut kept).expect("texts");
            kept.texts
        };
        let (common, other) = (texts(&usual()), texts(&usual().with(level.clone())));
        let differing = common.iter().filter(|(ticket, (_, logits))| other[ticket].1 != *logits).count();
        // What lies outside its window a layer has never looked at: a cache that forgets it changes no sum's terms. And
        // for flash attention llama.cpp turns keys and values of 32 bits into those of 16 (`build_attn_mha`).
        if level == KvK(CacheType::F32).into() {
            assert_eq!(differing, 0, "{said}");
        } else if level != SwaFull::Window.into() {
            assert!(differing > common.len() / 2, "{said}: {differing} of {} texts have other logits", common.len());
        }
        compare(&llama, &path, &usual().with(level), &work(&llama, &path), &SOME, &said);
    }
}

/// Texts that forget part of their context: those that part share what they have forgotten.
const FULL: Ways<'_> = Ways { alone: Sharing::None, strategies: &[(1, 1, 32), (2, 1, 3), (4, 1, 1)] };

#[test]
fn what_becomes_of_a_full_context_is_the_same_in_any_company() {
    let name = "bit_exactness::what_becomes_of_a_full_context_is_the_same_in_any_company";
    alone(name, &[("GGML_CPU_TILED_MM", "0")], compare_overflows);
}

fn compare_overflows() {
    let llama = Llama::start(Kernels::Avx2).expect("llama.cpp starts");
    // llama.cpp makes caches of a multiple of 256 tokens: one that is larger than the context, and one that is not.
    for (model, context, keep, sentences) in [("deepseek-tiny", 40, 0, 1), ("dense-tiny", 256, 70, 9)] {
        let path = weights(&llama, model, Quant::Source, Path::new(""));
        let key = |overflow| {
            let context = Context::read(&Written::Integer(context.into())).expect("a number");
            usual().with(context).with(overflow)
        };
        let texts = |key: &LoadKey| {
            let settings = settings(&path, (1, 1, 32), key);
            let model = Model::load(&llama, &settings).expect("the model loads");
            let mut kept = Kept::default();
            LlamaEngine::new(&llama, &model, &settings).generate(&full_work(sentences), &mut kept).expect("texts");
            (kept.texts, kept.stops)
        };
        let (whole, _) = texts(&usual());
        let (stopped, stops) = texts(&key(Overflow::Stop));
        let (shifted, _) = texts(&key(Overflow::Shift(keep)));
        for (ticket, (tokens, logits)) in &whole {
            let (stopped, shifted) = (&stopped[ticket], &shifted[ticket]);
            // Up to the full context it is one text.
            assert!(tokens.starts_with(&stopped.0) && shifted.0.starts_with(&stopped.0), "{model}: {ticket}");
            if stops[ticket] == Stop::Context {
                assert!(stopped.0.len() < tokens.len(), "{model}: {ticket}");
                assert_ne!(shifted.1, *logits, "{model}: {ticket} has forgotten nothing");
            } else {
                assert!(stopped == shifted && stopped.0 == *tokens, "{model}: {ticket} had room");
            }
        }
        assert!(stops.values().any(|&stop| stop == Stop::Context), "{model}: no text filled its context");
        let said = format!("{model}, a context of {context} shifted");
        compare(&llama, &path, &key(Overflow::Shift(keep)), &full_work(sentences), &FULL, &said);
    }
}

#[test]
fn repacked_weights_have_other_kernels_in_fast_numerics_alone() {
    let name = "bit_exactness::repacked_weights_have_other_kernels_in_fast_numerics_alone";
    alone(name, &[("GGML_CPU_TILED_MM", "0")], compare_repacked);
}

fn compare_repacked() {
    let llama = Llama::start(Kernels::Ggml).expect("llama.cpp starts");
    let folder = tempfile::tempdir().expect("a folder");
    let path = weights(&llama, "deepseek-tiny", Quant::Q4_0, folder.path());
    let texts = |numerics, repack: Repack| {
        let settings = LoadSettings { numerics, ..settings(&path, (1, 1, 8), &usual().with(repack)) };
        let model = Model::load(&llama, &settings).expect("the model loads");
        let mut kept = Kept::default();
        LlamaEngine::new(&llama, &model, &settings).generate(&work(&llama, &path), &mut kept).expect("texts");
        kept.texts
    };
    let fast = [Repack::On, Repack::Off].map(|repack| texts(Numerics::Fast, repack));
    let differing = fast[0].iter().filter(|(ticket, (_, logits))| fast[1][ticket].1 != *logits).count();
    assert!(differing > fast[0].len() / 2, "{differing} of {} texts have other logits", fast[0].len());
    // So the plan refuses to compare them there.
    let invariant = [Repack::On, Repack::Off].map(|repack| texts(Numerics::Invariant, repack));
    assert!(invariant[0] == invariant[1]);
}

fn usual() -> LoadKey {
    LoadKey::usual("model")
}

/// How many sequences were moved meanwhile.
fn compare(llama: &Llama, path: &Path, levels: &LoadKey, work: &Work, ways: &Ways<'_>, name: &str) -> u64 {
    let model = Model::load(llama, &settings(path, (1, 1, 1), levels)).expect("the model loads");
    let (mut moved, mut in_heads) = (0, 0);
    let mut made = |settings: &LoadSettings, work: &Work| {
        let mut kept = Kept::default();
        LlamaEngine::new(llama, &model, settings).generate(work, &mut kept).expect("texts");
        moved += kept.moved;
        in_heads += kept.in_heads;
        kept.texts
    };
    let alone = made(&LoadSettings { sharing: ways.alone, ..settings(path, (1, 1, 1), levels) }, work);
    let mut texts = |strategy, work: &Work| made(&settings(path, strategy, levels), work);
    assert_eq!(alone.len(), work.groups.iter().map(|group| group.jobs.len()).sum::<usize>());
    let narrow_enough = |&(_, _, batch): &(u32, u32, u32)| batch <= levels.get::<Ubatch>().get();
    for strategy in ways.strategies.iter().copied().filter(narrow_enough) {
        let together = texts(strategy, work);
        assert!(together == alone, "{name}: lanes, threads, batch {strategy:?} differ from one at a time");
    }
    let mut backwards = work.clone();
    backwards.groups.reverse();
    backwards.groups.iter_mut().for_each(|group| group.jobs.reverse());
    assert!(texts((1, 2, 8), &backwards) == alone, "{name}: the order of the texts matters");
    // As when a run is resumed in the middle of a prompt.
    let mut rest = work.clone();
    rest.groups.iter_mut().for_each(|group| group.jobs.retain(|job| job.ticket % 3 == 1));
    for (ticket, text) in texts((1, 2, 8), &rest) {
        assert!(text == alone[&ticket], "{name}: text {ticket} differs when others are done already");
    }
    let can_cut = *levels.get::<SwaFull>() == SwaFull::Full;
    assert_eq!(in_heads > 0, can_cut, "{name}: no prompt began with another one's evaluation: that has not been tried");
    moved
}

/// Prompts of some ten tokens, of over 600 and of [`ONE_TOO_MANY`], each asked in several ways; and pairs of prompts
/// that begin alike, of some ten tokens, of over 64, where attention sums in tiles, of over 512, which are two pieces,
/// and of one length here and another there.
fn work(llama: &Llama, path: &Path) -> Work {
    let key = PromptKey::default();
    let n_tokens = |prompt: &str| {
        let questions = Questions { prompts: vec![prompt.to_owned()], keys: vec![key.clone()] };
        let (_, counts) = llama.inspect(path, &questions).expect("the model is read");
        counts.get(&key).as_ref().expect("it can be asked")[0] as usize
    };
    let long = SENTENCE.repeat(26);
    assert!((601..750).contains(&n_tokens(&long)));
    let lengthen = |text: &String| Some(format!("{text} stone"));
    let mut longer = std::iter::successors(Some(SENTENCE.repeat(19)), lengthen);
    let one_too_many = longer.find(|text| n_tokens(text) >= ONE_TOO_MANY).expect("it grows");
    assert_eq!(n_tokens(&one_too_many), ONE_TOO_MANY);
    let pairs = [
        begins(1, "It never stops."),
        begins(1, "Nobody knows who built it."),
        begins(5, "It stops where the river freezes, as it did in the winter of that year, and the miller sleeps."),
        begins(5, "What does the miller do in the winter, when the river freezes and the stone stands still?"),
        begins(2, "It never stops."),
        begins(22, "It stops where the river freezes."),
        begins(22, "It stops in winter."),
    ];
    let pairs = pairs.iter().zip((300..).step_by(100)).map(|(prompt, first)| group(prompt, first, 7));
    let groups =
        [group(&SENTENCE[..30], 0, 7), group(&long, 100, 7), group(&one_too_many, 200, 7)].into_iter().chain(pairs);
    let groups: Vec<Group> = groups.collect();
    Work { max_tokens: 10, groups, hash_logits: true }
}

/// Prompts of so many sentences, of some 25 tokens each, which begin alike, and a shorter one.
fn full_work(sentences: usize) -> Work {
    let prompts = [begins(sentences, "It never stops."), begins(sentences, "Why?"), SENTENCE[..30].to_owned()];
    let groups = prompts.iter().zip((0..).step_by(100)).map(|(prompt, first)| group(prompt, first, 2));
    Work { max_tokens: 80, groups: groups.collect(), hash_logits: true }
}

fn begins(n: usize, rest: &str) -> String {
    SENTENCE.repeat(n) + rest
}

/// A prompt that is asked with so many draws, and without one.
fn group(prompt: &str, first: Ticket, draws: u32) -> Group {
    let temperature = |t| Step::Temperature { t: Temperature::new(t).expect("a temperature") };
    let greedy = (vec![Step::Greedy], None);
    let draws = (0..draws).map(|n| {
        let t = [0.3, 0.9, 1.5][n as usize % 3];
        (vec![temperature(t), Step::Dist], Seed::new(n))
    });
    let jobs = draws.chain([greedy]).zip(first..);
    let jobs =
        jobs.map(|((steps, seed), ticket)| Job { ticket, chain: ResolvedChain(steps), seed, eos: Eos::default() });
    Group { prompt: prompt.to_owned(), key: PromptKey::default(), jobs: jobs.collect() }
}

fn settings(path: &Path, (lanes, threads, batch): (u32, u32, u32), levels: &LoadKey) -> LoadSettings {
    LoadSettings {
        path: path.to_owned(),
        blake3: String::new(),
        levels: levels.clone(),
        numerics: Numerics::Invariant,
        context: levels.get::<Context>().tokens(CONTEXT),
        strategy: Strategy { lanes, threads, batch },
        samplers: Samplers::Fast,
        sharing: Sharing::Trie,
        load_mode: LoadMode::Auto,
    }
}
