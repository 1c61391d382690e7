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
pub(crate) const HERE: [&str; 12] = [
    "DefaultIngressClass",
    "DefaultStorageClass",
    "DefaultTolerationSeconds",
    "LimitRanger",
    "NamespaceLifecycle",
    "PersistentVolumeClaimResize",
    "PodTopologyLabels",
    "Priority",
    "RuntimeClass",
    "ServiceAccount",
    "StorageObjectInUseProtection",
    "TaintNodesByCondition",
];

/// A set of plugins, and which of them somebody asked to be on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plugins {
    on: u64,
    chosen: u64,
}

impl Default for Plugins {
    fn default() -> Self {
        let bit = |(at, (_, on)): (usize, &(&str, bool))| u64::from(*on) << at;
        let on = PLUGINS.iter().enumerate().map(bit).fold(0, |set, bit| set | bit);
        Plugins { on, chosen: 0 }
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
        self.on = if on { self.on | 1 << at } else { self.on & !(1 << at) };
        self.chosen |= 1 << at;
        Ok(())
    }

    /// Turns a plugin off, unless somebody asked for it.
    pub(crate) fn leave_out(&mut self, name: &str) {
        if let Some(at) = position(name)
            && self.chosen & 1 << at == 0
        {
            self.on &= !(1 << at);
        }
    }

    pub(crate) fn has(self, name: &str) -> bool {
        position(name).is_some_and(|at| self.on & 1 << at != 0)
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
        plugins.leave_out("ServiceAccount");
        assert!(!plugins.has("ServiceAccount"));
        plugins.set("ServiceAccount", true).expect("known");
        plugins.leave_out("ServiceAccount");
        assert!(plugins.has("ServiceAccount"));
        let error = plugins.set("Foo", false).expect_err("unknown");
        assert_eq!(error.to_string(), "disable-admission-plugins plugin \"Foo\" is unknown");
    }
}
