//! Estimates, tests and the bootstrap. Pure functions of numbers.
