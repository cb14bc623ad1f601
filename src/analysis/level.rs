//! A cell's level of a factor, whichever factor that is.

use std::fmt;

use crate::experiment::{Factor, Offload, OpOffload, Quant, Temperature, Template};
use crate::plan::Cell;

/// Ordered along the factor where its levels have an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level<'a> {
    Name(&'a str),
    Offload(Offload),
    Quant(Quant),
    Template(Template),
    OpOffload(OpOffload),
    Temperature(Temperature),
}

impl<'a> Level<'a> {
    pub fn of(cell: &'a Cell, factor: Factor) -> Self {
        match factor {
            Factor::Model => Self::Name(&cell.model),
            Factor::Chain => Self::Name(&cell.chain),
            Factor::Offload => Self::Offload(cell.offload),
            Factor::Quant => Self::Quant(cell.quant),
            Factor::Template => Self::Template(cell.template),
            Factor::OpOffload => Self::OpOffload(cell.op_offload),
            Factor::Temperature => Self::Temperature(cell.temperature),
        }
    }
}

impl fmt::Display for Level<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Offload(offload) => offload.fmt(f),
            Self::Quant(quant) => quant.fmt(f),
            Self::Template(template) => template.fmt(f),
            Self::OpOffload(op_offload) => op_offload.fmt(f),
            Self::Temperature(temperature) => temperature.fmt(f),
        }
    }
}
