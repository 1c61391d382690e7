//! Tests of the primitives. They also run under AddressSanitizer and ThreadSanitizer
//! (`cargo xtask sanitize`), so they touch every unsafe path and every thread crossing.
use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts live values, so that a leak or a double drop shows.
struct Counted(Arc<AtomicUsize>, u64);
impl Counted {
    fn new(live: &Arc<AtomicUsize>, value: u64) -> Self {
        live.fetch_add(1, Ordering::Relaxed);
        Counted(live.clone(), value)
    }
}
impl Clone for Counted {
    fn clone(&self) -> Self {
        Counted::new(&self.0, self.1)
    }
}
impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn texts() -> Vec<String> {
    (0..40).map(|n| "äb".chars().cycle().take(n).collect()).collect()
}

#[test]
fn strings_hold_their_text() {
    for t in texts() {
        let s = Str::new(&t);
        assert_eq!(s, t);
        assert_eq!(s.clone(), s);
        assert_eq!(s.len(), t.len());
        assert_eq!(s.cmp(&Str::new("b")), t.as_str().cmp("b"));
        assert_eq!(String::from(s), t);
    }
    assert_eq!(Str::default(), "");
    assert_ne!(Str::new("1234567"), Str::new("12345678"));
    assert!(Str::new("short").ptr_eq(&Str::new("short")));
    assert!(!Str::new("rather long").ptr_eq(&Str::new("rather long")));
}

#[test]
fn sizes() {
    assert_eq!(size_of::<Option<Str>>(), 8);
    assert_eq!(size_of::<List<u64>>(), 8);
    assert_eq!(size_of::<Option<Shared<u64>>>(), 8);
    assert_eq!(size_of::<Map<Str>>(), 8);
    assert_eq!(size_of::<Bytes>(), 8);
}

#[test]
fn lists_behave_like_vectors() {
    let live = Arc::new(AtomicUsize::new(0));
    let mut seed = 42u64;
    let mut random = move |n: u64| {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) % n
    };
    for _ in 0..200 {
        let mut list: List<Counted> = List::new();
        let mut model: Vec<u64> = Vec::new();
        let mut snapshots: Vec<(List<Counted>, Vec<u64>)> = Vec::new();
        for step in 0..60 {
            match random(12) {
                0..=4 => {
                    list.push(Counted::new(&live, step));
                    model.push(step);
                }
                5 => {
                    assert_eq!(list.pop().map(|c| c.1), model.pop());
                }
                6 => {
                    let at = random(model.len() as u64 + 1) as usize;
                    list.insert(at, Counted::new(&live, step));
                    model.insert(at, step);
                }
                7 if !model.is_empty() => {
                    let at = random(model.len() as u64) as usize;
                    assert_eq!(list.remove(at).1, model.remove(at));
                }
                8 => {
                    list.retain(|c| c.1 % 3 != 0);
                    model.retain(|v| v % 3 != 0);
                }
                9 => {
                    for c in &mut list {
                        c.1 += 100;
                    }
                    model.iter_mut().for_each(|v| *v += 100);
                }
                10 => snapshots.push((list.clone(), model.clone())),
                _ => list.slot().shrink(),
            }
            assert!(list.iter().map(|c| c.1).eq(model.iter().copied()));
        }
        for (list, model) in snapshots {
            assert!(list.into_iter().map(|c| c.1).eq(model), "a snapshot never changes");
        }
    }
    assert_eq!(live.load(Ordering::Relaxed), 0, "every value is dropped exactly once");
}

#[test]
fn nil_and_empty() {
    let nil: List<u8> = List::new();
    let empty: List<u8> = Vec::new().into();
    assert!(nil.is_nil() && !empty.is_nil());
    assert_eq!(nil, empty);
    let mut popped: List<u8> = [1].into();
    popped.pop();
    assert!(!popped.is_nil() && popped.is_empty());
    assert!(popped.clone().pop().is_none());
}

#[test]
fn shared_values_are_copied_on_write() {
    let live = Arc::new(AtomicUsize::new(0));
    let mut a = Shared::new(Counted::new(&live, 1));
    let b = a.clone();
    assert!(a.ptr_eq(&b));
    a.1 = 2;
    assert_eq!((a.1, b.1), (2, 1));
    assert!(!a.ptr_eq(&b));
    a.1 = 3;
    assert_eq!(live.load(Ordering::Relaxed), 2);
    drop((a, b));
    assert_eq!(live.load(Ordering::Relaxed), 0);
}

