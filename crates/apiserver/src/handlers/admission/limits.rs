//! LimitRanges: what containers have when they say nothing, and how much is too little or too much.
//!
//! Go counterpart: `plugin/pkg/admission/limitranger`. Go looks at the amounts of a LimitRange in
//! no order; here it is that of their names.

use std::collections::BTreeMap;

use pintle_apimachinery::Quantity;
use serde_json::{Value, json};

use super::super::Request;
use crate::kinds::tree::{child, items, text};
use crate::object::{Object, metadata_mut};
use crate::registry::name_of;
use crate::status::ApiResult;
use crate::storage::{Range, Storage};

const ANNOTATION: &str = "kubernetes.io/limit-ranger";

/// Above this, thousandths do not fit Go's `int64`.
const MAX_MILLI: i64 = i64::MAX / 1_000;

type Amounts = BTreeMap<String, Quantity>;

fn amounts(value: Option<&Value>) -> Amounts {
    let members = value.and_then(Value::as_object).into_iter().flatten();
    members
        .filter_map(|(name, amount)| {
            let amount = Quantity::parse(amount.as_str()?).ok()?;
            Some((name.clone(), amount))
        })
        .collect()
}

/// One entry of a LimitRange.
struct Limit {
    kind: String,
    min: Amounts,
    max: Amounts,
    ratio: Amounts,
}

/// What something asks for, and what it may use.
#[derive(Default)]
struct Resources {
    requests: Amounts,
    limits: Amounts,
}

impl Resources {
    fn of(value: &Value) -> Self {
        let of = |key| amounts(value.get("resources").and_then(|resources| resources.get(key)));
        Resources { requests: of("requests"), limits: of("limits") }
    }
}

impl Request<'_> {
    fn limit_ranges(&self) -> Vec<Object> {
        let range = Range::prefix(&format!("/registry/limitranges/{}/", self.namespace()));
        let found = self.core.store.range(&range, None, 0);
        let found = found.map(|found| found.kvs).unwrap_or_default();
        found.iter().map(|entry| entry.value.object(None)).collect()
    }

    /// Fills in what the containers of a new Pod ask for and may use.
    pub(super) fn default_resources(&self, pod: &mut Object) {
        for range in self.limit_ranges() {
            let mut wanted = [("requests", "defaultRequest"), ("limits", "default")]
                .map(|(kind, key)| (kind, key, serde_json::Map::new()));
            let limits = range.get("spec").and_then(|spec| spec.get("limits"));
            for limit in limits.and_then(Value::as_array).into_iter().flatten() {
                if limit.get("type").and_then(Value::as_str) != Some("Container") {
                    continue;
                }
                for (_, key, to) in &mut wanted {
                    let from = limit.get(*key).and_then(Value::as_object);
                    to.extend(from.cloned().unwrap_or_default());
                }
            }
            let mut said = Vec::new();
            let spec = child(pod, "spec");
            for (kind, what) in [("containers", "container"), ("initContainers", "init container")]
            {
                for container in items(spec, kind) {
                    let name = text(container, "name").to_owned();
                    for (kind, _, wanted) in &wanted {
                        if wanted.is_empty() {
                            continue;
                        }
                        let has = child(child(container, "resources"), kind);
                        let mut set: Vec<&str> = Vec::new();
                        for (resource, amount) in wanted {
                            if !has.contains_key(resource) {
                                has.insert(resource.clone(), amount.clone());
                                set.push(resource);
                            }
                        }
                        if !set.is_empty() {
                            set.sort_unstable();
                            let kind = kind.trim_end_matches('s');
                            said.push(format!("{} {kind} for {what} {name}", set.join(", ")));
                        }
                    }
                }
            }
            if !said.is_empty() {
                let said = format!("LimitRanger plugin set: {}", said.join("; "));
                let annotations =
                    metadata_mut(pod).entry("annotations").or_insert_with(|| json!({}));
                annotations[ANNOTATION] = said.into();
            }
        }
    }

    /// Refuses a Pod or claim that is outside of the bounds of its namespace.
    pub(super) fn within_limits(&self, object: &Object) -> ApiResult<()> {
        let pods = self.resource.plural == "pods";
        for range in self.limit_ranges() {
            let spec = range.get("spec").and_then(|spec| spec.get("limits"));
            let limits = spec.and_then(Value::as_array).into_iter().flatten().map(|limit| Limit {
                kind: limit.get("type").and_then(Value::as_str).unwrap_or_default().to_owned(),
                min: amounts(limit.get("min")),
                max: amounts(limit.get("max")),
                ratio: amounts(limit.get("maxLimitRequestRatio")),
            });
            let mut problems = Vec::new();
            for limit in limits {
                match (limit.kind.as_str(), pods) {
                    ("Container", true) => {
                        for container in containers(object) {
                            limit.check(&Resources::of(container), &mut problems);
                        }
                    }
                    ("Pod", true) => limit.check(&total(object), &mut problems),
                    ("PersistentVolumeClaim", false) => {
                        let empty = Value::Null;
                        let claim = Resources::of(object.get("spec").unwrap_or(&empty));
                        limit.check_claim(&claim, &mut problems);
                    }
                    _ => {}
                }
            }
            if let Some(why) = aggregate(problems) {
                return Err(self.forbidden(name_of(object), &why));
            }
        }
        Ok(())
    }
}

/// Go's `utilerrors.NewAggregate`: each problem once.
fn aggregate(problems: Vec<String>) -> Option<String> {
    let mut each: Vec<String> = Vec::new();
    for problem in problems {
        if !each.contains(&problem) {
            each.push(problem);
        }
    }
    match each.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        all => Some(format!("[{}]", all.join(", "))),
    }
}

