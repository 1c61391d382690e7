//! Listing in pages (Go: `tools/pager`).

use super::Api;
use crate::Error;
use futures_core::Stream;
use pintle_apimachinery::{Codec, ListOptions, Object, ObjectList};

/// The size of a page where the caller names none.
const PAGE: i64 = 500;

impl<T: Object + Codec> Api<T> {
    /// Lists in pages of `options.limit` objects, 500 if that is 0. All pages show the objects as
    /// they were at one moment.
    ///
    /// A server keeps that moment for some minutes. When it has expired, the stream ends with an
    /// error for which [`is_expired`](Error::is_expired) holds: the pages before are of use only
    /// for themselves. [`list_all`](Self::list_all) handles it.
    ///
    /// # Example: count without holding all objects
    /// ```no_run
    /// # use futures_util::TryStreamExt;
    /// # use pintle_apimachinery::{ListOptions, Resource};
    /// # async fn f<Pod: Resource>(client: pintle_client::Client) -> Result<(), pintle_client::Error> {
    /// let pods = client.all::<Pod>();
    /// let mut pages = std::pin::pin!(pods.pages(&ListOptions::default().limit(100)));
    /// let mut count = 0;
    /// while let Some(page) = pages.try_next().await? {
    ///     count += page.items.len();
    /// }
    /// # Ok(()) }
    /// ```
    pub fn pages(
        &self,
        options: &ListOptions,
    ) -> impl Stream<Item = Result<ObjectList<T>, Error>> + Send + use<T> {
        let mut options = options.clone();
        if options.limit == 0 {
            options.limit = PAGE;
        }
        futures_util::stream::unfold(Some((self.clone(), options)), |next| async {
            let (api, mut options) = next?;
            match api.list(&options).await {
                Ok(page) => {
                    let next = follow(&mut options, page.continue_token());
                    Some((Ok(page), next.then_some((api, options))))
                }
                Err(e) => Some((Err(e), None)),
            }
        })
    }

    /// Lists all objects that match, asking for them in pages. When the pages expire on the way,
    /// lists once more without pages.
    ///
    /// # Errors
    /// See [`Api`].
    pub async fn list_all(&self, options: &ListOptions) -> Result<ObjectList<T>, Error> {
        let mut paged = options.clone();
        if paged.limit == 0 {
            paged.limit = PAGE;
        }
        let mut all: Option<ObjectList<T>> = None;
        loop {
            let page = match self.list(&paged).await {
                Err(e) if e.is_expired() && all.is_some() => {
                    let mut whole = options.clone();
                    whole.limit = 0;
                    whole.continue_token = Default::default();
                    return self.list(&whole).await;
                }
                other => other?,
            };
            let more = follow(&mut paged, page.continue_token());
            let all = match &mut all {
                Some(all) => {
                    all.items.extend(page.items);
                    all
                }
                None => all.insert(page),
            };
            if !more {
                let mut all = std::mem::take(all);
                all.metadata.continue_ = Default::default();
                all.metadata.remaining_item_count = None;
                return Ok(all);
            }
        }
    }
}

/// Turns the options into those of the next page; whether there is one. The token holds the
/// resource version.
fn follow(options: &mut ListOptions, token: &str) -> bool {
    options.continue_token = token.into();
    options.resource_version = Default::default();
    options.resource_version_match = Default::default();
    !token.is_empty()
}