#[test]
fn handles_share_only_with_their_own_type() {
    let live = Arc::new(AtomicUsize::new(0));
    let mut a: List<Counted> = List::new();
    assert!(a.share().is_none());
    a.push(Counted::new(&live, 7));
    let handle = a.share().unwrap();
    let mut b: List<Counted> = [Counted::new(&live, 1)].into();
    assert!(b.slot().adopt(&handle));
    assert!(a.ptr_eq(&b));
    let mut wrong: List<(u64, u64)> = List::new();
    assert!(!wrong.slot().adopt(&handle));
    let mut wrong_box: Option<Shared<Counted>> = None;
    assert!(!shared_slot(&mut wrong_box).adopt(&handle));
    drop((a, b));
    assert_eq!(live.load(Ordering::Relaxed), 1, "the handle keeps its share");
    drop(handle);
    assert_eq!(live.load(Ordering::Relaxed), 0);

    let mut some = Some(Shared::new(Counted::new(&live, 5)));
    let handle = shared_slot(&mut some).share().unwrap();
    let mut other: Option<Shared<Counted>> = None;
    assert!(shared_slot(&mut other).adopt(&handle));
    assert_eq!(other.as_ref().unwrap().1, 5);
    assert!(!shared_slot(&mut other).is_unique());
    drop((some, handle, other));
    assert_eq!(live.load(Ordering::Relaxed), 0);
}

#[test]
fn maps_keep_their_order_and_the_last_of_equal_keys() {
    let m: Map<i32> = [("b", 1), ("a", 2), ("b", 3)].into();
    assert_eq!(m.iter().map(|(k, v)| (k.as_str(), *v)).collect::<Vec<_>>(), [("a", 2), ("b", 3)]);
    let mut n = m.clone();
    assert_eq!(n.insert("aa".into(), 9), None);
    assert_eq!(n.insert("b".into(), 4), Some(3));
    assert_eq!(n.remove("a"), Some(2));
    assert_eq!(n.remove("a"), None);
    *n.entry("z".into()) += 1;
    assert_eq!(n.keys().map(Str::as_str).collect::<Vec<_>>(), ["aa", "b", "z"]);
    assert_eq!(m.len(), 2);
    assert_eq!((m.get("b"), m.get(""), m.get("zz")), (Some(&3), None, None));
}

#[test]
fn embedded_defaults_cost_nothing_and_equal_explicit_ones() {
    #[derive(Clone, Default, PartialEq, Debug)]
    struct Source {
        dir: Str,
    }
    impl StaticDefault for Source {
        fn static_default() -> &'static Self {
            static DEFAULT: std::sync::LazyLock<Source> = std::sync::LazyLock::new(Source::default);
            &DEFAULT
        }
    }
    let mut a: Emb<Source> = Emb::default();
    assert_eq!(a, Emb::from(Source::default()));
    assert_eq!(a.dir, "");
    a.dir = "/tmp".into();
    let b = a.clone();
    a.dir = "/var".into();
    assert_eq!((a.dir.as_str(), b.dir.as_str()), ("/var", "/tmp"));
}

#[test]
fn bytes_do_not_print_what_they_hold() {
    assert_eq!(format!("{:?}", Bytes::from("hunter2")), "<7 bytes>");
}

#[test]
fn threads_share_and_write() {
    let list: List<Str> = (0..50).map(|i| Str::from(format!("value number {i}"))).collect();
    let boxed = Shared::new(list.clone());
    std::thread::scope(|s| {
        for t in 0..4 {
            let (mut list, mut boxed) = (list.clone(), boxed.clone());
            s.spawn(move || {
                for i in 0..200 {
                    let before = list.clone();
                    list[i % 50] = Str::from(format!("thread {t} wrote {i}"));
                    boxed[i % 50] = list[i % 50].clone();
                    list.push(before[i % 50].clone());
                    assert_eq!(before.len() + 1, list.len());
                    let other = boxed.clone();
                    drop(before);
                    assert!(other[i % 50].starts_with("thread"));
                }
            });
        }
    });
    assert!(list.iter().enumerate().all(|(i, s)| *s == format!("value number {i}")));
}

