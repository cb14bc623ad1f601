//! Makes a format known to the compiler, so that each kernel is compiled for it alone.

use crate::format::Format;
use crate::pack::Layout;

/// A format as a type.
pub(crate) trait Shape {
    const FORMAT: Format;
    const LAYOUT: Layout = Layout::of(Self::FORMAT);
    /// Codes of 8 bits, of which no two are in a byte.
    const WHOLE_BYTES: bool = matches!(Self::FORMAT, Format::Q8_0);
    /// Factors that are powers of two.
    const POWERS: bool = matches!(Self::FORMAT, Format::Mxfp4);
    /// A factor for each 16 weights.
    const BY_SIXTEEN: bool = matches!(Self::FORMAT, Format::Q6K);
    /// A minimum is added, where others have an offset.
    const MINIMUM: bool = matches!(Self::FORMAT, Format::Q4_1 | Format::Q5_1 | Format::Q4K | Format::Q5K);
    /// The greatest code.
    const GREATEST: i32 = match Self::FORMAT {
        Format::Q8_0 | Format::Iq4Nl => 255,
        Format::Mxfp4 => 24,
        _ => (16 << Self::LAYOUT.planes) - 1,
    };
    /// Codes of 8 bits from 128 on, which are signed bytes.
    const SIGNED: bool = Self::GREATEST == 255;
}

macro_rules! shapes {
    ($($name:ident)*) => { $(
        pub(crate) struct $name;

        impl Shape for $name {
            const FORMAT: Format = Format::$name;
        }
    )* };
}
shapes!(Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q4K Q5K Q6K Mxfp4 Iq4Nl);

/// Calls `$kernel::<Shape, PLACES>($part)` for the format and the tile's places, which are one of the sizes given.
macro_rules! for_shape {
    ($kernel:ident, $format:expr, $places:expr, $part:expr, $sizes:tt) => {
        match $format {
            Format::Q4_0 => for_shape!(@ $kernel, Q4_0, $places, $part, $sizes),
            Format::Q4_1 => for_shape!(@ $kernel, Q4_1, $places, $part, $sizes),
            Format::Q5_0 => for_shape!(@ $kernel, Q5_0, $places, $part, $sizes),
            Format::Q5_1 => for_shape!(@ $kernel, Q5_1, $places, $part, $sizes),
            Format::Q8_0 => for_shape!(@ $kernel, Q8_0, $places, $part, $sizes),
            Format::Q4K => for_shape!(@ $kernel, Q4K, $places, $part, $sizes),
            Format::Q5K => for_shape!(@ $kernel, Q5K, $places, $part, $sizes),
            Format::Q6K => for_shape!(@ $kernel, Q6K, $places, $part, $sizes),
            Format::Mxfp4 => for_shape!(@ $kernel, Mxfp4, $places, $part, $sizes),
            Format::Iq4Nl => for_shape!(@ $kernel, Iq4Nl, $places, $part, $sizes),
        }
    };
    (@ $kernel:ident, $shape:ident, $places:expr, $part:expr, ($($size:literal)*)) => {
        match $places {
            $($size => $kernel::<crate::shape::$shape, $size>($part),)*
            places => unreachable!("no tile has {places} places"),
        }
    };
}
pub(crate) use for_shape;