fn list<'a>(pod: &'a Object, key: &str) -> impl Iterator<Item = &'a Value> {
    pod.get("spec").and_then(|spec| spec.get(key)).and_then(Value::as_array).into_iter().flatten()
}

fn containers(pod: &Object) -> impl Iterator<Item = &Value> {
    list(pod, "containers").chain(list(pod, "initContainers"))
}

fn add(to: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        let sum = match to.get(name) {
            Some(old) => old.clone() + amount,
            None => amount.clone(),
        };
        to.insert(name.clone(), sum);
    }
}

fn at_least(to: &mut Amounts, other: &Amounts) {
    for (name, amount) in other {
        if to.get(name).is_none_or(|old| amount > old) {
            to.insert(name.clone(), amount.clone());
        }
    }
}

/// What a whole Pod asks for and may use. Go: `podRequests` and `podLimits`.
fn total(pod: &Object) -> Resources {
    let sum = |of: fn(Resources) -> Amounts, key: &str| {
        let mut sum = Amounts::new();
        list(pod, "containers").for_each(|c| add(&mut sum, &of(Resources::of(c))));
        let (mut sidecars, mut first) = (Amounts::new(), Amounts::new());
        for container in list(pod, "initContainers") {
            let own = of(Resources::of(container));
            if container.get("restartPolicy").and_then(Value::as_str) == Some("Always") {
                add(&mut sum, &own);
                add(&mut sidecars, &own);
                at_least(&mut first, &sidecars);
            } else {
                let mut own = own;
                add(&mut own, &sidecars);
                at_least(&mut first, &own);
            }
        }
        at_least(&mut sum, &first);
        let whole = pod.get("spec").and_then(|spec| spec.get("resources"));
        for (name, amount) in amounts(whole.and_then(|whole| whole.get(key))) {
            if matches!(name.as_str(), "cpu" | "memory") {
                sum.insert(name, amount);
            }
        }
        sum
    };
    Resources {
        requests: sum(|resources| resources.requests, "requests"),
        limits: sum(|resources| resources.limits, "limits"),
    }
}

/// Amounts as numbers that can be compared: thousandths, unless one of them is too large.
fn comparable<const N: usize>(quantities: [Option<&Quantity>; N]) -> [i64; N] {
    let values = quantities.map(|quantity| quantity.map_or(0, Quantity::value));
    if values.iter().all(|value| *value <= MAX_MILLI) {
        return quantities.map(|quantity| quantity.map_or(0, Quantity::milli_value));
    }
    values
}

impl Limit {
    fn check(&self, has: &Resources, problems: &mut Vec<String>) {
        let kind = &self.kind;
        for (name, bound) in &self.min {
            self.check_min(name, bound, has, problems);
        }
        for (name, bound) in &self.max {
            let (request, limit) = (has.requests.get(name), has.limits.get(name));
            let [r, l, b] = comparable([request, limit, Some(bound)]);
            let what = format!("maximum {name} usage per {kind} is {}", bound.as_str());
            match (request, limit) {
                (_, None) => problems.push(format!("{what}.  No limit is specified")),
                (_, Some(limit)) if l > b => {
                    problems.push(format!("{what}, but limit is {}", limit.as_str()));
                }
                (Some(request), _) if r > b => {
                    problems.push(format!("{what}, but request is {}", request.as_str()));
                }
                _ => {}
            }
        }
        for (name, bound) in &self.ratio {
            let (request, limit) = (has.requests.get(name), has.limits.get(name));
            let [r, l, _] = comparable([request, limit, Some(bound)]);
            let what =
                format!("{name} max limit to request ratio per {kind} is {}", bound.as_str());
            if r == 0 {
                problems.push(format!("{what}, but no request is specified or request is 0"));
            } else if l == 0 {
                problems.push(format!("{what}, but no limit is specified or limit is 0"));
            } else {
                let ratio = l as f64 / r as f64;
                let (seen, most) = match bound.value() <= MAX_MILLI {
                    true => (ratio * 1_000.0, bound.milli_value() as f64),
                    false => (ratio, bound.value() as f64),
                };
                if seen > most {
                    problems.push(format!("{what}, but provided ratio is {ratio:.6}"));
                }
            }
        }
    }

    fn check_min(&self, name: &str, bound: &Quantity, has: &Resources, problems: &mut Vec<String>) {
        let (request, limit) = (has.requests.get(name), has.limits.get(name));
        let [r, l, b] = comparable([request, limit, Some(bound)]);
        let what = format!("minimum {name} usage per {} is {}", self.kind, bound.as_str());
        match (request, limit) {
            (None, _) => problems.push(format!("{what}.  No request is specified")),
            (Some(request), _) if r < b => {
                problems.push(format!("{what}, but request is {}", request.as_str()));
            }
            (_, Some(limit)) if l < b => {
                problems.push(format!("{what}, but limit is {}", limit.as_str()));
            }
            _ => {}
        }
    }

    /// Of a claim only what it asks for counts.
    fn check_claim(&self, claim: &Resources, problems: &mut Vec<String>) {
        let claim = Resources { requests: claim.requests.clone(), limits: Amounts::new() };
        for (name, bound) in &self.min {
            self.check_min(name, bound, &claim, problems);
        }
        for (name, bound) in &self.max {
            let request = claim.requests.get(name);
            let [r, b] = comparable([request, Some(bound)]);
            let what = format!("maximum {name} usage per {} is {}", self.kind, bound.as_str());
            match request {
                None => problems.push(format!("{what}.  No request is specified")),
                Some(request) if r > b => {
                    problems.push(format!("{what}, but request is {}", request.as_str()));
                }
                Some(_) => {}
            }
        }
    }
}
