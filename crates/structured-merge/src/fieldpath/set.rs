//! [`Set`]: a set of fields, and its algebra.
use super::{Path, PathElement};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A set of fields of an object: a tree whose nodes may be members. Subtrees are shared between
/// sets and copied when written. Go: `fieldpath.Set`.
///
/// ```
/// use pintle_structured_merge::{Path, Set};
/// let a = Set::from_iter([Path::fields(["spec", "replicas"]), Path::fields(["spec", "paused"])]);
/// let b = Set::from_iter([Path::fields(["spec", "paused"])]);
/// assert_eq!(a.difference(&b).to_string(), ".spec.replicas");
/// assert_eq!(a.intersection(&b), b);
/// assert_eq!(a.union(&b), a);
/// assert_eq!(a.to_json(), r#"{"f:spec":{"f:paused":{},"f:replicas":{}}}"#);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    /// Sorted.
    pub(super) members: Vec<PathElement>,
    /// Sorted. An element here is not thereby a member.
    pub(super) children: Vec<(PathElement, Arc<Set>)>,
}

impl Set {
    /// The empty set.
    pub const fn new() -> Self {
        Set { members: Vec::new(), children: Vec::new() }
    }

    /// Adds a field; the fields on the way are not added. The empty path changes nothing: nobody
    /// owns an object as such.
    pub fn insert(&mut self, path: &[PathElement]) {
        let Some((last, above)) = path.split_last() else { return };
        let mut at = self;
        for element in above {
            at = at.descend(element);
        }
        at.insert_member(last.clone());
    }

    pub(crate) fn insert_member(&mut self, element: PathElement) {
        if self.members.last().is_none_or(|last| *last < element) {
            self.members.push(element);
        } else if let Err(at) = self.members.binary_search(&element) {
            self.members.insert(at, element);
        }
    }

    /// The set below `element`, made when absent.
    fn descend(&mut self, element: &PathElement) -> &mut Set {
        let at = match self.find_child(element) {
            Ok(at) => at,
            Err(at) => {
                self.children.insert(at, (element.clone(), Arc::default()));
                at
            }
        };
        Arc::make_mut(&mut self.children[at].1)
    }

    fn find_child(&self, element: &PathElement) -> Result<usize, usize> {
        if self.children.last().is_none_or(|last| last.0 < *element) {
            return Err(self.children.len());
        }
        self.children.binary_search_by(|c| c.0.cmp(element))
    }

    /// Puts `set` below `element`, in the place of what was there.
    pub(crate) fn put_child(&mut self, element: PathElement, set: Set) {
        match self.find_child(&element) {
            Ok(at) => self.children[at].1 = Arc::new(set),
            Err(at) => self.children.insert(at, (element, Arc::new(set))),
        }
    }

    /// Adds `set` below `element` to what is there.
    pub(crate) fn add_child(&mut self, element: PathElement, set: Set) {
        match self.find_child(&element) {
            Ok(at) => {
                let sum = self.children[at].1.union(&set);
                self.children[at].1 = Arc::new(sum);
            }
            Err(at) => self.children.insert(at, (element, Arc::new(set))),
        }
    }

    pub(crate) fn child(&self, element: &PathElement) -> Option<&Set> {
        self.find_child(element).ok().map(|at| &*self.children[at].1)
    }

    /// The elements directly below that are members, in order.
    pub fn members(&self) -> &[PathElement] {
        &self.members
    }

    /// The elements directly below that have members below them, in order.
    pub fn children(&self) -> impl Iterator<Item = (&PathElement, &Set)> {
        self.children.iter().map(|(e, s)| (e, &**s))
    }

    pub(crate) fn has_member(&self, element: &PathElement) -> bool {
        self.members.binary_search(element).is_ok()
    }

    /// Whether a field is a member. The empty path never is.
    pub fn has(&self, path: &[PathElement]) -> bool {
        let Some((last, above)) = path.split_last() else { return false };
        let mut at = self;
        for element in above {
            match at.child(element) {
                Some(set) => at = set,
                None => return false,
            }
        }
        at.has_member(last)
    }

    /// The part of the set below an element, without it. Go: `WithPrefix`.
    #[must_use]
    pub fn with_prefix(&self, element: &PathElement) -> Set {
        self.child(element).cloned().unwrap_or_default()
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.members.len() + self.children.iter().map(|c| c.1.len()).sum::<usize>()
    }

