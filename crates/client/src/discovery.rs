//! What a server serves (Go: `discovery.DiscoveryClient`, without its caches).

use crate::path::{push_segment, segment_fault};
use crate::{ApiResource, Client, Error, Request};
use pintle_apimachinery::meta_v1::{
    APIGroup, APIGroupList, APIResourceList, APIVersions, GroupVersionForDiscovery,
};
use pintle_apimachinery::{Codec, Decoder, Format, GroupVersionKind, List, Str};
use std::time::Duration;

/// How long one of these requests may take.
const PATIENCE: Duration = Duration::from_secs(32);

/// What a server says of itself at `/version` (Go: `version.Info`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerVersion {
    /// Major version, `1`.
    pub major: String,
    /// Minor version; may end with `+`.
    pub minor: String,
    /// `v1.37.2`, with what a vendor adds.
    pub git_version: String,
    /// The commit it was built of.
    pub git_commit: String,
    /// `linux/amd64`.
    pub platform: String,
}

impl Client {
    /// The server's version.
    ///
    /// # Errors
    /// The server did not answer with one.
    pub async fn server_version(&self) -> Result<ServerVersion, Error> {
        let response = self.request(Request::get("/version").timeout(PATIENCE)).await?;
        let info = response.json().await?;
        let text = |field: &str| info[field].as_str().unwrap_or_default().to_owned();
        Ok(ServerVersion {
            major: text("major"),
            minor: text("minor"),
            git_version: text("gitVersion"),
            git_commit: text("gitCommit"),
            platform: text("platform"),
        })
    }

    /// The API groups with their versions, the core group (whose name is empty) first.
    ///
    /// # Errors
    /// The server did not answer with them.
    pub async fn api_groups(&self) -> Result<Vec<APIGroup>, Error> {
        let core: APIVersions = self.discover("/api".into()).await?;
        let versions: List<GroupVersionForDiscovery> = core
            .versions
            .iter()
            .map(|v| GroupVersionForDiscovery { group_version: v.clone(), version: v.clone() })
            .collect();
        let mut groups = Vec::new();
        if let Some(preferred) = versions.first().cloned() {
            let name = Str::default();
            groups.push(APIGroup {
                name,
                versions,
                preferred_version: preferred,
                ..Default::default()
            });
        }
        let others: APIGroupList = self.discover("/apis".into()).await?;
        groups.extend(others.groups.iter().cloned());
        Ok(groups)
    }

    /// The resources and subresources of a group version, `v1` or `apps/v1`.
    ///
    /// # Errors
    /// Not found when the server does not serve it.
    pub async fn api_resources(&self, group_version: &str) -> Result<APIResourceList, Error> {
        let mut path = String::from(if group_version.contains('/') { "/apis" } else { "/api" });
        for part in group_version.split('/') {
            if let Some(fault) = segment_fault("group version", part) {
                return Err(crate::error::invalid(fault));
            }
            path.push('/');
            push_segment(&mut path, part);
        }
        self.discover(path).await
    }

    /// How a server serves a kind, for [`dynamic`](Self::dynamic). Asks the server each time.
    ///
    /// # Errors
    /// Not found when the server does not serve the group version, or has no such kind in it.
    pub async fn find(&self, gvk: &GroupVersionKind) -> Result<ApiResource, Error> {
        let served = self.api_resources(&gvk.api_version()).await?;
        let is_main = |name: &str| !name.contains('/');
        let Some(r) = served.resources.iter().find(|r| r.kind == *gvk.kind && is_main(&r.name))
        else {
            let message = format!("the server has no kind {:?} in {}", gvk.kind, gvk.api_version());
            let status = pintle_apimachinery::Status::failure(404, "NotFound", message);
            return Err(Error::from_status(status));
        };
        let make = if r.namespaced { ApiResource::namespaced } else { ApiResource::cluster_scoped };
        Ok(make(&gvk.group, &gvk.version, &gvk.kind, &r.name))
    }

    async fn discover<R: Codec>(&self, path: String) -> Result<R, Error> {
        let request = Request::get(path).accept("application/json").timeout(PATIENCE);
        let response = self.request(request).await?;
        let asked = response.asked.clone();
        let bytes = response.bytes().await?;
        R::decode(&bytes, Format::Json, &mut Decoder::new()).map_err(|e| asked.blame(e))
    }
}
