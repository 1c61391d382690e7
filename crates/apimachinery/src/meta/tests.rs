//! Owners, finalizers, accessors and tables. What Go answers is in `tests/answers`.

use std::sync::Arc;

use super::*;
use crate::meta_v1::{PartialObjectMetadataList, Table};
use crate::{
    AnyKind, Condition, Error, GroupKind, GroupVersion, GroupVersionKind, GroupVersionResource,
    List, ListMeta, Object, ObjectMeta, OwnerReference, PartialObjectMetadata, Status, Time,
    Unstructured,
};

fn object(kind: &str, namespace: &str, name: &str) -> Unstructured {
    let mut object =
        Unstructured::new(&GroupVersionKind::new("example.com", "v1", kind.to_owned()));
    object.metadata_mut().namespace = namespace.into();
    object.metadata_mut().name = name.into();
    object.metadata_mut().uid = format!("uid-{name}").into();
    object
}

// Go: TestSetControllerReference and its neighbours in controllerutil_test.go
#[test]
fn controllers() {
    let owner = object("Foo", "a", "one");
    let mut pod = object("Pod", "a", "one-1");
    set_controller_reference(&owner, &mut pod).unwrap();
    let expect = OwnerReference {
        api_version: "example.com/v1".into(),
        kind: "Foo".into(),
        name: "one".into(),
        uid: "uid-one".into(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    };
    assert_eq!(pod.metadata().owner_references[..], [expect]);
    assert!(pod.is_controlled_by(&owner) && has_controller_reference(&pod));

    // Again, in another version of the group: the reference is replaced.
    let mut newer = owner.clone();
    newer.api_version = "example.com/v2".into();
    set_controller_reference(&newer, &mut pod).unwrap();
    assert_eq!(pod.metadata().owner_references.len(), 1);
    assert_eq!(pod.metadata().owner_references[0].api_version, "example.com/v2");

    let error = set_controller_reference(&object("Foo", "a", "two"), &mut pod).unwrap_err();
    assert!(error.is_already_owned());
    assert_eq!(error.to_string(), "Object a/one-1 is already owned by another Foo controller one");
    assert_eq!(pod.metadata().owner_references.len(), 1);

    // An owner that is no controller stands beside it, and may become one only then.
    let other = object("Bar", "a", "three");
    set_owner_reference(&other, &mut pod).unwrap();
    assert_eq!(pod.metadata().owner_references[1].controller, None);
    assert!(has_owner_reference(&pod.metadata().owner_references, &other));
    assert_eq!(
        remove_controller_reference(&other, &mut pod).unwrap_err().to_string(),
        "Bar owner is not the controller reference for Pod"
    );
    remove_controller_reference(&owner, &mut pod).unwrap();
    assert!(!has_controller_reference(&pod));
    set_controller_reference(&other, &mut pod).unwrap();
    assert_eq!(pod.controller_of().unwrap().name, "three");
}

#[test]
fn owners_must_be_near() {
    #[track_caller]
    fn check(owner: &str, object_in: &str, expect: Option<&str>) {
        let (owner, mut pod) = (object("Foo", owner, "one"), object("Pod", object_in, "p"));
        let controller = set_controller_reference(&owner, &mut pod);
        let error = controller.map_err(|e| e.to_string());
        assert_eq!(error.as_ref().err().map(String::as_str), expect);
        assert_eq!(set_owner_reference(&owner, &mut pod).map_err(|e| e.to_string()), error);
    }
    check("a", "a", None);
    check("", "a", None);
    check("", "", None);
    check(
        "a",
        "",
        Some("cluster-scoped resource must not have a namespace-scoped owner, owner's namespace a"),
    );
    check(
        "a",
        "b",
        Some(
            "cross-namespace owner references are disallowed, owner's namespace a, obj's namespace b",
        ),
    );
}

#[test]
fn owners_go() {
    let (one, two) = (object("Foo", "a", "one"), object("Foo", "a", "two"));
    let mut pod = object("Pod", "a", "p");
    let message = |result: Result<(), Error>| result.unwrap_err().to_string();
    assert_eq!(
        message(remove_owner_reference(&one, &mut pod)),
        "Pod does not have any owner references"
    );
    assert_eq!(
        message(remove_controller_reference(&one, &mut pod)),
        "Pod does not have a owner reference with controller equals true"
    );
    set_controller_reference(&one, &mut pod).unwrap();
    assert_eq!(
        message(remove_owner_reference(&two, &mut pod)),
        "Pod does not have an owner reference for Foo"
    );
    assert_eq!(
        message(remove_controller_reference(&two, &mut pod)),
        "Pod does not have an controller reference for Foo"
    );
    remove_owner_reference(&one, &mut pod).unwrap();
    assert!(pod.metadata().owner_references.is_empty());
    // A reference whose apiVersion cannot be read is nobody's.
    put_owner_reference(
        pod.metadata_mut(),
        OwnerReference { api_version: "a/b/c".into(), ..owner_reference(&one) },
    );
    assert!(!has_owner_reference(&pod.metadata().owner_references, &one));
}

// Go: TestAddFinalizer, TestRemoveFinalizer, TestContainsFinalizer
#[test]
fn finalizers() {
    let mut foo = PartialObjectMetadata::default();
    assert!(add_finalizer(&mut foo, "a") && !add_finalizer(&mut foo, "a"));
    assert!(add_finalizer(&mut foo, "b") && has_finalizer(&foo, "b"));
    foo.metadata.finalizers.push("a".into());
    let snapshot = foo.clone();
    assert!(remove_finalizer(&mut foo, "a") && !remove_finalizer(&mut foo, "a"));
    assert_eq!(foo.metadata.finalizers[..], ["b"]);
    assert_eq!(snapshot.metadata.finalizers[..], ["a", "b", "a"]);
    assert!(!has_finalizer(&foo, "a"));
}

#[test]
fn nothing_is_copied_that_does_not_change() {
    let ready = |status: &str| Condition {
        type_: "Ready".into(),
        status: status.into(),
        ..Condition::default()
    };
    let mut list: List<Condition> = List::new();
    assert!(list.set_condition(ready("True"), Time::from_unix(1)));
    let shared = list.clone();
    assert!(!list.set_condition(ready("True"), Time::from_unix(2)));
    assert!(!list.remove_condition("Other") && list.ptr_eq(&shared));
    let mut plain = list.to_vec();
    assert!(plain.set_condition(ready("False"), Time::from_unix(3)));
    assert_eq!(plain[0].last_transition_time, Time::from_unix(3));
    assert_eq!(shared[0].last_transition_time, Time::from_unix(1));
    assert!(plain.is_condition_false("Ready") && plain.remove_condition("Ready"));
    assert!(plain.condition("Ready").is_none());
}

#[test]
fn metadata_of_anything() {
    let metadata = ObjectMeta { name: "web".into(), ..ObjectMeta::default() };
    let mut typed = PartialObjectMetadata { metadata };
    let value: &mut dyn AnyKind = &mut typed;
    object_meta_mut(value).unwrap().uid = "u".into();
    assert_eq!(object_meta(value).unwrap().uid, "u");
    assert_eq!(object_meta(&object("Foo", "", "one")).unwrap().name, "one");
    assert!(
        object_meta(&Status::default()).is_none()
            && object_meta_mut(&mut Status::default()).is_none()
    );

    let list = PartialObjectMetadataList {
        metadata: ListMeta { resource_version: "7".into(), ..ListMeta::default() },
        items: vec![typed.clone(), typed.clone()].into(),
    };
    assert_eq!((list_len(&list), list_meta(&list).unwrap().resource_version.as_str()), (2, "7"));
    assert_eq!(list_items(&list).unwrap().count(), 2);
    let mut untyped = crate::UnstructuredList::default();
    untyped.items.push(object("Foo", "", "one"));
    untyped.metadata.resource_version = "8".into();
    let any: &dyn AnyKind = &untyped;
    assert_eq!((list_len(any), list_meta(any).unwrap().resource_version.as_str()), (1, "8"));
    assert!(list_items(&typed).is_none() && list_len(&typed) == 0 && list_meta(&typed).is_none());
    // A Table has list metadata and no items.
    assert!(list_items(&Table::default()).is_none() && list_meta(&Table::default()).is_some());
}

#[test]
fn what_a_status_update_leaves_alone() {
    let existing = ObjectMeta {
        labels: [("a", "b")].into(),
        finalizers: ["f".into()].into(),
        generation: 3,
        deletion_timestamp: Some(Time::from_unix(5)),
        ..ObjectMeta::default()
    };
    let mut new = ObjectMeta {
        name: "n".into(),
        generation: 9,
        annotations: [("x", "y")].into(),
        resource_version: "8".into(),
        ..ObjectMeta::default()
    };
    reset_for_status(&mut new, &existing);
    assert_eq!((new.generation, new.labels["a"].as_str(), new.annotations.len()), (3, "b", 0));
    assert_eq!((new.name.as_str(), new.resource_version.as_str()), ("n", "8"));
    assert_eq!((new.deletion_timestamp, new.finalizers.len()), (Some(Time::from_unix(5)), 1));

    let mut foo = PartialObjectMetadata::default();
    assert!(!has_system_fields(&foo));
    foo.metadata.creation_timestamp = Time::from_unix(1);
    assert!(has_system_fields(&foo));
}

#[test]
fn cells_and_objects_of_rows() {
    let column = |name: &str, type_: &str, path: &str| PrinterColumn {
        name: name.into(),
        type_: type_.into(),
        json_path: path.into(),
        ..PrinterColumn::default()
    };
    let columns = TableColumns::new([
        column("Phase", "string", ".status.phase"),
        column("N", "integer", ".n"),
    ])
    .unwrap();
    let mut foo = object("Foo", "a", "one");
    foo.set("status.phase", "Running").unwrap();
    let mut table = columns.table().of_list(&ListMeta {
        resource_version: "5".into(),
        continue_: "c".into(),
        remaining_item_count: Some(2),
        ..ListMeta::default()
    });
    table.rows.push(columns.row(&foo, Time::from_unix(0)).unwrap());
    assert_eq!(table.metadata.resource_version, "5");
    assert_eq!(table.cell::<String>(0, "Name").unwrap().as_deref(), Some("one"));
    assert_eq!(table.cell::<String>(0, "Phase").unwrap().as_deref(), Some("Running"));
    assert_eq!(table.cell::<i64>(0, "N").unwrap(), None, "an empty cell");
    assert_eq!(table.cell::<i64>(1, "N").unwrap(), None, "no such row");
    assert_eq!(table.cell::<i64>(0, "Nope").unwrap(), None, "no such column");
    let wrong = table.cell::<i64>(0, "Phase").unwrap_err();
    assert!(wrong.is_decode() && wrong.to_string().starts_with("row 0, column Phase: "));
    let back: Unstructured = table.rows[0].object().unwrap();
    assert_eq!(back.get("status.phase").and_then(|v| v.as_str()), Some("Running"));
    assert_eq!(table.rows[0].metadata().unwrap().metadata.namespace, "a");

    table.rows[0].object = Default::default();
    assert!(table.rows[0].metadata().unwrap_err().to_string().contains("includeObject"));
    let error = TableColumns::new([column("X", "string", ".a[")]).unwrap_err();
    assert_eq!(error.to_string(), r#"unrecognized column definition ".a[""#);
}

#[test]
fn mappers_behind_pointers() {
    let mut apps = DefaultRestMapper::new([GroupVersion::new("apps", "v1")]);
    apps.add(GroupVersionKind::new("apps", "v1", "Deployment"), RestScope::Namespace);
    let shared: Arc<dyn RestMapper> = Arc::new(apps);
    let mapper = MultiRestMapper(vec![shared.clone(), shared]);
    let deployments = GroupVersionResource::new("", "", "deployments");
    assert_eq!(mapper.resource_for(&deployments).unwrap().version, "v1");
    // Two mappers know the kind, and neither is to be preferred.
    let kind = GroupKind::new("apps", "Deployment");
    assert!(mapper.rest_mapping(&kind, &[]).unwrap_err().is_ambiguous());
    mapper.reset();

    let nobody = FirstHitRestMapper::<DefaultRestMapper>::default();
    assert!(nobody.rest_mapping(&kind, &[]).unwrap_err().is_no_match());
    assert!(nobody.kind_for(&deployments).unwrap_err().is_no_match());
    assert!(nobody.resource_for(&deployments).unwrap_err().is_no_match());
}
