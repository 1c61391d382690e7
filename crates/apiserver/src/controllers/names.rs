//! Which controllers run, by the names that kube-controller-manager gives them.
//!
//! Go counterpart: `cmd/kube-controller-manager/names` and the flag `--controllers`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use pintle_apimachinery::Error;

/// A controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    GarbageCollector,
    Namespace,
    RootCertificate,
    ServiceAccount,
}

/// Every controller: its name, and what it was or is called elsewhere.
const ALL: [(Name, &str, &[&str]); 4] = [
    (
        Name::GarbageCollector,
        "garbage-collector-controller",
        &["garbage-collector", "garbagecollector"],
    ),
    (Name::Namespace, "namespace-controller", &["namespace"]),
    (
        Name::RootCertificate,
        "root-ca-certificate-publisher-controller",
        &["root-ca-cert-publisher", "root-ca-certificate-publisher"],
    ),
    (Name::ServiceAccount, "serviceaccount-controller", &["serviceaccount"]),
];

/// A set of controllers that run beside the API server, in its process. Go: `--controllers`.
///
/// - `garbage-collector-controller` (`garbage-collector`) deletes what has lost its owners, and
///   does what the propagation policies `Foreground` and `Orphan` ask for.
/// - `namespace-controller` (`namespace`) empties a namespace that is being deleted, tells in its
///   conditions what remains, and ends it.
/// - `serviceaccount-controller` (`serviceaccount`) gives every namespace the ServiceAccount
///   `default`.
/// - `root-ca-certificate-publisher-controller` (`root-ca-cert-publisher`) gives every namespace
///   the ConfigMap `kube-root-ca.crt`.
///
/// Definitions of custom resources are taken through their life without any of them: that is part
/// of the API server. No other controller of Kubernetes runs: a Deployment gets no Pods.
///
/// # Example: only one
/// ```
/// use pintle_apiserver::{ApiServer, Controllers};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let only: Controllers = "garbage-collector".parse()?;
/// assert!(only.contains("garbage-collector-controller") && !only.contains("namespace"));
/// let server = ApiServer::builder().controllers(only).start().await?;
/// # server.shutdown().await;
///
/// let error = "garbage-collector,deployment".parse::<Controllers>().unwrap_err();
/// assert!(error.to_string().contains("\"deployment\""));
/// # Ok::<(), pintle_apimachinery::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controllers(BTreeSet<Name>);

impl Controllers {
    /// Every controller there is here.
    pub fn all() -> Self {
        Controllers(ALL.iter().map(|(name, ..)| *name).collect())
    }

    /// None, as in Go's envtest.
    pub fn none() -> Self {
        Controllers(BTreeSet::new())
    }

    /// The names of all controllers there are here, as kube-controller-manager has them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ALL.iter().map(|(_, name, _)| *name)
    }

    /// One more.
    ///
    /// # Errors
    /// There is no controller of that name here ([`Error::is_invalid_argument`]); the message
    /// tells which there are.
    pub fn with(mut self, name: &str) -> Result<Self, Error> {
        self.0.insert(find(name)?);
        Ok(self)
    }

    /// One less.
    ///
    /// # Errors
    /// As [`Controllers::with`].
    pub fn without(mut self, name: &str) -> Result<Self, Error> {
        self.0.remove(&find(name)?);
        Ok(self)
    }

    /// Whether a controller is in the set; not for a name that no controller here has.
    pub fn contains(&self, name: &str) -> bool {
        find(name).is_ok_and(|name| self.0.contains(&name))
    }

    pub(super) fn has(&self, name: Name) -> bool {
        self.0.contains(&name)
    }
}

fn find(wanted: &str) -> Result<Name, Error> {
    let named =
        |(_, name, others): &&(Name, &str, &[&str])| *name == wanted || others.contains(&wanted);
    ALL.iter().find(named).map(|(name, ..)| *name).ok_or_else(|| {
        let known: Vec<_> = Controllers::names().collect();
        Error::invalid(format!(
            "{wanted:?} is no controller of this server; there are: {}",
            known.join(", ")
        ))
    })
}

/// All of them.
impl Default for Controllers {
    fn default() -> Self {
        Controllers::all()
    }
}

/// `all` or `*`, `none`, or names with commas between them; `-name` takes one away.
impl FromStr for Controllers {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut set = Controllers::none();
        for part in text.split(',').map(str::trim) {
            set = match part {
                "" | "none" => set,
                "all" | "*" => Controllers(set.0.into_iter().chain(Controllers::all().0).collect()),
                part => match part.strip_prefix('-') {
                    Some(name) => set.without(name)?,
                    None => set.with(part)?,
                },
            };
        }
        Ok(set)
    }
}

/// Their names with commas between them, or `none`.
impl fmt::Display for Controllers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ALL.iter().filter(|(name, ..)| self.has(*name)).map(|(_, name, _)| *name);
        let names: Vec<_> = names.collect();
        f.write_str(if names.is_empty() { "none" } else { "" })?;
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let set: Controllers = text.parse().expect("known names");
        assert_eq!(set.to_string(), expect, "{text}");
    }

    #[test]
    fn sets_are_read_as_the_flag_is() {
        let all = "garbage-collector-controller,namespace-controller,\
                   root-ca-certificate-publisher-controller,serviceaccount-controller";
        check("all", all);
        check("*", all);
        check("none", "none");
        check("", "none");
        check("namespace", "namespace-controller");
        check(
            "serviceaccount, garbagecollector",
            "garbage-collector-controller,serviceaccount-controller",
        );
        check(
            "*,-namespace,-root-ca-cert-publisher,-serviceaccount",
            "garbage-collector-controller",
        );
        for text in ["deployment", "*,-deployment", "all,nope", "-"] {
            let error = text.parse::<Controllers>().expect_err(text);
            assert!(error.is_invalid_argument() && error.to_string().contains("there are: "));
        }
    }
}
