//! Cells of volumes and of what provides them.

use serde_json::Value;

use super::Clock;
use super::cells::{get, items, map, or, quantity, text, texts};
use crate::object::{Object, metadata};

pub(super) fn capacity(object: &Object, _: &Clock) -> Value {
    quantity(object, "spec.capacity.storage").into()
}

/// Access modes in short, each once. Go: `GetAccessModesAsString`.
fn short(modes: &[&str]) -> String {
    const SHORT: [(&str, &str); 4] = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let there = SHORT.iter().filter(|(mode, _)| modes.contains(mode)).map(|(_, short)| *short);
    there.collect::<Vec<_>>().join(",")
}

pub(super) fn modes(object: &Object, _: &Clock) -> Value {
    short(&texts(object, "spec.accessModes")).into()
}

pub(super) fn phase(object: &Object, _: &Clock) -> Value {
    match metadata(object).contains_key("deletionTimestamp") {
        true => "Terminating".into(),
        false => text(object, "status.phase").into(),
    }
}

pub(super) fn claim(object: &Object, _: &Clock) -> Value {
    match get(object, "spec.claimRef").and_then(Value::as_object) {
        Some(claim) => format!("{}/{}", text(claim, "namespace"), text(claim, "name")).into(),
        None => "".into(),
    }
}

pub(super) fn class(object: &Object, _: &Clock) -> Value {
    let mut annotations = map(object, "metadata.annotations");
    let old = annotations.find(|(key, _)| *key == "volume.beta.kubernetes.io/storage-class");
    match old {
        Some((_, class)) => class.clone(),
        None => text(object, "spec.storageClassName").into(),
    }
}

pub(super) fn claim_capacity(object: &Object, _: &Clock) -> Value {
    match text(object, "spec.volumeName") {
        "" => "".into(),
        _ => quantity(object, "status.capacity.storage").into(),
    }
}

pub(super) fn claim_modes(object: &Object, _: &Clock) -> Value {
    match text(object, "spec.volumeName") {
        "" => "".into(),
        _ => short(&texts(object, "status.accessModes")).into(),
    }
}

pub(super) fn token_requests(object: &Object, _: &Clock) -> Value {
    if get(object, "spec.tokenRequests").is_none() {
        return "<unset>".into();
    }
    let audiences = items(object, "spec.tokenRequests").map(|request| text(request, "audience"));
    audiences.collect::<Vec<_>>().join(",").into()
}

pub(super) fn driver_modes(object: &Object, _: &Clock) -> Value {
    or(&texts(object, "spec.volumeLifecycleModes").join(","), "<none>").into()
}

/// Marks the class that volumes get by default: the newest that says so, of equals the first.
pub(super) fn mark_default(rows: &mut [(Object, Vec<Value>)]) {
    let says_so = |object: &Object| {
        map(object, "metadata.annotations").any(|(key, value)| {
            value == "true"
                && matches!(
                    key.as_str(),
                    "storageclass.kubernetes.io/is-default-class"
                        | "storageclass.beta.kubernetes.io/is-default-class"
                )
        })
    };
    let of = |object: &Object, key: &str| text(object, key).to_owned();
    let chosen = rows.iter_mut().filter(|(object, _)| says_so(object)).max_by_key(|(object, _)| {
        (of(object, "metadata.creationTimestamp"), std::cmp::Reverse(of(object, "metadata.name")))
    });
    if let Some((object, cells)) = chosen
        && let Some(first) = cells.first_mut()
    {
        *first = format!("{} (default)", text(object, "metadata.name")).into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_in_short() {
        assert_eq!(short(&["ReadWriteMany", "ReadWriteOnce", "ReadWriteMany"]), "RWO,RWX");
        assert_eq!(short(&[]), "");
    }
}