#[test]
fn primitives_cross_threads() {
    fn check<T: Send + Sync>() {}
    check::<(Str, List<Str>, Map<Str>, Shared<Str>, Bytes, Handle)>();
}

/// Values known by description only, in every form that a field can have.
mod described {
    use super::super::*;
    use crate::message;
    use crate::reflect::{FieldMut, FieldRef, Form};
    use crate::{IntOrString, Quantity, Time};

    message! {
        struct Inner INNER "Inner" [255, 0] Form::Part;
        text: Str = "text" 1;
        port: Option<IntOrString> = "port" 2;
    }
    message! {
        struct Outer OUTER "Outer" [255] Form::Part;
        flag: bool = "flag" 1;
        text: Str = "text" 2;
        maybe: Option<Str> = "maybe" 3;
        number: Option<i64> = "number" 4;
        inner: Inner = "inner" 5;
        boxed: Option<Shared<Inner>> = "boxed" 6;
        embedded: Emb<Inner> = "embedded" 7;
        bytes: Bytes = "bytes" 8;
        inners: List<Inner> = "inners" 9;
        lists: Map<List<Str>> = "lists" 10;
        limits: Map<Quantity> = "limits" 11;
        flags: Map<bool> = "flags" 12;
        maps: List<Map<Inner>> = "maps" 13;
        time: Time = "time" 14;
        amount: Quantity = "amount" 15;
        small: i32 = "small" 16;
    }

    const LONG: &str = "longer than seven bytes";

    fn inner() -> Inner {
        Inner { text: LONG.into(), port: Some(IntOrString::String(LONG.into())) }
    }
    fn outer() -> Outer {
        Outer {
            flag: true,
            text: LONG.into(),
            maybe: Some(LONG.into()),
            number: Some(7),
            inner: inner(),
            boxed: Some(Shared::new(inner())),
            embedded: inner().into(),
            bytes: LONG.into(),
            inners: [inner(), inner()].into(),
            lists: [(LONG, [Str::new(LONG)])].into(),
            limits: [("cpu", "1000000000m".parse::<Quantity>().unwrap())].into(),
            flags: [("a", true), (LONG, false)].into(),
            maps: [Map::new(), [("a", inner())].into()].into(),
            time: Time::from_unix(1),
            amount: "123456789Ki".parse().unwrap(),
            small: 3,
        }
    }

    #[test]
    fn clones_are_snapshots_and_everything_is_freed() {
        let made = outer();
        let mut copy = made.clone();
        assert_eq!(copy, made);
        assert!(copy.inners.ptr_eq(&made.inners));
        copy.inners[1].text = "changed".into();
        copy.boxed.get_or_insert_default().port = None;
        copy.embedded.text = "changed".into();
        copy.lists.insert("b".into(), List::new());
        copy.limits.remove("cpu");
        assert_ne!(copy, made);
        assert_eq!(made, outer());
    }

    #[test]
    fn defaults_are_those_of_the_fields() {
        let d = Outer::default();
        assert!(!d.flag && d.text.is_empty() && d.maybe.is_none() && d.number.is_none());
        assert!(d.boxed.is_none() && d.bytes.is_nil() && d.inners.is_nil() && d.lists.is_nil());
        assert!(d.embedded.text.is_empty() && d.inner.port.is_none() && d.time.is_zero());
        assert_eq!((d.amount, d.small), (Quantity::default(), 0));
    }

