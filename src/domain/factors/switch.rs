//! Makes the type of levels that a file writes as `true` and `false`, the first of which is the usual one.

/// Defines an enum of two levels, and all of its [`LevelType`](crate::domain::LevelType) but the constants.
macro_rules! switch {
    (
        $(#[$doc:meta])*
        $level:ident, $name:literal, { $($constants:tt)* }
        $(#[$on_doc:meta])* true => $on:ident,
        $(#[$off_doc:meta])* false => $off:ident,
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(from = "bool", into = "bool")]
        pub enum $level {
            $(#[$on_doc])*
            #[default]
            $on,
            $(#[$off_doc])*
            $off,
        }

        impl crate::domain::LevelType for $level {
            $($constants)*

            fn usual() -> Option<Self> {
                Some(Self::default())
            }

            fn read(written: &crate::domain::Written) -> Result<Self, crate::domain::NotALevel> {
                match written {
                    &crate::domain::Written::Switch(on) => Ok(on.into()),
                    _ => Err(crate::domain::NotALevel::other(
                        "this is not true or false",
                        concat!("write ", $name, " = [true, false]"),
                    )),
                }
            }

            fn written(&self) -> crate::domain::Written {
                crate::domain::Written::Switch((*self).into())
            }

            fn in_title(&self) -> String {
                format!(concat!($name, " {}"), self)
            }
        }

        impl From<bool> for $level {
            fn from(on: bool) -> Self {
                if on { Self::$on } else { Self::$off }
            }
        }

        impl From<$level> for bool {
            fn from(level: $level) -> Self {
                level == $level::$on
            }
        }

        impl std::fmt::Display for $level {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                bool::from(*self).fmt(f)
            }
        }
    };
}
pub(super) use switch;
