//! Computes ggml's products of matrices by the kernels of `matmul`, on ggml's threads.
//!
//! `MUL_MAT` is one matrix for all rows, `MUL_MAT_ID` one for each expert. Either way rows are put into groups that share
//! a matrix, and groups into tiles; threads fill tiles, wait for each other, and then take panels in turns.

use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::slice;

use llama_cpp_sys_2 as sys;
use matmul::{MAX_TILE, Output, PANEL, Product, Word, place_row, row_words, tiles};

use super::OURS;
use super::buffer::{format, matrix_bytes};

/// `ggml_compute_params`, of llama.cpp's ggml/src/ggml-cpu/ggml-cpu-impl.h.
#[repr(C)]
struct Params {
    ith: c_int,
    nth: c_int,
    work_bytes: usize,
    work: *mut c_void,
    threadpool: *mut c_void,
    use_ref: bool,
}

unsafe extern "C" {
    fn ggml_barrier(threadpool: *mut c_void);
    fn ggml_threadpool_chunk_set(threadpool: *mut c_void, value: c_int);
    fn ggml_threadpool_chunk_add(threadpool: *mut c_void, value: c_int) -> c_int;
}

/// Rows that a panel is multiplied with before the next panel: as many as stay in a core's cache.
const ROWS_AT_ONCE: usize = 10 * MAX_TILE;
/// Portions that each thread takes of a product, so that none waits long for another.
const PORTIONS: usize = 8;

/// Whether the operation can be computed here: a product of weights with floats.
#[unsafe(no_mangle)]
unsafe extern "C" fn moe_sweep_supports(op: *const sys::ggml_tensor) -> bool {
    // SAFETY: ggml hands over an operation with its sources.
    unsafe {
        let [weights, rows, ..] = (*op).src;
        if weights.is_null() || format(weights).is_none() {
            return false;
        }
        // A matrix of a single row has one dimension, one expert has two.
        let dimensions = match (*op).op {
            sys::GGML_OP_MUL_MAT => 1..=2,
            sys::GGML_OP_MUL_MAT_ID => 1..=3,
            _ => return false,
        };
        let elsewhere = !(*rows).buffer.is_null() && !sys::ggml_backend_buffer_is_host((*rows).buffer);
        dimensions.contains(&sys::ggml_n_dims(weights)) && (*rows).type_ == sys::GGML_TYPE_F32 && !elsewhere
    }
}

/// Whether it is computed here: whatever is done with weights that are laid out for us.
#[unsafe(no_mangle)]
unsafe extern "C" fn moe_sweep_multiplies(op: *const sys::ggml_tensor) -> bool {
    // SAFETY: ggml hands over an operation with its sources.
    unsafe {
        let [weights, ..] = (*op).src;
        matches!((*op).op, sys::GGML_OP_MUL_MAT | sys::GGML_OP_MUL_MAT_ID)
            && !weights.is_null()
            && format(weights).is_some()
    }
}

/// Bytes that the threads need for tiles.
#[unsafe(no_mangle)]
unsafe extern "C" fn moe_sweep_work_bytes(op: *const sys::ggml_tensor) -> usize {
    // SAFETY: ggml hands over an operation with its sources.
    unsafe {
        let weights = (*op).src[0];
        let format = format(weights).expect("weights that are laid out for the kernels");
        let [n_cols, _, n_matrices, _] = (*weights).ne.map(|n| n as usize);
        let n_rows = sys::ggml_nrows(op) as usize;
        // The last tile of a matrix has up to three empty places.
        let places = n_rows + 3 * n_matrices.min(n_rows);
        places * row_words(format, n_cols) * size_of::<Word>()
    }
}

/// One thread's part of the operation.
#[unsafe(no_mangle)]
unsafe extern "C" fn moe_sweep_multiply(params: *const c_void, op: *mut sys::ggml_tensor) {
    // SAFETY: ggml hands over its parameters and an operation that `moe_sweep_multiplies`, and has set aside as much work
    // space as `moe_sweep_work_bytes` asks for.
    unsafe { multiply(&*params.cast::<Params>(), &*op) }
}

/// A row of activations and where its product goes.
#[derive(Clone, Copy)]
struct Row {
    /// The matrix that it is multiplied with.
    matrix: usize,
    from: *const f32,
    to: Output,
}

/// Rows that are multiplied together.
struct Tile {
    matrix: usize,
    /// Of the rows.
    rows: Range<usize>,
    places: usize,
    /// Its words in the work space.
    words: Range<usize>,
}

