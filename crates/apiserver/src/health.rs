//! Health: `/healthz`, `/livez`, `/readyz` and their checks one by one.
//!
//! Go counterpart: `k8s.io/apiserver/pkg/server/healthz`. The checks have the names they have in
//! Kubernetes, in its order; a server in memory that answers at all has passed them.

use crate::request::Query;

/// A group of checks, and in which of the three it is.
const CHECKS: &[(&str, bool, bool)] = &[
    // name, in healthz and livez, in readyz
    ("ping", true, true),
    ("log", true, true),
    ("loopback-serving-certificate", true, false),
    ("etcd", true, true),
    ("etcd-readiness", false, true),
    ("informer-sync", false, true),
    ("poststarthook/start-apiserver-admission-initializer", true, true),
    ("poststarthook/generic-apiserver-start-informers", true, true),
    ("poststarthook/priority-and-fairness-config-consumer", true, true),
    ("poststarthook/priority-and-fairness-filter", true, true),
    ("poststarthook/storage-object-count-tracker-hook", true, true),
    ("poststarthook/start-apiextensions-informers", true, true),
    ("poststarthook/start-apiextensions-controllers", true, true),
    ("poststarthook/crd-informer-synced", true, true),
    ("poststarthook/start-system-namespaces-controller", true, true),
    ("poststarthook/peer-endpoint-reconciler-controller", true, true),
    ("poststarthook/start-cluster-authentication-info-controller", true, true),
    ("poststarthook/start-kube-apiserver-identity-lease-controller", true, true),
    ("poststarthook/start-kube-apiserver-identity-lease-garbage-collector", true, true),
    ("poststarthook/storage-readiness", true, true),
    ("poststarthook/start-legacy-token-tracking-controller", true, true),
    ("poststarthook/start-service-ip-repair-controllers", true, true),
    ("poststarthook/rbac/bootstrap-roles", true, true),
    ("poststarthook/scheduling/bootstrap-system-priority-classes", true, true),
    ("poststarthook/priority-and-fairness-config-producer", true, true),
    ("poststarthook/bootstrap-controller", true, true),
    ("poststarthook/start-kubernetes-service-cidr-controller", true, true),
    ("poststarthook/aggregator-reload-proxy-client-cert", true, true),
    ("poststarthook/start-kube-aggregator-informers", true, true),
    ("poststarthook/apiservice-status-local-available-controller", true, true),
    ("poststarthook/apiservice-status-remote-available-controller", true, true),
    ("poststarthook/apiservice-registration-controller", true, true),
    ("poststarthook/apiservice-discovery-controller", true, true),
    ("poststarthook/kube-apiserver-autoregistration", true, true),
    ("autoregister-completion", true, true),
    ("poststarthook/apiservice-openapi-controller", true, true),
    ("poststarthook/apiservice-openapiv3-controller", true, true),
    ("shutdown", false, true),
];

/// The checks of one of the three, by name.
pub(crate) fn checks(what: &str) -> impl Iterator<Item = &'static str> {
    let ready = what == "readyz";
    CHECKS
        .iter()
        .filter(move |(_, alive, readiness)| if ready { *readiness } else { *alive })
        .map(|(name, ..)| *name)
}

/// What `/what` answers to a query.
pub(crate) fn report(what: &str, query: &Query) -> String {
    if query.find("verbose").is_none() {
        return "ok".to_owned();
    }
    let mut unknown: Vec<&str> = query.all("exclude");
    unknown.sort_unstable();
    unknown.dedup();
    let excluded = unknown.clone();
    let mut out = String::new();
    for check in checks(what) {
        if excluded.contains(&check) {
            unknown.retain(|name| *name != check);
            out += &format!("[+]{check} excluded: ok\n");
        } else {
            out += &format!("[+]{check} ok\n");
        }
    }
    if !unknown.is_empty() {
        let unknown: Vec<String> = unknown.iter().map(|name| crate::status::quote(name)).collect();
        let unknown = unknown.join(",");
        out += "warn: some health checks cannot be excluded: no matches for ";
        out += &format!("{unknown}\n");
    }
    out + &format!("{what} check passed\n")
}

/// `/metrics`: what a client that only looks whether it is there needs.
pub(crate) fn metrics() -> String {
    format!(
        "# HELP kubernetes_build_info A metric with a constant '1' value labeled by what was \
         built.\n# TYPE kubernetes_build_info gauge\nkubernetes_build_info{{git_version=\"{}\",\
         major=\"1\",minor=\"37\"}} 1\n",
        crate::discovery::GIT_VERSION
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbose_reports_name_every_check() {
        let of = |what: &str, query: &str| report(what, &Query::parse(query));
        assert_eq!(of("livez", "exclude=nope"), "ok");
        let live = of("livez", "verbose");
        assert!(live.starts_with("[+]ping ok\n[+]log ok\n[+]loopback-serving-certificate ok\n"));
        assert!(live.ends_with("livez check passed\n") && !live.contains("shutdown"));
        let ready = of("readyz", "verbose=&exclude=etcd&exclude=nope");
        assert!(ready.contains("\n[+]etcd excluded: ok\n[+]etcd-readiness ok\n"));
        assert!(ready.ends_with(
            "[+]shutdown ok\nwarn: some health checks cannot be excluded: no matches for \
             \"nope\"\nreadyz check passed\n"
        ));
    }
}
