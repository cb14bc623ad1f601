//! Products of two numbers a second and thread, by format, kernels and texts: `cargo bench -p moe-sweep-matmul`.

use std::time::Instant;

use matmul::{Format, Kernels, MAX_TILE, PANEL, Product, Quant, pack, packed_bytes, place_row, row_words, tiles};

const N_COLS: usize = 1536;
const N_ROWS: usize = 576;

fn main() {
    for format in Format::ALL {
        let mut state = 1_u32;
        let mut byte = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state & 0x23) as u8
        };
        let mut file: Vec<u8> = (0..N_ROWS * N_COLS / format.unit() * format.unit_bytes()).map(|_| byte()).collect();
        if format == Format::Quant(Quant::Mxfp4) {
            // Ordinary numbers: with subnormal ones a product may take longer.
            file.chunks_exact_mut(format.unit_bytes()).for_each(|unit| unit[0] |= 120);
        }
        let mut packed = vec![0; packed_bytes(format, N_COLS, N_ROWS)];
        let begun = Instant::now();
        pack(format, N_COLS, N_ROWS, &file, &mut packed);
        let packing = (N_ROWS * N_COLS) as f64 / begun.elapsed().as_secs_f64() / 1e6;
        print!("{format}: packs {packing:.0} M/s");
        for kernels in Kernels::ALL.into_iter().skip(1).filter(|kernels| kernels.is_supported()) {
            print!(" | {kernels}");
            for n_texts in [1, 2, 4, 8, MAX_TILE, 64] {
                let row: Vec<f32> = (0..N_COLS).map(|at| (at as f32).sin()).collect();
                let mut products = vec![0.; N_ROWS * n_texts];
                let all: Vec<_> = tiles(n_texts)
                    .map(|(texts, places)| {
                        let mut tile = vec![0; places * row_words(format, N_COLS)];
                        for place in 0..texts.len() {
                            place_row(format, &row, &mut tile, place, places);
                        }
                        (texts, tile)
                    })
                    .collect();
                let begun = Instant::now();
                let mut n = 0;
                while n < 3 || begun.elapsed().as_millis() < 60 {
                    for panel in 0..N_ROWS / PANEL {
                        for (texts, tile) in &all {
                            let outputs: Vec<_> =
                                texts.clone().map(|text| products[text * N_ROWS..].as_mut_ptr()).collect();
                            let product = Product { format, n_cols: N_COLS, n_rows: N_ROWS, packed: &packed, tile };
                            // SAFETY: the CPU has the kernels, and each output is a row of its own.
                            unsafe { product.compute(kernels, panel..panel + 1, &outputs) };
                        }
                    }
                    n += 1;
                }
                print!(
                    " {n_texts}: {:.1}",
                    (n * n_texts * N_ROWS * N_COLS) as f64 / begun.elapsed().as_secs_f64() / 1e9
                );
            }
        }
        println!();
    }
}
