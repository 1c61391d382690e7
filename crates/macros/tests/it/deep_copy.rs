//! `derive(DeepCopy)`.
use pintle_api::core_v1::PodSpec;
use pintle_apimachinery::{DeepCopy, List};
use pintle_macros::DeepCopy;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

#[derive(DeepCopy)]
#[deep_copy(crate = "pintle_apimachinery")]
struct Named<T> {
    shared: Arc<Mutex<Vec<T>>>,
    local: HashMap<String, Rc<RefCell<i32>>>,
    pods: List<PodSpec>,
    r#type: Option<Box<Tuple>>,
}
#[derive(Debug, DeepCopy, PartialEq)]
#[deep_copy(crate = "pintle_apimachinery")]
struct Tuple(u8, (String, [i64; 2]));
#[derive(DeepCopy)]
#[deep_copy(crate = "pintle_apimachinery")]
struct Unit;
#[derive(DeepCopy)]
#[deep_copy(crate = "pintle_apimachinery")]
enum Never {}

#[test]
fn nothing_is_shared() {
    let mut pod = PodSpec { node_name: "n".into(), ..Default::default() };
    let a = Named {
        shared: Arc::new(Mutex::new(vec![1])),
        local: HashMap::from([("k".to_owned(), Rc::new(RefCell::new(7)))]),
        pods: [pod.clone()].into(),
        r#type: Some(Box::new(Tuple(1, ("x".into(), [2, 3])))),
    };
    let b = a.deep_copy();
    a.shared.lock().unwrap().push(2);
    *a.local["k"].borrow_mut() = 8;
    pod.node_name = "m".into();
    assert_eq!(*b.shared.lock().unwrap(), [1]);
    assert_eq!(*b.local["k"].borrow(), 7);
    assert_eq!(b.pods[0].node_name, "n");
    assert_eq!(b.r#type.as_deref(), Some(&Tuple(1, ("x".into(), [2, 3]))));
    let Unit = Unit.deep_copy();
    assert!(None::<Never>.deep_copy().is_none());
}
