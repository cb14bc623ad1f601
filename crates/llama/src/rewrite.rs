//! Changes weights in the type that they have: from blocks to numbers and back, by ggml's own code.

use llama_cpp_sys_2 as sys;

/// Whether rows of this `ggml_type` can be changed: ggml turns them into numbers, and numbers into them, without an
/// importance matrix.
pub fn can_rewrite(ggml_type: u32) -> bool {
    let Some(traits) = traits(ggml_type) else { return false };
    // Those that ggml insists on one for, and those that llama.cpp's quantiser does: `tensor_requires_imatrix` in its
    // `src/llama-quant.cpp`, which is not exported.
    let advised = [sys::GGML_TYPE_IQ3_XXS, sys::GGML_TYPE_IQ2_S, sys::GGML_TYPE_IQ1_M].contains(&ggml_type);
    // SAFETY: a type that ggml has, which `traits` has checked.
    let needs_matrix = advised || unsafe { sys::ggml_quantize_requires_imatrix(ggml_type) };
    // Neither integers nor the types of products' other side can be turned into numbers.
    (traits.to_float.is_some() || ggml_type == sys::GGML_TYPE_F32) && !needs_matrix
}

/// Turns a row of this `ggml_type` into numbers, has `change` change them, and turns them back.
///
/// # Panics
/// When the type can't be changed ([`can_rewrite`]), or `row` is not whole blocks of it.
pub fn rewrite(ggml_type: u32, row: &mut [u8], change: &mut dyn FnMut(&mut [f32])) {
    assert!(can_rewrite(ggml_type), "ggml can't rewrite type {ggml_type}");
    let traits = traits(ggml_type).expect("a type that can be rewritten has traits");
    assert!(row.len().is_multiple_of(traits.type_size), "{} bytes are not a multiple of the block size", row.len());
    let count = row.len() / traits.type_size * traits.blck_size as usize;
    let mut numbers = vec![0_f32; count];
    match traits.to_float {
        // SAFETY: `row` has the blocks of `count` numbers; ggml reads and writes bytewise where alignment may be missing.
        Some(to_float) => unsafe { to_float(row.as_ptr().cast(), numbers.as_mut_ptr(), count as i64) },
        None => {
            for (number, bytes) in numbers.iter_mut().zip(row.chunks_exact(4)) {
                *number = f32::from_le_bytes(bytes.try_into().expect("4 bytes"));
            }
        }
    }
    change(&mut numbers);
    let (numbers, count) = (numbers.as_ptr(), count as i64);
    // SAFETY: one row of `count` numbers, and as many bytes as their blocks take; the type needs no matrix.
    let written = unsafe {
        let row = row.as_mut_ptr().cast();
        sys::ggml_quantize_chunk(ggml_type, numbers, row, 0, 1, count, std::ptr::null())
    };
    assert_eq!(written, row.len(), "ggml filled the row");
}

/// None for a type that ggml does not have, or no longer does.
fn traits(ggml_type: u32) -> Option<&'static sys::ggml_type_traits> {
    if ggml_type >= sys::GGML_TYPE_COUNT {
        return None;
    }
    // SAFETY: within ggml's table, which is static.
    let traits = unsafe { &*sys::ggml_get_type_traits(ggml_type) };
    (traits.type_size > 0 && traits.blck_size > 0).then_some(traits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of a row of 512 numbers in this type.
    fn row(ggml_type: u32) -> Vec<u8> {
        let traits = traits(ggml_type).expect("a type");
        vec![0; 512 / traits.blck_size as usize * traits.type_size]
    }

    #[test]
    fn what_needs_an_importance_matrix_or_is_no_weight_is_not_rewritten() {
        let unfit = [
            sys::GGML_TYPE_IQ2_XXS,
            sys::GGML_TYPE_IQ2_XS,
            sys::GGML_TYPE_IQ1_S,
            sys::GGML_TYPE_IQ3_XXS,
            sys::GGML_TYPE_IQ2_S,
            sys::GGML_TYPE_IQ1_M,
            sys::GGML_TYPE_Q8_1,
            sys::GGML_TYPE_Q8_K,
            sys::GGML_TYPE_I8,
            sys::GGML_TYPE_I32,
            sys::GGML_TYPE_F64,
            4,
            31,
            sys::GGML_TYPE_COUNT,
            u32::MAX,
        ];
        for ggml_type in unfit {
            assert!(!can_rewrite(ggml_type), "type {ggml_type}");
        }
    }

    #[test]
    fn numbers_come_back_as_far_as_their_type_holds_them() {
        for (ggml_type, most) in [
            (sys::GGML_TYPE_F32, 0.0),
            (sys::GGML_TYPE_F16, 0.001),
            (sys::GGML_TYPE_BF16, 0.01),
            (sys::GGML_TYPE_Q8_0, 0.01),
            (sys::GGML_TYPE_Q6_K, 0.05),
            (sys::GGML_TYPE_Q5_K, 0.1),
            (sys::GGML_TYPE_Q4_K, 0.2),
            (sys::GGML_TYPE_Q5_0, 0.1),
            (sys::GGML_TYPE_Q4_1, 0.2),
            (sys::GGML_TYPE_Q4_0, 0.2),
            (sys::GGML_TYPE_IQ4_NL, 0.2),
            (sys::GGML_TYPE_IQ4_XS, 0.2),
            (sys::GGML_TYPE_Q3_K, 0.4),
        ] {
            assert!(can_rewrite(ggml_type), "type {ggml_type}");
            let wave = |index: usize| (index as f32 * 0.37).sin();
            let mut row = row(ggml_type);
            rewrite(ggml_type, &mut row, &mut |numbers| {
                assert_eq!(numbers.len(), 512);
                assert!(ggml_type == sys::GGML_TYPE_IQ4_NL || numbers.iter().all(|number| *number == 0.0));
                numbers.iter_mut().enumerate().for_each(|(index, number)| *number = wave(index));
            });
            let mut furthest = 0_f32;
            rewrite(ggml_type, &mut row, &mut |numbers| {
                furthest = numbers.iter().enumerate().map(|(index, n)| (n - wave(index)).abs()).fold(0.0, f32::max);
            });
            assert!(furthest <= most, "type {ggml_type}: {furthest}");
        }
    }
}
