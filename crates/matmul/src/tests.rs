//! The reference against sums in double precision over the weights that a file holds, and the kernels against the reference.

use half::{bf16, f16};
use proptest::prelude::*;

use crate::floats::Float;
use crate::format::Format;
use crate::kernels::{Kernels, Product};
use crate::pack::{pack, packed_bytes};
use crate::part::PANEL;
use crate::probe::make_ordinary;
use crate::quants::{BLOCK, Quant, Unit};
use crate::tiles::{MAX_TILE, place_row, row_words, tiles};

/// The weights of a unit of a file.
fn weights(format: Format, bytes: &[u8]) -> Vec<f64> {
    let half = || [bytes[0], bytes[1]];
    match format {
        Format::Float(Float::F32) => vec![f64::from(f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))],
        Format::Float(Float::F16) => vec![f16::from_le_bytes(half()).to_f64()],
        Format::Float(Float::Bf16) => vec![bf16::from_le_bytes(half()).to_f64()],
        Format::Quant(quant) => quantised_weights(quant, bytes),
    }
}

/// The weights of a block as ggml's `dequantize_row_*` would have them.
fn quantised_weights(format: Quant, bytes: &[u8]) -> Vec<f64> {
    let unit = Unit::read(format, bytes);
    let half = |bits| f16::from_bits(bits).to_f64();
    let (d, m) = (half(unit.d), half(unit.m));
    let codes = unit.codes[..format.unit()].iter().enumerate();
    codes
        .map(|(at, &code)| {
            let code = f64::from(code);
            match format {
                // Doubled, as the table's values are halved.
                Quant::Mxfp4 => {
                    let value = [0., 0.5, 1., 1.5, 2., 3., 4., 6.][unit.codes[at] as usize % 8];
                    2_f64.powi(i32::from(unit.d) - 127) * if unit.codes[at] < 8 { value } else { -value }
                }
                Quant::Iq4Nl => {
                    let values = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
                    d * f64::from(values[unit.codes[at] as usize])
                }
                Quant::Q4_0 | Quant::Q5_0 | Quant::Q8_0 => d * (code - f64::from(format.offset().unwrap())),
                Quant::Q4_1 | Quant::Q5_1 => d * code + m,
                Quant::Q4K | Quant::Q5K => {
                    d * f64::from(unit.scales[at / BLOCK]) * code - m * f64::from(unit.mins[at / BLOCK])
                }
                Quant::Q6K => d * f64::from(unit.scales[at / 16] as i8) * (code - 32.),
            }
        })
        .collect()
}

/// A file's rows: any codes, and floats that are ordinary.
fn file(format: Format, n_weights: usize, bytes: &[u8]) -> Vec<u8> {
    let n_bytes = n_weights / format.unit() * format.unit_bytes();
    let mut file: Vec<u8> = bytes.iter().copied().cycle().take(n_bytes).collect();
    make_ordinary(format, &mut file);
    file
}

/// The products of each text with each row, by the tiles that `sizes` cuts the texts into.
fn products(
    kernels: Kernels,
    format: Format,
    n_cols: usize,
    n_rows: usize,
    packed: &[u8],
    texts: &[Vec<f32>],
) -> Vec<Vec<f32>> {
    let mut products = vec![vec![0.; n_rows]; texts.len()];
    for (range, places) in tiles(texts.len()) {
        let mut tile = vec![0; places * row_words(format, n_cols)];
        for (place, text) in texts[range.clone()].iter().enumerate() {
            place_row(format, text, &mut tile, place, places);
        }
        let outputs: Vec<_> = products[range].iter_mut().map(|row| row.as_mut_ptr()).collect();
        let product = Product { format, n_cols, n_rows, packed, tile: &tile };
        // SAFETY: the CPU has the kernels, and each output is a row of its own.
        unsafe { product.compute(kernels, 0..n_rows.div_ceil(PANEL), &outputs) };
    }
    products
}

/// The rows as kernels read them; what is not written shows.
fn packed(format: Format, n_cols: usize, n_rows: usize, file: &[u8]) -> Vec<u8> {
    let mut packed = vec![0xee; packed_bytes(format, n_cols, n_rows)];
    pack(format, n_cols, n_rows, file, &mut packed);
    packed
}

/// A number of columns that the format can have; of floats one that is no multiple of anything.
fn columns(format: Format) -> usize {
    match format {
        Format::Float(_) => 37,
        Format::Quant(quant) => quant.unit(),
    }
}

fn any_format() -> impl Strategy<Value = Format> {
    prop::sample::select(&Format::ALL[..])
}

