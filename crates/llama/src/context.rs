//! Sets up a lane's context, and says what of it decides whether a text's logits are its own (moe-sweep's
//! docs/decisions.md, Numerics).

use std::num::NonZeroU32;
use std::ops::Range;

use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_sys_2 as sys;

use crate::device::devices;
use crate::options::Ubatch;
use crate::{Error, Numerics, Settings, Strategy};

/// The parameters of one lane's context.
///
/// # Errors
/// When it would have more than 2^32 tokens.
pub(crate) fn context_params(settings: &Settings) -> Result<LlamaContextParams, Error> {
    let Settings { context, .. } = *settings;
    let Strategy { rows, threads, .. } = settings.strategy;
    // One more sequence, for the parked prompt.
    let n_seq_max = rows.max(least_rows(settings.numerics)) + 1;
    let n_ctx = context.checked_mul(n_seq_max).and_then(NonZeroU32::new).ok_or_else(|| Error::Context {
        context,
        rows,
        reason: "more than 2^32 tokens in all".to_owned(),
    })?;
    // Room for a prompt, and for a token of every sequence: llama.cpp aborts
    // when it sets itself up for fewer outputs than sequences.
    let n_batch = context.max(n_seq_max);
    let n_threads = threads as i32;
    let params = LlamaContextParams::default()
        .with_n_ctx(Some(n_ctx))
        .with_n_seq_max(n_seq_max)
        .with_n_batch(n_batch)
        .with_n_threads(n_threads)
        .with_n_threads_batch(n_threads)
        // Each sequence has a stream of its own: what else is decoded
        // beside it can't change its attention's sums.
        .with_kv_unified(false)
        .with_no_perf(true);
    Ok(settings.options.set(params))
}

/// Rows that a step must have. ggml multiplies a single row by kernels of its own, and splits
/// a single long cache among threads; from two rows on, a row's sums are the same in any company.
pub(crate) fn least_rows(numerics: Numerics) -> u32 {
    match numerics {
        Numerics::Invariant => 2,
        Numerics::Fast => 1,
    }
}

/// The pieces in which a prompt is evaluated: those of llama.cpp, but that none after the first
/// is a single token, for which [`least_rows`] would not hold.
pub(crate) fn pieces(n_tokens: usize, Ubatch(ubatch): Ubatch) -> impl Iterator<Item = Range<usize>> {
    let piece = ubatch.max(1) as usize;
    let mut begin = 0;
    std::iter::from_fn(move || {
        let length = match n_tokens - begin {
            0 => return None,
            left if left == piece + 1 && piece > 2 => piece - 1,
            left => left.min(piece),
        };
        begin += length;
        Some(begin - length..begin)
    })
}

/// Tokens of one sequence in a piece from which on ggml's flash attention sums in tiles (`ggml_fa_tile_config::Q`).
const TILED: usize = 64;

/// Which of ggml's kernels a piece of a prompt takes: two tokens and more differ in attention's alone.
fn tiled(piece: &Range<usize>) -> bool {
    piece.len() >= TILED
}

/// Whether a prompt may begin with what another one's evaluation left: in invariant numerics where [`head`] knows the
/// kernels.
pub(crate) fn may_share_heads(numerics: Numerics) -> bool {
    match numerics {
        Numerics::Invariant => {
            cfg!(target_arch = "x86_64") && !devices().iter().any(|device| device.kind.holds_weights())
        }
        Numerics::Fast => true,
    }
}

/// How many of the tokens that a prompt of `n_tokens` has in common with one of `n_other` need not be evaluated again:
/// so many that each of them took the kernels there that it would take here, and that the rest of its piece still takes
/// those of the whole piece. Then no bit depends on what was evaluated before.
pub(crate) fn head(n_in_common: usize, n_tokens: usize, n_other: usize, ubatch: Ubatch) -> usize {
    let kernels = |n_tokens| {
        pieces(n_tokens, ubatch).flat_map(|piece| {
            let kernel = tiled(&piece);
            piece.map(move |_| kernel)
        })
    };
    let alike = kernels(n_tokens).zip(kernels(n_other)).take_while(|(here, there)| here == there).count();
    // The last token is evaluated in any case, for its logits.
    let head = n_in_common.min(alike).min(n_tokens.saturating_sub(1));
    let Some(piece) = pieces(n_tokens, ubatch).find(|piece| piece.contains(&head)) else { return 0 };
    let least = if tiled(&piece) { TILED } else { 2.min(piece.len()) };
    head.min(piece.end - least)
}

