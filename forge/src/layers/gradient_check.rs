//! For tests: a fused operation against the same made of candle's own operations.

use candle_core::{Device, Result, Tensor, Var};

/// Values and gradients of both agree on random matrices of these shapes.
pub fn agrees(
    shapes: &[(usize, usize)],
    fused: impl Fn(&[Tensor]) -> Result<Tensor>,
    plain: impl Fn(&[Tensor]) -> Result<Tensor>,
) {
    let vars: Vec<Var> = shapes
        .iter()
        .zip(1..)
        .map(|(&shape, seed)| {
            let values: Vec<f32> = (0..shape.0 * shape.1).map(|i| ((i * 37 + seed * 11) as f32).sin()).collect();
            Var::from_vec(values, shape, &Device::Cpu).unwrap()
        })
        .collect();
    let args: Vec<Tensor> = vars.iter().map(|var| var.as_tensor().clone()).collect();
    let sides = [fused(&args).unwrap(), plain(&args).unwrap()].map(|out| {
        // Unequal weights, so that no gradient cancels.
        let count = out.elem_count();
        let weights: Vec<f32> = (0..count).map(|i| (i as f32).cos()).collect();
        let flat = out.flatten_all().unwrap();
        let loss = flat.mul(&Tensor::from_vec(weights, count, &Device::Cpu).unwrap()).unwrap().sum_all().unwrap();
        let gradients = loss.backward().unwrap();
        let all =
            std::iter::once(flat).chain(vars.iter().map(|var| gradients.get(var).unwrap().flatten_all().unwrap()));
        all.map(|tensor| tensor.to_vec1::<f32>().unwrap()).collect::<Vec<_>>()
    });
    for (fused, plain) in sides[0].iter().zip(&sides[1]) {
        for (fused, plain) in fused.iter().zip(plain) {
            assert!((fused - plain).abs() < 1e-4, "{fused} is not {plain}");
        }
    }
}
