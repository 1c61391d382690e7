//! Lists: at which revision, which page, which objects.
//!
//! Go counterpart: `k8s.io/apiserver/pkg/storage` (`cacher` and `etcd3`).

use std::future::poll_fn;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::options::{ListOptions, Match, list_options, parse_uint};
use super::{Answer, Item, Reply, Request};
use crate::core::Core;
use crate::selector::Selector;
use crate::status::{ApiError, ApiResult, quote};
use crate::storage::{Range, Revision, Storage, StorageError};

/// A list, or a page of it.
pub(crate) struct Page {
    pub(crate) items: Vec<Item>,
    pub(crate) revision: Revision,
    pub(crate) continue_token: String,
    pub(crate) remaining: Option<usize>,
}

const EXPIRED: &str = "The resourceVersion for the provided list is too old.";

const EXPIRED_CONTINUE: &str = "The provided continue parameter is too old to display a \
    consistent list result. You can start a new list without the continue parameter, or use the \
    continue token in this response to retrieve the remainder of the results. Continuing with the \
    provided token results in an inconsistent list - objects that were created, modified, or \
    deleted between the time the first chunk was returned and now may show up in the list.";

impl Request<'_> {
    /// The keys a list or watch is about.
    pub(crate) fn range(&self) -> Range {
        Range::prefix(&self.prefix())
    }

    fn prefix(&self) -> String {
        match self.namespace() {
            "" => self.resource.prefix.clone(),
            namespace => format!("{}{namespace}/", self.resource.prefix),
        }
    }

    pub(crate) fn selector(&self) -> ApiResult<Selector> {
        let (labels, fields) = (self.query.get("labelSelector"), self.query.get("fieldSelector"));
        let mut selector = Selector::parse(labels, fields, self.resource)?;
        if !self.info.name.is_empty() {
            selector.also_named(&self.info.name);
        }
        Ok(selector)
    }

    /// Lists what the query asks for.
    ///
    /// # Cancel safety
    /// Nothing is changed.
    pub(crate) async fn list(&self) -> ApiResult<Answer> {
        let selector = self.selector()?;
        let options = list_options(self.query, false)?;
        let page = if options.continue_token.is_empty() {
            self.first_page(&selector, &options).await?
        } else {
            self.next_page(&selector, &options)?
        };
        Ok(Reply::List(page).into())
    }

    async fn first_page(&self, selector: &Selector, options: &ListOptions) -> ApiResult<Page> {
        let version = match options.version.as_str() {
            "" => None,
            text => Some(text.parse::<Revision>().map_err(|_| {
                ApiError::bad_request(format!(
                    "invalid resource version: resourceVersion: Invalid value: {}: {}",
                    quote(text),
                    parse_uint(text)
                ))
            })?),
        };
        // A limit with a revision but no match means exactly that revision.
        let exact = options.matching == Match::Exact
            || (options.matching == Match::Unset
                && options.limit > 0
                && version.is_some_and(|v| v > 0));
        // Any revision will do for 0, and then the whole list is at hand: no pages.
        let limit = if version == Some(0) { 0 } else { options.limit };
        wait_for(self.core, version).await?;
        let revision = version.filter(|_| exact);
        self.page(selector, &self.prefix(), revision, limit)
            .map_err(|error| self.storage_error(error, version.unwrap_or(0), EXPIRED))
    }

    fn next_page(&self, selector: &Selector, options: &ListOptions) -> ApiResult<Page> {
        let prefix = self.prefix();
        let invalid =
            |error: String| ApiError::bad_request(format!("invalid continue token: {error}"));
        let (key, token_revision) =
            decode_continue(&options.continue_token, &prefix).map_err(invalid)?;
        if !matches!(options.version.as_str(), "" | "0") {
            return Err(ApiError::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        // A negative revision is an inconsistent continuation: from this key, as things are now.
        let revision = Revision::try_from(token_revision).ok();
        // With version 0 the whole rest is at hand, as with a first page.
        let limit = if options.version == "0" { 0 } else { options.limit };
        self.page(selector, &key, revision, limit).map_err(|error| {
            let error = self.storage_error(error, revision.unwrap_or(0), EXPIRED_CONTINUE);
            if error.code() == 410 {
                let start = key.strip_prefix(prefix.as_str()).unwrap_or_default();
                error.with_continue(encode_token(start, -1))
            } else {
                error
            }
        })
    }

    fn storage_error(&self, error: StorageError, wanted: Revision, expired: &str) -> ApiError {
        match error {
            StorageError::Compacted { .. } => ApiError::expired(expired),
            StorageError::Future { current } => {
                ApiError::too_large_resource_version(wanted, current)
            }
            StorageError::Cancelled => ApiError::unavailable(error.to_string()),
        }
    }

    /// Reads objects from `start` on until `limit` of them match.
    fn page(
        &self,
        selector: &Selector,
        start: &str,
        revision: Option<Revision>,
        limit: usize,
    ) -> Result<Page, StorageError> {
        let prefix = self.prefix();
        let whole = Range::prefix(&prefix);
        let mut range = Range { start: start.to_owned(), end: whole.end };
        let (mut items, mut at) = (Vec::new(), revision);
        let mut page =
            Page { items: Vec::new(), revision: 0, continue_token: String::new(), remaining: None };
        loop {
            let wanted = if limit == 0 { 0 } else { limit - items.len() };
            let response = self.core.store.range(&range, at, wanted)?;
            at = Some(response.revision);
            page.revision = response.revision;
            let last = response.kvs.last().map(|entry| Arc::clone(&entry.key));
            let matching =
                response.kvs.iter().filter(|entry| selector.matches(&entry.value.summary));
            items.extend(matching.map(Item::of));
            let (true, Some(last)) = (response.more, last) else { break };
            range.start = format!("{last}\0");
            if items.len() >= limit {
                let start = range.start.strip_prefix(prefix.as_str()).unwrap_or_default();
                let token_revision = i64::try_from(page.revision).unwrap_or(i64::MAX);
                page.continue_token = encode_continue(start, token_revision);
                if selector.is_empty() {
                    page.remaining = Some(response.count - response.kvs.len());
                }
                break;
            }
        }
        page.items = items;
        Ok(page)
    }
}

/// A token for the rest of a list: `start` is the key after the prefix.
fn encode_continue(start: &str, revision: i64) -> String {
    encode_token(&format!("/{start}"), revision)
}

fn encode_token(start: &str, revision: i64) -> String {
    let token = json!({"v": "meta.k8s.io/v1", "rv": revision, "start": start});
    URL_SAFE_NO_PAD.encode(token.to_string())
}

fn decode_continue(token: &str, prefix: &str) -> Result<(String, i64), String> {
    let generic = |detail: String| format!("continue key is not valid: {detail}");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|error| {
        let at = match error {
            base64::DecodeError::InvalidByte(at, _)
            | base64::DecodeError::InvalidLastSymbol(at, _) => at,
            _ => token.len(),
        };
        generic(format!("illegal base64 data at input byte {at}"))
    })?;
    let token: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| {
        generic(crate::go_json::syntax(&bytes).unwrap_or_else(|| error.to_string()))
    })?;
    let version = token.get("v").and_then(|v| v.as_str()).unwrap_or_default();
    if version != "meta.k8s.io/v1" {
        return Err(format!(
            "continue key is not valid: server does not recognize this encoded version {version}"
        ));
    }
    let revision = token.get("rv").and_then(|rv| rv.as_i64()).unwrap_or(0);
    if revision == 0 {
        return Err("continue key is not valid: incorrect encoded start resourceVersion (version \
                    meta.k8s.io/v1)"
            .to_owned());
    }
    let start = token.get("start").and_then(|start| start.as_str()).unwrap_or_default();
    if start.is_empty() {
        return Err("continue key is not valid: encoded start key empty (version \
                    meta.k8s.io/v1)"
            .to_owned());
    }
    let key = start.strip_prefix('/').unwrap_or(start);
    // Nothing above the prefix can be reached.
    if key.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(generic(start.to_owned()));
    }
    Ok((format!("{prefix}{key}"), revision))
}

/// Waits until a revision has happened, for a while.
///
/// # Errors
/// 504 with the cause `ResourceVersionTooLarge`.
///
/// # Cancel safety
/// Nothing is changed.
pub(crate) async fn wait_for(core: &Core, version: Option<Revision>) -> ApiResult<()> {
    let Some(wanted) = version else { return Ok(()) };
    if wanted <= core.store.revision() {
        return Ok(());
    }
    let arrive = async {
        let Ok(mut watcher) = core.store.watch(Range::all(), wanted) else { return };
        while core.store.revision() < wanted {
            if poll_fn(|cx| watcher.poll_events(cx, 1)).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = arrive => {}
        () = core.timers.after(core.settings.future_wait) => {}
    }
    match core.store.revision() {
        current if current < wanted => Err(ApiError::too_large_resource_version(wanted, current)),
        _ => Ok(()),
    }
}