proptest! {
    #[test]
    fn a_product_is_the_sum_over_the_file_s_weights(
        format in any_format(),
        n_rows in 1..40_usize,
        n_blocks in 1..4_usize,
        bytes in prop::collection::vec(any::<u8>(), 997),
        values in prop::collection::vec(-3_f32..3., 613),
    ) {
        let n_cols = n_blocks * columns(format);
        let file = file(format, n_rows * n_cols, &bytes);
        let packed = packed(format, n_cols, n_rows, &file);
        let text: Vec<f32> = values.iter().copied().cycle().take(n_cols).collect();
        let product = &products(Kernels::Portable, format, n_cols, n_rows, &packed, std::slice::from_ref(&text))[0];
        for (row, bytes) in file.chunks(file.len() / n_rows).enumerate() {
            let weights: Vec<f64> = bytes.chunks(format.unit_bytes()).flat_map(|unit| weights(format, unit)).collect();
            // Beside quantised weights activations lose up to half a code, a 254th of the greatest of their block.
            let half_a_code = if matches!(format, Format::Quant(_)) { 1. / 253. } else { 0. };
            let mut expected = 0.;
            let mut loss = 1e-6;
            for (weights, values) in weights.chunks(BLOCK).zip(text.chunks(BLOCK)) {
                let greatest = values.iter().fold(0., |greatest: f32, value| greatest.max(value.abs()));
                for (weight, value) in weights.iter().zip(values) {
                    expected += weight * f64::from(*value);
                    loss += weight.abs() * (f64::from(greatest) * half_a_code + f64::from(value.abs()) * 1e-5);
                }
            }
            prop_assert!((f64::from(product[row]) - expected).abs() <= loss, "{format}, row {row}: {} for {expected}", product[row]);
        }
    }

    #[test]
    fn a_text_s_products_are_the_same_in_any_company_and_by_any_kernels(
        format in any_format(),
        n_rows in 1..40_usize,
        n_blocks in 1..3_usize,
        n_texts in 1..30_usize,
        bytes in prop::collection::vec(any::<u8>(), 997),
        values in prop::collection::vec(-3_f32..3., 613),
    ) {
        let n_cols = n_blocks * columns(format);
        let file = file(format, n_rows * n_cols, &bytes);
        let packed = packed(format, n_cols, n_rows, &file);
        let mut values = values.iter().copied().cycle();
        let texts: Vec<Vec<f32>> = (0..n_texts).map(|_| values.by_ref().take(n_cols).collect()).collect();
        let bits = |products: Vec<Vec<f32>>| -> Vec<Vec<u32>> {
            products.into_iter().map(|row| row.into_iter().map(f32::to_bits).collect()).collect()
        };
        let alone: Vec<_> = texts
            .iter()
            .flat_map(|text| bits(products(Kernels::Portable, format, n_cols, n_rows, &packed, std::slice::from_ref(text))))
            .collect();
        for kernels in Kernels::ALL.into_iter().filter(|kernels| kernels.is_supported()) {
            let together = bits(products(kernels, format, n_cols, n_rows, &packed, &texts));
            prop_assert_eq!(&together, &alone, "{} by {}", format, kernels);
        }
    }
}

#[test]
fn the_greatest_codes_do_not_saturate() {
    for format in Format::ALL {
        for (byte, value) in [(0xff, 1.), (0x80, -1.), (0x7f, 1.), (0x00, -1.), (0x81, 1.)] {
            let (n_rows, n_cols) = (PANEL, 256);
            let file = file(format, n_rows * n_cols, &[byte]);
            let packed = packed(format, n_cols, n_rows, &file);
            let texts = vec![vec![value; n_cols]; MAX_TILE];
            let reference = products(Kernels::Portable, format, n_cols, n_rows, &packed, &texts);
            for kernels in Kernels::ALL.into_iter().filter(|kernels| kernels.is_supported()) {
                let products = products(kernels, format, n_cols, n_rows, &packed, &texts);
                assert_eq!(products, reference, "{format} of {byte:#x} by {kernels}");
            }
        }
    }
}

#[test]
fn what_is_not_finite_is_not_hidden() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let format = Format::Quant(Quant::Q4_1);
        let packed = packed(format, BLOCK, 1, &file(format, BLOCK, &[0x35]));
        let mut text = vec![1.; BLOCK];
        text[7] = value;
        for kernels in Kernels::ALL.into_iter().filter(|kernels| kernels.is_supported()) {
            assert!(
                products(kernels, format, BLOCK, 1, &packed, &[text.clone()])[0][0].is_nan(),
                "{value} by {kernels}"
            );
        }
    }
}
