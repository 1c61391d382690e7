//! What of a set is looked at: filters and matchers with wildcards.
use super::{PathElement, Set};
use std::cmp::Ordering;
use std::sync::Arc;

/// Takes fields out of sets. Go: `fieldpath.Filter`.
///
/// ```
/// use pintle_structured_merge::{Filter, Path, PathMatcher, Set, SetMatcher};
/// let set = Set::from_iter([Path::fields(["spec", "a"]), Path::fields(["status", "b"])]);
/// let no_status = Filter::exclude(Set::from_iter([Path::fields(["status"])]));
/// assert_eq!(no_status.filter(&set).to_string(), ".spec.a");
/// let any_a = Filter::include([SetMatcher::prefix([PathMatcher::Any, "a".into()])]);
/// assert_eq!(any_a.filter(&set).to_string(), ".spec.a");
/// ```
#[derive(Clone, Debug)]
pub struct Filter(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Exclude(Set),
    Include(SetMatcher),
}

impl Filter {
    /// Leaves out these fields and everything below them. Go: `NewExcludeSetFilter`.
    pub fn exclude(set: Set) -> Self {
        Filter(Kind::Exclude(set))
    }
    /// Keeps only what one of the matchers matches; everything when there are none.
    /// Go: `NewIncludeMatcherFilter`.
    pub fn include(matchers: impl IntoIterator<Item = SetMatcher>) -> Self {
        let merged = matchers.into_iter().reduce(|a, b| a.merge(&b));
        Filter(Kind::Include(merged.unwrap_or_else(SetMatcher::any)))
    }
    /// What is left of a set.
    #[must_use]
    pub fn filter(&self, set: &Set) -> Set {
        match &self.0 {
            Kind::Exclude(out) => set.recursive_difference(out),
            Kind::Include(matcher) => set.filter_include_matches(matcher),
        }
    }
}

/// Matches one element of a path. Go: `PathElementMatcher`.
#[derive(Clone, Debug)]
pub enum PathMatcher {
    /// Every element. Go: `MatchAnyPathElement`.
    Any,
    /// This element.
    Element(PathElement),
}

impl PathMatcher {
    fn matches(&self, element: &PathElement) -> bool {
        match self {
            PathMatcher::Any => true,
            PathMatcher::Element(e) => e == element,
        }
    }
    /// Go's order, in which a wildcard comes after a wildcard.
    fn go_compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (PathMatcher::Any, PathMatcher::Element(_)) => Ordering::Less,
            (_, PathMatcher::Any) => Ordering::Greater,
            (PathMatcher::Element(a), PathMatcher::Element(b)) => a.cmp(b),
        }
    }
    /// An order to sort by.
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (PathMatcher::Any, PathMatcher::Any) => Ordering::Equal,
            _ => self.go_compare(other),
        }
    }
}
impl<E: Into<PathElement>> From<E> for PathMatcher {
    fn from(element: E) -> Self {
        PathMatcher::Element(element.into())
    }
}

/// Matches fields: built like a [`Set`], with wildcards.
#[derive(Clone, Debug)]
pub struct SetMatcher {
    wildcard: bool,
    /// Wildcards first, then sorted.
    members: Vec<(PathMatcher, Arc<SetMatcher>)>,
}

impl SetMatcher {
    /// Matches everything. Go: `MatchAnySet`.
    pub fn any() -> Self {
        SetMatcher { wildcard: true, members: Vec::new() }
    }
    /// Matches what these match; of several that match an element only the first, wildcards
    /// before the others. Go: `NewSetMatcher`.
    pub fn new(members: impl IntoIterator<Item = (PathMatcher, SetMatcher)>) -> Self {
        let members = members.into_iter().map(|(p, s)| (p, Arc::new(s)));
        Self::sorted(members.collect())
    }
    fn sorted(mut members: Vec<(PathMatcher, Arc<SetMatcher>)>) -> Self {
        members.sort_by(|a, b| a.0.order(&b.0));
        SetMatcher { wildcard: false, members }
    }
    /// Matches every field below the path. Go: `PrefixMatcher`.
    pub fn prefix(path: impl IntoIterator<Item = PathMatcher>) -> Self {
        let path: Vec<PathMatcher> = path.into_iter().collect();
        path.into_iter().rev().fold(Self::any(), |below, matcher| SetMatcher {
            wildcard: false,
            members: vec![(matcher, Arc::new(below))],
        })
    }
    /// Matches what either matches. As in Go, of two wildcards at one place only the first counts.
    #[must_use]
    pub fn merge(&self, other: &SetMatcher) -> SetMatcher {
        if self.wildcard || other.wildcard {
            return Self::any();
        }
        let mut merged = self.members.clone();
        for (path, below) in &other.members {
            match self.find(path) {
                Some(i) => merged[i].1 = Arc::new(merged[i].1.merge(below)),
                None => merged.push((path.clone(), below.clone())),
            }
        }
        Self::sorted(merged)
    }
    /// Go's search, which has its comparison the wrong way round and so finds only some.
    fn find(&self, path: &PathMatcher) -> Option<usize> {
        let (mut from, mut to) = (0, self.members.len());
        while from < to {
            let middle = usize::midpoint(from, to);
            if self.members[middle].0.go_compare(path).is_gt() {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        let found = self.members.get(from)?;
        found.0.go_compare(path).is_eq().then_some(from)
    }
}

impl Set {
    /// The fields that match. Go: `FilterIncludeMatches`.
    #[must_use]
    pub fn filter_include_matches(&self, matcher: &SetMatcher) -> Set {
        if matcher.wildcard {
            return self.clone();
        }
        let first = |e: &PathElement| matcher.members.iter().find(|m| m.0.matches(e));
        let members = self.members.iter().filter(|m| first(m).is_some()).cloned().collect();
        let children = self.children.iter().filter_map(|(e, set)| {
            let below = set.filter_include_matches(&first(e)?.1);
            (!below.is_empty()).then(|| (e.clone(), Arc::new(below)))
        });
        Set { members, children: children.collect() }
    }
}
