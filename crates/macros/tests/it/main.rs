//! What the derives make, used as a program would use it.
mod compile;
mod crd;
mod deep_copy;
mod kind;
mod schema;
