//! Which admission plugins are on.
//!
//! Go counterpart: `pkg/kubeapiserver/options/plugins.go`.

use pintle_apimachinery::Error;

/// Every plugin of Kubernetes and whether it is on by default.
const PLUGINS: [(&str, bool); 39] = [
    ("AlwaysAdmit", false),
    ("AlwaysDeny", false),
    ("AlwaysPullImages", false),
    ("CertificateApproval", true),
    ("CertificateSigning", true),
    ("CertificateSubjectRestriction", true),
    ("ClusterTrustBundleAttest", true),
    ("DefaultIngressClass", true),
    ("DefaultStorageClass", true),
    ("DefaultTolerationSeconds", true),
    ("DenyServiceExternalIPs", false),
    ("EventRateLimit", false),
    ("ExtendedResourceToleration", false),
    ("ImagePolicyWebhook", false),
    ("LimitPodHardAntiAffinityTopology", false),
    ("LimitRanger", true),
    ("MutatingAdmissionPolicy", true),
    ("MutatingAdmissionWebhook", true),
    ("NamespaceAutoProvision", false),
    ("NamespaceExists", false),
    ("NamespaceLifecycle", true),
    ("NodeDeclaredFeatureValidator", true),
    ("NodeRestriction", false),
    ("OwnerReferencesPermissionEnforcement", false),
    ("PersistentVolumeClaimResize", true),
    ("PodGroupProtection", true),
    ("PodNodeSelector", false),
    ("PodResizeValidator", true),
    ("PodSecurity", true),
    ("PodTolerationRestriction", false),
    ("PodTopologyLabels", true),
    ("Priority", true),
    ("ResourceQuota", true),
    ("RuntimeClass", true),
    ("ServiceAccount", true),
    ("StorageObjectInUseProtection", true),
    ("TaintNodesByCondition", true),
    ("ValidatingAdmissionPolicy", true),
    ("ValidatingAdmissionWebhook", true),
];

/// Those that this server has.
pub(crate) const HERE: [&str; 7] = [
    "DefaultIngressClass",
    "DefaultStorageClass",
    "DefaultTolerationSeconds",
    "NamespaceLifecycle",
    "Priority",
    "StorageObjectInUseProtection",
    "TaintNodesByCondition",
];

/// A set of plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plugins(u64);

impl Default for Plugins {
    fn default() -> Self {
        let bit = |(at, (_, on)): (usize, &(&str, bool))| u64::from(*on) << at;
        Plugins(PLUGINS.iter().enumerate().map(bit).fold(0, |set, bit| set | bit))
    }
}

fn position(name: &str) -> Option<usize> {
    PLUGINS.iter().position(|(known, _)| *known == name)
}

impl Plugins {
    /// Turns a plugin on or off.
    ///
    /// # Errors
    /// Kubernetes has no plugin of that name ([`Error::is_invalid_argument`]).
    pub(crate) fn set(&mut self, name: &str, on: bool) -> Result<(), Error> {
        let Some(at) = position(name) else {
            let flag = if on { "enable" } else { "disable" };
            return Err(Error::invalid(format!(
                "{flag}-admission-plugins plugin {name:?} is unknown"
            )));
        };
        self.0 = if on { self.0 | 1 << at } else { self.0 & !(1 << at) };
        Ok(())
    }

    pub(crate) fn has(self, name: &str) -> bool {
        position(name).is_some_and(|at| self.0 & 1 << at != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_are_on_or_off() {
        let mut plugins = Plugins::default();
        assert!(HERE.iter().all(|name| plugins.has(name)));
        assert!(!plugins.has("AlwaysDeny") && !plugins.has("Nope"));
        plugins.set("Priority", false).expect("known");
        plugins.set("AlwaysDeny", true).expect("known");
        assert!(plugins.has("AlwaysDeny") && !plugins.has("Priority"));
        let error = plugins.set("Foo", false).expect_err("unknown");
        assert_eq!(error.to_string(), "disable-admission-plugins plugin \"Foo\" is unknown");
    }
}