unsafe fn multiply(params: &Params, op: &sys::ggml_tensor) {
    // SAFETY: as the caller says.
    unsafe {
        let weights = &*op.src[0];
        let format = format(weights).expect("weights that are laid out for the kernels");
        let [n_cols, n_rows, ..] = weights.ne.map(|n| n as usize);
        let rows = rows(op);
        let tiles = tiles_of(&rows, row_words(format, n_cols));
        let (ith, nth) = (params.ith as usize, params.nth as usize);
        let work = params.work.cast::<Word>();
        assert!(work.is_aligned(), "ggml aligns its work space");
        let kernels = *OURS.get().expect("weights are laid out for kernels that were offered");

        for tile in tiles.iter().skip(ith).step_by(nth) {
            let words = slice::from_raw_parts_mut(work.add(tile.words.start), tile.words.len());
            for (place, row) in rows[tile.rows.clone()].iter().enumerate() {
                place_row(format, slice::from_raw_parts(row.from, n_cols), words, place, tile.places);
            }
        }
        let n_panels = n_rows.div_ceil(PANEL);
        let per_portion = if nth == 1 { n_panels } else { n_panels.div_ceil(nth * PORTIONS).max(1) };
        let portions: Vec<_> = portions(&tiles, n_panels, per_portion).collect();
        if nth > 1 {
            if ith == 0 {
                ggml_threadpool_chunk_set(params.threadpool, params.nth);
            }
            ggml_barrier(params.threadpool);
        }
        let mut next = ith;
        while let Some((tiles, panels)) = portions.get(next) {
            let n_bytes = matrix_bytes(format, weights);
            let matrix = weights.data.cast::<u8>().add(tiles[0].matrix * n_bytes);
            let packed = slice::from_raw_parts(matrix, n_bytes);
            for panel in panels.clone() {
                for tile in *tiles {
                    let outputs: [Output; MAX_TILE] = std::array::from_fn(|place| {
                        rows[tile.rows.clone()].get(place).map_or(std::ptr::null_mut(), |row| row.to)
                    });
                    let words = slice::from_raw_parts(work.add(tile.words.start), tile.words.len());
                    let product = Product { format, n_cols, n_rows, packed, tile: words };
                    product.compute(kernels, panel..panel + 1, &outputs[..tile.rows.len()]);
                }
            }
            next = if nth == 1 { next + 1 } else { ggml_threadpool_chunk_add(params.threadpool, 1) as usize };
        }
    }
}

/// All rows, those of a matrix one after the other.
unsafe fn rows(op: &sys::ggml_tensor) -> Vec<Row> {
    // SAFETY: ggml hands over an operation with its sources, all of them on the host.
    unsafe {
        let activations = &*op.src[1];
        let row = |matrix: usize, from: [usize; 3], to: [usize; 3]| {
            let at = |tensor: &sys::ggml_tensor, [i1, i2, i3]: [usize; 3]| {
                tensor.data.byte_add(i1 * tensor.nb[1] + i2 * tensor.nb[2] + i3 * tensor.nb[3])
            };
            Row { matrix, from: at(activations, from).cast(), to: at(op, to).cast() }
        };
        let [_, n1, n2, n3] = op.ne.map(|n| n as usize);
        if op.op == sys::GGML_OP_MUL_MAT {
            let all = (0..n3).flat_map(|i3| (0..n2).flat_map(move |i2| (0..n1).map(move |i1| [i1, i2, i3])));
            return all.map(|at| row(0, at, at)).collect();
        }
        let ids = &*op.src[2];
        let from_slots = activations.ne[1] as usize;
        let mut rows: Vec<_> = (0..n2)
            .flat_map(|token| (0..n1).map(move |slot| (token, slot)))
            .map(|(token, slot)| {
                let id = ids.data.byte_add(slot * ids.nb[0] + token * ids.nb[1]).cast::<i32>().read();
                row(id as usize, [slot % from_slots, token, 0], [slot, token, 0])
            })
            .collect();
        rows.sort_by_key(|row| row.matrix);
        rows
    }
}

fn tiles_of(rows: &[Row], row_words: usize) -> Vec<Tile> {
    let mut all = Vec::new();
    let (mut first, mut word) = (0, 0);
    for group in rows.chunk_by(|row, next| row.matrix == next.matrix) {
        for (rows, places) in tiles(group.len()) {
            let words = word..word + places * row_words;
            word = words.end;
            all.push(Tile { matrix: group[0].matrix, rows: first + rows.start..first + rows.end, places, words });
        }
        first += group.len();
    }
    all
}

/// Tiles of one matrix that are multiplied with the same panels.
fn portions(tiles: &[Tile], n_panels: usize, per_portion: usize) -> impl Iterator<Item = (&[Tile], Range<usize>)> {
    tiles
        .chunk_by(|tile, next| tile.matrix == next.matrix)
        .flat_map(|tiles| tiles.chunks(ROWS_AT_ONCE / MAX_TILE))
        .flat_map(move |tiles| {
            let panels = (0..n_panels).step_by(per_portion);
            panels.map(move |first| (tiles, first..(first + per_portion).min(n_panels)))
        })
}

const _: () = assert!(MAX_TILE <= ROWS_AT_ONCE);
