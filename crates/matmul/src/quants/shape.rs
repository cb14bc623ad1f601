//! Makes a format known to the compiler, so that each kernel is compiled for it alone.

use super::pack::Layout;
use super::quant::Quant;

/// A format as a type.
pub(crate) trait Shape {
    const FORMAT: Quant;
    const LAYOUT: Layout = Layout::of(Self::FORMAT);
    /// Codes of 8 bits, of which no two are in a byte.
    const WHOLE_BYTES: bool = matches!(Self::FORMAT, Quant::Q8_0);
    /// Factors that are powers of two.
    const POWERS: bool = matches!(Self::FORMAT, Quant::Mxfp4);
    /// A factor for each 16 weights.
    const BY_SIXTEEN: bool = matches!(Self::FORMAT, Quant::Q6K);
    /// A minimum is added, where others have an offset.
    const MINIMUM: bool = matches!(Self::FORMAT, Quant::Q4_1 | Quant::Q5_1 | Quant::Q4K | Quant::Q5K);
    /// The greatest code.
    const GREATEST: i32 = match Self::FORMAT {
        Quant::Q8_0 | Quant::Iq4Nl => 255,
        Quant::Mxfp4 => 24,
        _ => (16 << Self::LAYOUT.planes) - 1,
    };
    /// Codes of 8 bits from 128 on, which are signed bytes.
    const SIGNED: bool = Self::GREATEST == 255;
}

macro_rules! shapes {
    ($($name:ident)*) => { $(
        pub(crate) struct $name;

        impl Shape for $name {
            const FORMAT: Quant = Quant::$name;
        }
    )* };
}
shapes!(Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q4K Q5K Q6K Mxfp4 Iq4Nl);

/// Calls `$kernel::<Shape, PLACES>($part)` for the format and the tile's places, which are one of the sizes given.
macro_rules! for_shape {
    ($kernel:ident, $format:expr, $places:expr, $part:expr, $sizes:tt) => {
        match $format {
            Quant::Q4_0 => for_shape!(@ $kernel, Q4_0, $places, $part, $sizes),
            Quant::Q4_1 => for_shape!(@ $kernel, Q4_1, $places, $part, $sizes),
            Quant::Q5_0 => for_shape!(@ $kernel, Q5_0, $places, $part, $sizes),
            Quant::Q5_1 => for_shape!(@ $kernel, Q5_1, $places, $part, $sizes),
            Quant::Q8_0 => for_shape!(@ $kernel, Q8_0, $places, $part, $sizes),
            Quant::Q4K => for_shape!(@ $kernel, Q4K, $places, $part, $sizes),
            Quant::Q5K => for_shape!(@ $kernel, Q5K, $places, $part, $sizes),
            Quant::Q6K => for_shape!(@ $kernel, Q6K, $places, $part, $sizes),
            Quant::Mxfp4 => for_shape!(@ $kernel, Mxfp4, $places, $part, $sizes),
            Quant::Iq4Nl => for_shape!(@ $kernel, Iq4Nl, $places, $part, $sizes),
        }
    };
    (@ $kernel:ident, $shape:ident, $places:expr, $part:expr, ($($size:literal)*)) => {
        match $places {
            $($size => $kernel::<crate::quants::shape::$shape, $size>($part),)*
            places => unreachable!("no tile has {places} places"),
        }
    };
}
pub(crate) use for_shape;
