//! Which resource a kind is, as the server says (Go: `GetAPIGroupResources` and
//! `DeferredDiscoveryRESTMapper` of `client-go/restmapper`).

use crate::{ApiResource, Client, Error};
use futures_util::future::join_all;
use pintle_apimachinery::meta::{
    DiscoveryRestMapper, GroupResources, RestMapper, RestMapping, RestScope, discovery_rest_mapper,
};
use pintle_apimachinery::{GroupKind, GroupVersionKind, GroupVersionResource};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

impl Client {
    /// All groups and what there is in their versions, in the server's order. A version that
    /// cannot be asked is left out, as one whose server is down is (Go: `GetAPIGroupResources`).
    ///
    /// # Errors
    /// The server did not say what groups there are, or there is no version that could be asked.
    pub async fn group_resources(&self) -> Result<Vec<GroupResources>, Error> {
        let groups = self.api_groups().await?;
        let versions = groups.iter().flat_map(|group| group.versions.iter());
        let ask = versions.map(|version| self.api_resources(&version.group_version));
        let mut answers = join_all(ask).await.into_iter();
        let (mut all, mut problem, mut any) = (Vec::new(), None, false);
        for group in groups {
            let mut resources = BTreeMap::new();
            for version in &group.versions {
                match answers.next() {
                    Some(Ok(list)) => {
                        any = true;
                        resources.insert(version.version.clone(), list.resources);
                    }
                    Some(Err(error)) => problem = problem.or(Some(error)),
                    None => {}
                }
            }
            all.push(GroupResources { group, resources });
        }
        match problem {
            Some(error) if !any => Err(error.context("no API version could be asked")),
            _ => Ok(all),
        }
    }

    /// A mapper that asks the server when it is first used, and again when something is not known.
    pub fn rest_mapper(&self) -> DeferredRestMapper {
        DeferredRestMapper { client: self.clone(), known: Arc::default() }
    }
}

/// Knows which resource a kind is, from the server. Clones share what they know.
///
/// The server is asked when that is first needed, and anew, once for a call, when a kind or resource
/// is not among what was known before the call: so definitions that came later are found.
/// [`mapper`](Self::mapper) is what is known now, for asking several things without waiting.
///
/// # Example: what does a server call its deployments?
/// ```no_run
/// use pintle_apimachinery::{GroupKind, GroupVersionResource};
///
/// # async fn f(client: pintle_client::Client) -> Result<(), pintle_client::Error> {
/// let mapper = client.rest_mapper();
/// let mapping = mapper.rest_mapping(&GroupKind::new("apps", "Deployment"), &[]).await?;
/// println!("{} {:?}", mapping.resource, mapping.scope);
/// let kind = mapper.kind_for(&GroupVersionResource::new("", "", "deploy")).await;
/// assert!(kind.unwrap_err().is_no_match()); // short names are not resources
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct DeferredRestMapper {
    client: Client,
    known: Arc<Mutex<Option<Arc<DiscoveryRestMapper>>>>,
}

impl DeferredRestMapper {
    fn known(&self) -> MutexGuard<'_, Option<Arc<DiscoveryRestMapper>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn learn(&self) -> Result<Arc<DiscoveryRestMapper>, Error> {
        let mapper = Arc::new(discovery_rest_mapper(&self.client.group_resources().await?));
        *self.known() = Some(mapper.clone());
        Ok(mapper)
    }

    /// What is known now; asks the server if that is nothing yet.
    ///
    /// # Errors
    /// The server did not say what there is.
    ///
    /// # Cancel safety
    /// Cancel safe: what was known stays known.
    pub async fn mapper(&self) -> Result<Arc<DiscoveryRestMapper>, Error> {
        let known = self.known().clone();
        match known {
            Some(mapper) => Ok(mapper),
            None => self.learn().await,
        }
    }

    /// Forgets what is known, so that the next call asks the server.
    pub fn reset(&self) {
        *self.known() = None;
    }

    /// What `ask` says of what is known; if that is no match, and was known before, then of what
    /// the server says now.
    ///
    /// # Errors
    /// That of `ask`, or the server did not say what there is.
    ///
    /// # Cancel safety
    /// Cancel safe: what was known stays known.
    pub async fn ask<T>(
        &self,
        ask: impl Fn(&DiscoveryRestMapper) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let known = self.known().clone();
        let Some(known) = known else { return ask(&*self.learn().await?) };
        match ask(&known) {
            Err(error) if error.is_no_match() => ask(&*self.learn().await?),
            answer => answer,
        }
    }

    /// The one kind of a resource; see [`RestMapper::kind_for`].
    ///
    /// # Errors
    /// There is none, or there are several, or the server did not say what there is.
    pub async fn kind_for(
        &self,
        resource: &GroupVersionResource,
    ) -> Result<GroupVersionKind, Error> {
        self.ask(|mapper| mapper.kind_for(resource)).await
    }

    /// The one resource of this name, in full; see [`RestMapper::resource_for`].
    ///
    /// # Errors
    /// There is none, or there are several, or the server did not say what there is.
    pub async fn resource_for(
        &self,
        resource: &GroupVersionResource,
    ) -> Result<GroupVersionResource, Error> {
        self.ask(|mapper| mapper.resource_for(resource)).await
    }

    /// How a kind is served; see [`RestMapper::rest_mapping`].
    ///
    /// # Errors
    /// It is not, or in several ways, or the server did not say what there is.
    pub async fn rest_mapping(
        &self,
        kind: &GroupKind,
        versions: &[&str],
    ) -> Result<RestMapping, Error> {
        self.ask(|mapper| mapper.rest_mapping(kind, versions)).await
    }

    /// How a server serves a kind, for [`Client::dynamic`].
    ///
    /// # Errors
    /// As [`rest_mapping`](Self::rest_mapping).
    pub async fn find(&self, kind: &GroupVersionKind) -> Result<ApiResource, Error> {
        let RestMapping { resource, kind, scope } =
            self.rest_mapping(&kind.group_kind(), &[&kind.version]).await?;
        let make = match scope {
            RestScope::Namespace => ApiResource::namespaced,
            RestScope::Root => ApiResource::cluster_scoped,
        };
        Ok(make(&kind.group, &kind.version, &kind.kind, &resource.resource))
    }
}