    /// Writes every field through the table, in the values of `from`.
    fn write(to: &mut dyn Message, from: &dyn Message) {
        for i in 0..from.desc().fields.len() {
            put(to.field_mut(i), from.field(i));
        }
    }
    fn put(to: FieldMut<'_>, from: FieldRef<'_>) {
        use {FieldMut as M, FieldRef as F};
        match (to, from) {
            (M::Bool(a), F::Bool(b)) => *a = *b,
            (M::I32(a), F::I32(b)) => *a = *b,
            (M::OptI64(a), F::OptI64(b)) => *a = *b,
            (M::Str(a), F::Str(b)) => *a = b.clone(),
            (M::OptStr(a), F::OptStr(b)) => *a = b.clone(),
            (M::Bytes(a), F::Bytes(b)) => *a = b.clone(),
            (M::Msg(a), F::Msg(b)) => write(a, b),
            (M::OptMsg(mut a), F::Msg(b) | F::OptMsg(Some(b))) => {
                write(a.set(), b);
                assert!(a.get().is_some() && a.slot().is_unique());
            }
            (M::Leaf(a), F::Leaf(b)) => leaf(a, b),
            (M::OptLeaf(a), F::OptLeaf(Some(b))) => leaf(a.set(), b),
            (M::List(mut a), F::List(b)) => {
                for i in 0..b.len() {
                    put(a.push(), b.at(i));
                }
                let before = a.share();
                if let Some(before) = before {
                    // A share of it is there: the next write copies.
                    assert!(!a.slot().is_unique());
                    put(a.at_mut(0), b.at(0));
                    assert!(a.slot().is_unique());
                    drop(before);
                }
                a.slot().shrink();
            }
            (M::Map(mut a), F::Map(b)) => {
                for i in (0..b.len()).rev() {
                    let (key, value) = b.at(i);
                    put(a.entry(key.clone()), value);
                }
                let before = a.share();
                for i in 0..b.len() {
                    let (key, value) = b.at(i);
                    assert_eq!(a.at(i).0, key);
                    if !matches!(value, FieldRef::List(_)) {
                        put(a.at_mut(i), value);
                    }
                }
                drop(before);
            }
            _ => panic!("two fields of one table differ in type"),
        }
    }
    fn leaf(to: &mut dyn crate::reflect::Leaf, from: &dyn crate::reflect::Leaf) {
        let mut text = Vec::new();
        from.json_put(&mut text);
        let text = String::from_utf8(text).unwrap();
        let mut p = crate::reflect::Parser::new(&text);
        to.json_get(&mut p, &mut crate::Decoder::new(), 0).unwrap();
    }

    #[test]
    fn fields_are_read_and_written_through_the_table() {
        let (from, mut to) = (outer(), Outer::default());
        write(erase_mut(&mut to), erase(&from));
        assert_eq!(to, from);
        // Again, over what is there: lists grow, everything else is replaced.
        write(erase_mut(&mut to), erase(&from));
        assert_eq!(to.inners.len(), 4);
        to.inners.pop();
        let kept = to.inners.remove(0);
        assert_eq!(kept, inner());
        assert_eq!(to.lists[LONG].len(), 2);
    }

    #[test]
    fn slots_take_only_their_own_type() {
        let (from, mut to) = (outer(), Outer::default());
        let index = |name: &str| OUTER.find(name, 0).unwrap();
        let share = |name: &str| match erase(&from).field(index(name)) {
            FieldRef::List(l) => l.share().unwrap(),
            FieldRef::Map(m) => m.share().unwrap(),
            _ => panic!("neither list nor map"),
        };
        for (name, wrong) in
            [("inners", "maps"), ("maps", "inners"), ("lists", "limits"), ("flags", "inners")]
        {
            let to = erase_mut(&mut to);
            let (mut list, mut map);
            let mut slot = match to.field_mut(index(name)) {
                FieldMut::List(l) => {
                    list = l;
                    list.slot()
                }
                FieldMut::Map(m) => {
                    map = m;
                    map.slot()
                }
                _ => panic!("neither list nor map"),
            };
            assert!(!slot.adopt(&share(wrong)), "{name} took {wrong}");
            assert!(slot.adopt(&share(name)));
        }
        assert!(to.inners.ptr_eq(&from.inners) && to.lists.ptr_eq(&from.lists));
        assert!(to.maps.ptr_eq(&from.maps) && to.flags.ptr_eq(&from.flags));
    }

    #[test]
    fn lists_are_made_at_their_size() {
        let mut to = Outer { inners: [inner()].into(), ..Outer::default() };
        let FieldMut::List(mut l) = erase_mut(&mut to).field_mut(OUTER.find("inners", 0).unwrap())
        else {
            panic!("a list");
        };
        l.set_defaults(3);
        assert_eq!(l.len(), 3);
        l.set_defaults(0);
        assert!(l.is_empty() && !l.is_nil());
        assert!(to.inners.is_empty());
    }
}
