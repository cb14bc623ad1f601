//! Model files and the catalogue that names them.
