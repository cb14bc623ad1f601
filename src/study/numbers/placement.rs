//! Says whether two offloads place a model's experts differently at all.

use crate::domain::Offload;
use crate::experiment::Arm;

/// What decides where experts can lie.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Experts of a layer; 0 for a dense model.
    pub n_expert: u32,
    pub n_layer: u32,
    /// Devices other than the CPU.
    pub n_accelerators: usize,
}

/// Says why the two arms' offloads are the same placement; None where they place
/// experts differently, or ask for the same.
pub fn same_placement(base: &Arm, other: &Arm, machine: Machine) -> Option<String> {
    if base.offload == other.offload {
        return None;
    }
    if machine.n_expert == 0 {
        return Some("the model is dense: it has no experts to place".to_owned());
    }
    if machine.n_accelerators == 0 {
        return Some("there is no GPU: the experts are on the CPU in both arms".to_owned());
    }
    let layers = |offload| match offload {
        Offload::None => 0,
        Offload::Layers(n) => n.min(machine.n_layer),
        Offload::All => machine.n_layer,
    };
    (layers(base.offload) == layers(other.offload))
        .then(|| format!("both keep the experts of all {} layers on the CPU", machine.n_layer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Numerics, Quant};

    fn arm(offload: Offload) -> Arm {
        Arm { quant: Quant::Source, offload, numerics: Numerics::Invariant, width: 1 }
    }

    #[test]
    fn offloads_differ_only_where_there_is_somewhere_to_go() {
        let machine = Machine { n_expert: 8, n_layer: 4, n_accelerators: 1 };
        let (none, all) = (arm(Offload::None), arm(Offload::All));
        assert_eq!(same_placement(&none, &all, machine), None);
        assert_eq!(same_placement(&all, &all, machine), None);
        assert!(same_placement(&all, &arm(Offload::Layers(4)), machine).is_some());
        assert_eq!(same_placement(&all, &arm(Offload::Layers(3)), machine), None);
        let no_gpu = Machine { n_accelerators: 0, ..machine };
        assert!(same_placement(&none, &all, no_gpu).is_some_and(|why| why.contains("there is no GPU")));
        let dense = Machine { n_expert: 0, ..machine };
        assert!(same_placement(&none, &all, dense).is_some_and(|why| why.contains("dense")));
    }
}
