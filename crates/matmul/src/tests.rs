//! The reference against sums in double precision over the weights that a file holds, and the kernels against the reference.

use half::f16;
use proptest::prelude::*;

use crate::activations::{Block, MAX_TILE, quantise, tiles};
use crate::format::{BLOCK, Format, Unit};
use crate::kernels::{Kernels, Product};
use crate::pack::{PANEL, pack, packed_bytes};

/// The weights of a unit as ggml's `dequantize_row_*` would have them.
fn weights(format: Format, bytes: &[u8]) -> Vec<f64> {
    let unit = Unit::read(format, bytes);
    let half = |bits| f16::from_bits(bits).to_f64();
    let (d, m) = (half(unit.d), half(unit.m));
    let codes = unit.codes[..format.unit()].iter().enumerate();
    codes
        .map(|(at, &code)| {
            let code = f64::from(code);
            match format {
                // Doubled, as the table's values are halved.
                Format::Mxfp4 => {
                    let value = [0., 0.5, 1., 1.5, 2., 3., 4., 6.][unit.codes[at] as usize % 8];
                    2_f64.powi(i32::from(unit.d) - 127) * if unit.codes[at] < 8 { value } else { -value }
                }
                Format::Iq4Nl => {
                    let values = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
                    d * f64::from(values[unit.codes[at] as usize])
                }
                Format::Q4_0 | Format::Q5_0 | Format::Q8_0 => d * (code - f64::from(format.offset().unwrap())),
                Format::Q4_1 | Format::Q5_1 => d * code + m,
                Format::Q4K | Format::Q5K => {
                    d * f64::from(unit.scales[at / BLOCK]) * code - m * f64::from(unit.mins[at / BLOCK])
                }
                Format::Q6K => d * f64::from(unit.scales[at / 16] as i8) * (code - 32.),
            }
        })
        .collect()
}

/// A file's rows: any codes, and factors that are numbers.
fn file(format: Format, n_units: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file: Vec<u8> = bytes.iter().copied().cycle().take(n_units * format.unit_bytes()).collect();
    let halves = match format {
        Format::Q6K => 208..210,
        Format::Q4_0 | Format::Q5_0 | Format::Q8_0 | Format::Iq4Nl => 0..2,
        Format::Mxfp4 => 0..0,
        Format::Q4_1 | Format::Q5_1 | Format::Q4K | Format::Q5K => 0..4,
    };
    for unit in file.chunks_exact_mut(format.unit_bytes()) {
        if format == Format::Mxfp4 {
            unit[0] = 120 | unit[0] & 15;
        }
        for half in unit[halves.clone()].chunks_exact_mut(2) {
            half[1] &= 0xaf;
        }
    }
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
        let mut tile = vec![Block::default(); n_cols / BLOCK * places];
        for (place, text) in texts[range.clone()].iter().enumerate() {
            quantise(format, text, &mut tile, place, places);
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

fn any_format() -> impl Strategy<Value = Format> {
    prop::sample::select(&Format::ALL[..])
}

proptest! {
    #[test]
    fn a_product_is_the_sum_over_the_file_s_weights(
        format in any_format(),
        n_rows in 1..40_usize,
        n_units in 1..4_usize,
        bytes in prop::collection::vec(any::<u8>(), 997),
        values in prop::collection::vec(-3_f32..3., 613),
    ) {
        let n_cols = n_units * format.unit();
        let file = file(format, n_rows * n_units, &bytes);
        let packed = packed(format, n_cols, n_rows, &file);
        let text: Vec<f32> = values.iter().copied().cycle().take(n_cols).collect();
        let product = &products(Kernels::Portable, format, n_cols, n_rows, &packed, std::slice::from_ref(&text))[0];
        for (row, bytes) in file.chunks(n_units * format.unit_bytes()).enumerate() {
            let weights: Vec<f64> = bytes.chunks(format.unit_bytes()).flat_map(|unit| weights(format, unit)).collect();
            // Activations lose up to half a code, a 254th of the greatest of their block.
            let mut expected = 0.;
            let mut loss = 1e-5;
            for (weights, values) in weights.chunks(BLOCK).zip(text.chunks(BLOCK)) {
                let greatest = values.iter().fold(0., |greatest: f32, value| greatest.max(value.abs()));
                for (weight, value) in weights.iter().zip(values) {
                    expected += weight * f64::from(*value);
                    loss += weight.abs() * (f64::from(greatest) / 253. + f64::from(value.abs()) * 1e-5);
                }
            }
            prop_assert!((f64::from(product[row]) - expected).abs() <= loss, "{format:?}, row {row}: {} for {expected}", product[row]);
        }
    }

    #[test]
    fn a_text_s_products_are_the_same_in_any_company_and_by_any_kernels(
        format in any_format(),
        n_rows in 1..40_usize,
        n_units in 1..3_usize,
        n_texts in 1..30_usize,
        bytes in prop::collection::vec(any::<u8>(), 997),
        values in prop::collection::vec(-3_f32..3., 613),
    ) {
        let n_cols = n_units * format.unit();
        let file = file(format, n_rows * n_units, &bytes);
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
            prop_assert_eq!(&together, &alone, "{:?} by {}", format, kernels);
        }
    }
}

#[test]
fn the_greatest_codes_do_not_saturate() {
    for format in Format::ALL {
        for (byte, value) in [(0xff, 1.), (0x80, -1.), (0x7f, 1.), (0x00, -1.), (0x81, 1.)] {
            let (n_rows, n_cols) = (PANEL, 256);
            let file = file(format, n_rows * n_cols / format.unit(), &[byte]);
            let packed = packed(format, n_cols, n_rows, &file);
            let texts = vec![vec![value; n_cols]; MAX_TILE];
            let reference = products(Kernels::Portable, format, n_cols, n_rows, &packed, &texts);
            for kernels in Kernels::ALL.into_iter().filter(|kernels| kernels.is_supported()) {
                let products = products(kernels, format, n_cols, n_rows, &packed, &texts);
                assert_eq!(products, reference, "{format:?} of {byte:#x} by {kernels}");
            }
        }
    }
}

#[test]
fn what_is_not_finite_is_not_hidden() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let format = Format::Q4_1;
        let packed = packed(format, BLOCK, 1, &file(format, 1, &[0x35]));
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