/// The same parameters for llama.cpp itself: llama-cpp-2 does not hand over those
/// it wraps.
pub(crate) fn raw(params: &LlamaContextParams) -> sys::llama_context_params {
    // SAFETY: plain data, filled in by llama.cpp.
    let mut raw = unsafe { sys::llama_context_default_params() };
    raw.n_ctx = params.n_ctx().map_or(0, NonZeroU32::get);
    raw.n_seq_max = params.n_seq_max();
    raw.n_batch = params.n_batch();
    raw.n_ubatch = params.n_ubatch();
    raw.n_threads = params.n_threads();
    raw.n_threads_batch = params.n_threads_batch();
    raw.flash_attn_type = params.flash_attention_policy();
    raw.kv_unified = params.kv_unified();
    raw.no_perf = params.no_perf();
    raw.op_offload = params.op_offload();
    raw.type_k = params.type_k().into();
    raw.type_v = params.type_v().into();
    raw.swa_full = params.swa_full();
    raw.rope_scaling_type = i32::from(params.rope_scaling_type());
    raw.rope_freq_base = params.rope_freq_base();
    raw.rope_freq_scale = params.rope_freq_scale();
    raw
}

#[cfg(test)]
mod tests {
    use super::*;

    const UBATCH: Ubatch = Ubatch(512);

    fn head(n_in_common: usize, n_tokens: usize, n_other: usize) -> usize {
        super::head(n_in_common, n_tokens, n_other, UBATCH)
    }

    #[test]
    fn no_piece_of_a_prompt_is_a_token_alone() {
        assert!(pieces(1, UBATCH).eq(std::iter::once(0..1)));
        assert_eq!(pieces(513, UBATCH).collect::<Vec<_>>(), [0..511, 511..513]);
        for (n_tokens, n) in
            [2, 511, 512, 514, 1024, 1025, 1026, 100_001].into_iter().zip([3, 4, 64, 512].into_iter().cycle())
        {
            let pieces: Vec<_> = pieces(n_tokens, Ubatch(n)).collect();
            assert!(pieces.iter().all(|piece| (2..=n as usize).contains(&piece.len())), "{n_tokens} by {n}");
            assert!(pieces.iter().cloned().flatten().eq(0..n_tokens), "{n_tokens} by {n}");
        }
        // Where one at a time is asked for.
        assert_eq!(pieces(3, Ubatch(1)).collect::<Vec<_>>(), [0..1, 1..2, 2..3]);
        assert_eq!(pieces(3, Ubatch(2)).collect::<Vec<_>>(), [0..2, 2..3]);
    }

    #[test]
    fn what_prompts_have_in_common_is_cut_where_no_kernel_changes() {
        // Of short prompts all but the last two tokens, of longer ones all but a tile.
        assert_eq!([head(10, 20, 20), head(19, 20, 20), head(40, 300, 300), head(299, 300, 310)], [10, 18, 40, 236]);
        // A short prompt's tokens took other kernels than a longer one's.
        assert_eq!([head(30, 100, 40), head(30, 40, 100), head(64, 64, 64)], [0, 0, 0]);
        // The second piece of 530 is short, that of 600 is not; the first is the same.
        assert_eq!([head(520, 530, 600), head(520, 600, 530), head(520, 600, 700)], [512, 512, 520]);
        // Pieces of 513 end elsewhere.
        assert_eq!([head(512, 513, 700), head(511, 700, 513), head(512, 513, 522)], [511, 448, 511]);
        assert_eq!(head(1, 1, 5), 0);
        for (n_tokens, n_other) in (1..700).step_by(7).zip((1..700).rev().step_by(5)) {
            for n_in_common in 0..=n_tokens.min(n_other) {
                let head = head(n_in_common, n_tokens, n_other);
                assert!(head <= n_in_common && head < n_tokens);
                let whole = pieces(n_tokens, UBATCH).find(|piece| piece.contains(&head)).expect("there is a rest");
                assert_eq!(tiled(&(head..whole.end)), tiled(&whole), "{n_in_common} of {n_tokens} and {n_other}");
                assert!(head == 0 || whole.end - head >= 2);
            }
        }
    }
}
