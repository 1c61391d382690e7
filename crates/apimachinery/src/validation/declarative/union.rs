//! Unions: structs of which one member is set. Go: `union.go`, `zeroorone.go`, `discriminator.go`.

use super::Operation;
use crate::parse_error::quote;
use crate::validation::{FieldError, FieldErrors, FieldPath};

/// A member of a union. Go: `UnionMember`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnionMember<'a> {
    field: &'a str,
    discriminator: &'a str,
}

impl<'a> UnionMember<'a> {
    /// A member: the name of its field.
    pub const fn new(field: &'a str) -> Self {
        UnionMember { field, discriminator: "" }
    }

    /// A member, and the value that the discriminator has when it is the one. Go: `NewDiscriminatedUnionMember`.
    pub const fn discriminated(field: &'a str, value: &'a str) -> Self {
        UnionMember { field, discriminator: value }
    }
}

/// The members of a union, in order. Go: `UnionMembership`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnionMembership<'a> {
    discriminator: &'a str,
    members: &'a [UnionMember<'a>],
}

impl<'a> UnionMembership<'a> {
    /// The members of a union.
    pub const fn new(members: &'a [UnionMember<'a>]) -> Self {
        UnionMembership { discriminator: "", members }
    }

    /// The members of a union, and the field that says which one it is. Go: `NewDiscriminatedUnionMembership`.
    pub const fn discriminated(discriminator: &'a str, members: &'a [UnionMember<'a>]) -> Self {
        UnionMembership { discriminator, members }
    }

    fn fields(&self) -> String {
        let names: Vec<String> = self.members.iter().map(|m| format!("`{}`", m.field)).collect();
        names.join(", ")
    }

    /// An error if something other than one truth value a member was given.
    fn mismatch(&self, path: &FieldPath, set: &[bool], old: Option<&[bool]>) -> Option<FieldError> {
        let members = self.members.len();
        let wrong = [Some(set), old].into_iter().flatten().find(|set| set.len() != members)?;
        let extractors = wrong.len();
        Some(FieldError::internal(
            path,
            format!(
                "number of extractors ({extractors}) does not match number of union members ({members})"
            ),
        ))
    }
}

/// The names of the members that are set; `None` if an update leaves the membership as it was.
fn specified<'a>(
    op: &Operation,
    path: &FieldPath,
    members: &UnionMembership<'a>,
    set: &[bool],
    old: Option<&[bool]>,
) -> Result<Option<Vec<&'a str>>, FieldErrors> {
    if let Some(error) = members.mismatch(path, set, old) {
        return Err(error.into());
    }
    if op.is_update() && old == Some(set) {
        return Ok(None);
    }
    let set = members.members.iter().zip(set).filter(|(_, set)| **set);
    Ok(Some(set.map(|(member, _)| member.field).collect()))
}

/// Exactly one member must be set. `set` says of each member whether it is, `old` whether it was. Go: `Union`.
pub fn union(
    op: &Operation,
    path: &FieldPath,
    members: &UnionMembership<'_>,
    set: &[bool],
    old: Option<&[bool]>,
) -> FieldErrors {
    let errors = match specified(op, path, members, set, old) {
        Err(errors) => errors,
        Ok(None) => FieldErrors::default(),
        Ok(Some(fields)) => match fields.len() {
            0 => {
                let detail = format!("must specify one of: {}", members.fields());
                FieldError::invalid(path, "", detail).into()
            }
            1 => FieldErrors::default(),
            _ => several(path, &fields, "must specify exactly one of", members),
        },
    };
    errors.with_origin("union")
}

/// At most one member may be set. Go: `ZeroOrOneOfUnion`.
pub fn zero_or_one_of(
    op: &Operation,
    path: &FieldPath,
    members: &UnionMembership<'_>,
    set: &[bool],
    old: Option<&[bool]>,
) -> FieldErrors {
    match specified(op, path, members, set, old) {
        Err(errors) => errors,
        Ok(Some(fields)) if fields.len() > 1 => {
            let errors = several(path, &fields, "must specify at most one of", members);
            errors.with_origin("zeroOrOneOf")
        }
        Ok(_) => FieldErrors::default(),
    }
}

fn several(
    path: &FieldPath,
    fields: &[&str],
    rule: &str,
    members: &UnionMembership<'_>,
) -> FieldErrors {
    let value = format!("{{{}}}", fields.join(", "));
    FieldError::invalid(path, &value, format!("{rule}: {}", members.fields())).into()
}

/// The member that the discriminator names must be set, and no other. A discriminator that names none is not
/// this rule's concern. `new` and `old` are the discriminator and whether each member is set.
/// Go: `DiscriminatedUnion`.
pub fn discriminated_union(
    op: &Operation,
    path: &FieldPath,
    members: &UnionMembership<'_>,
    (value, set): (&str, &[bool]),
    old: Option<(&str, &[bool])>,
) -> FieldErrors {
    if let Some(error) = members.mismatch(path, set, old.map(|(_, set)| set)) {
        return error.into();
    }
    if op.is_update() && old == Some((value, set)) {
        return FieldErrors::default();
    }
    let mut errors = FieldErrors::default();
    for (member, set) in members.members.iter().zip(set) {
        let chosen = value == member.discriminator;
        let rule = match (set, chosen) {
            (true, false) => "may only be",
            (false, true) => "must be",
            _ => continue,
        };
        let detail = format!(
            "{rule} specified when `{}` is {}",
            members.discriminator,
            quote(member.discriminator)
        );
        let error = FieldError::invalid(path.child(member.field), "", detail);
        errors.push(error.with_origin("union"));
    }
    errors
}

/// What is asked of a field when the discriminator has a value. Go: `DiscriminatedRule`.
pub struct DiscriminatedRule<'a, D, F: ?Sized> {
    /// The value of the discriminator.
    pub value: D,
    /// The rule.
    pub rule: FieldRule<'a, F>,
}

/// A rule of a field: it is given the path, the value and what it was.
pub type FieldRule<'a, F> = &'a dyn Fn(&FieldPath, &F, Option<&F>) -> FieldErrors;

/// Validates a field by the rule of the discriminator's value, or else by `otherwise`; unless an update leaves
/// both alone. `new` and `old` are the discriminator and the field. Go: `Discriminated`.
pub fn discriminated<D: PartialEq, F: ?Sized>(
    op: &Operation,
    path: &FieldPath,
    (value, new): (&D, &F),
    old: Option<(&D, &F)>,
    equivalent: impl Fn(&F, &F) -> bool,
    rules: &[DiscriminatedRule<'_, D, F>],
    otherwise: Option<FieldRule<'_, F>>,
) -> FieldErrors {
    let same = |(old_value, old): (&D, &F)| old_value == value && equivalent(new, old);
    if op.is_update() && old.is_some_and(same) {
        return FieldErrors::default();
    }
    let rule = rules.iter().find(|rule| rule.value == *value).map(|rule| rule.rule);
    let old = old.map(|(_, old)| old);
    rule.or(otherwise).map_or_else(FieldErrors::default, |rule| rule(path, new, old))
}
