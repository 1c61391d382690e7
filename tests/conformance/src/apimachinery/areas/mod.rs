//! Every area: a module and one line in [`ALL`].
use super::area::Area;

mod fields;
mod labels;
mod quantity;
mod time;

/// Every area, in the order of the report.
#[rustfmt::skip] // a line each, so that they are added side by side
pub(crate) static ALL: &[&dyn Area] = &[
    &quantity::Quantities,
    &labels::Labels,
    &fields::Fields,
    &time::Times,
];