    /// Whether there are no members. Go: `Empty`.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.iter().all(|c| c.1.is_empty())
    }

    /// The fields that are in either set.
    #[must_use]
    pub fn union(&self, other: &Set) -> Set {
        Set {
            members: merge(&self.members, &other.members, PathElement::cmp, |a, b| {
                a.or(b).cloned()
            }),
            children: merge(
                &self.children,
                &other.children,
                |a, b| a.0.cmp(&b.0),
                |a, b| match (a, b) {
                    (Some(a), Some(b)) => Some(if Arc::ptr_eq(&a.1, &b.1) {
                        a.clone()
                    } else {
                        (a.0.clone(), Arc::new(a.1.union(&b.1)))
                    }),
                    (a, b) => a.or(b).cloned(),
                },
            ),
        }
    }

    /// The fields that are in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Set) -> Set {
        Set {
            members: merge(&self.members, &other.members, PathElement::cmp, |a, b| {
                b.and(a).cloned()
            }),
            children: merge(
                &self.children,
                &other.children,
                |a, b| a.0.cmp(&b.0),
                |a, b| {
                    let (a, b) = (a?, b?);
                    let both = a.1.intersection(&b.1);
                    (!both.is_empty()).then(|| (a.0.clone(), Arc::new(both)))
                },
            ),
        }
    }

    /// The fields that are in this set and not in `other`. A field whose children are in `other`
    /// stays, and so do children of a field that is.
    #[must_use]
    pub fn difference(&self, other: &Set) -> Set {
        Set {
            members: self.members_without(other),
            children: merge(
                &self.children,
                &other.children,
                |a, b| a.0.cmp(&b.0),
                |a, b| match (a, b) {
                    (Some(a), Some(b)) => {
                        let rest = a.1.difference(&b.1);
                        (!rest.is_empty()).then(|| (a.0.clone(), Arc::new(rest)))
                    }
                    (a, _) => a.cloned(),
                },
            ),
        }
    }

    /// The fields that are in this set, and neither in `other` nor below a field that is.
    #[must_use]
    pub fn recursive_difference(&self, other: &Set) -> Set {
        Set {
            members: self.members_without(other),
            children: merge(
                &self.children,
                &other.children,
                |a, b| a.0.cmp(&b.0),
                |a, b| {
                    let a = a?;
                    if other.has_member(&a.0) {
                        return None;
                    }
                    let Some(b) = b else { return Some(a.clone()) };
                    let rest = a.1.recursive_difference(&b.1);
                    (!rest.is_empty()).then(|| (a.0.clone(), Arc::new(rest)))
                },
            ),
        }
    }

    fn members_without(&self, other: &Set) -> Vec<PathElement> {
        merge(&self.members, &other.members, PathElement::cmp, |a, b| match b {
            None => a.cloned(),
            Some(_) => None,
        })
    }

    /// The members that have nothing below them.
    #[must_use]
    pub fn leaves(&self) -> Set {
        Set {
            members: merge(
                &self.members,
                &self.children,
                |m, c| m.cmp(&c.0),
                |m, c| match c {
                    None => m.cloned(),
                    Some(_) => None,
                },
            ),
            children: self
                .children
                .iter()
                .map(|(e, s)| (e.clone(), Arc::new(s.leaves())))
                .collect(),
        }
    }

    /// Calls `each` with every member: first those directly below, in order, then those below
    /// each child. Go: `Iterate`.
    pub fn for_each(&self, each: &mut dyn FnMut(&Path)) {
        self.walk(&mut Path::new(), each);
    }

    fn walk(&self, path: &mut Path, each: &mut dyn FnMut(&Path)) {
        for member in &self.members {
            path.push(member.clone());
            each(path);
            path.pop();
        }
        for (element, set) in &self.children {
            path.push(element.clone());
            set.walk(path, each);
            path.pop();
        }
    }

    /// Every member in the order of [`Set::for_each`]. Go: `All`.
    pub fn paths(&self) -> Vec<Path> {
        let mut all = Vec::new();
        self.for_each(&mut |p| all.push(p.clone()));
        all
    }
}

/// Walks two sorted lists together; `take` decides what comes out of each element of either.
fn merge<A, B, C>(
    a: &[A],
    b: &[B],
    order: impl Fn(&A, &B) -> Ordering,
    take: impl Fn(Option<&A>, Option<&B>) -> Option<C>,
) -> Vec<C>
where
{
    let mut out = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let which = match (a.get(i), b.get(j)) {
            (Some(a), Some(b)) => order(a, b),
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Greater,
        };
        let taken = match which {
            Ordering::Less => take(Some(&a[i]), None),
            Ordering::Greater => take(None, Some(&b[j])),
            Ordering::Equal => take(Some(&a[i]), Some(&b[j])),
        };
        i += usize::from(which.is_le());
        j += usize::from(which.is_ge());
        out.extend(taken);
    }
    out
}

impl<P: AsRef<[PathElement]>> FromIterator<P> for Set {
    fn from_iter<I: IntoIterator<Item = P>>(paths: I) -> Self {
        let mut set = Set::new();
        for p in paths {
            set.insert(p.as_ref());
        }
        set
    }
}

impl AsRef<[PathElement]> for Path {
    fn as_ref(&self) -> &[PathElement] {
        self
    }
}

impl fmt::Display for Set {
    /// A path a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut first, mut result) = (true, Ok(()));
        self.for_each(&mut |p| {
            if result.is_ok() {
                let line = if first { "" } else { "\n" };
                result = write!(f, "{line}{p}");
                first = false;
            }
        });
        result
    }
}
