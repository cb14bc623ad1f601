"""Programs by others that moe-sweep is compared with: how each is had, cached in target/bench/peers, and asked.

A peer has a `name` for the tables and a `peer` for --only; `install()` returns what it is, with its version, or raises
Unavailable; `prepare(model, file)` does what is not timed, once for a model; `time(model, file, grid, width)` makes the
grid's texts `width` at once.
"""
