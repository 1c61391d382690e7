//! Addresses and ports for Services, free of those that others have.

use std::sync::{MutexGuard, PoisonError};

use super::Request;
use crate::kinds::addresses::{Taken, give};
use crate::object::{Object, metadata, text};
use crate::registry::name_of;
use crate::status::{ApiError, ApiResult};
use crate::storage::{Range, Storage};

impl Request<'_> {
    /// Gives a Service its addresses and ports. What is answered is held until the Service is
    /// stored, so that no other is given the same.
    pub(crate) fn give_addresses(
        &self,
        service: &mut Object,
        old: Option<&Object>,
    ) -> ApiResult<Option<MutexGuard<'_, ()>>> {
        let resource = self.resource;
        if (resource.group.as_str(), resource.plural.as_str()) != ("", "services") {
            return Ok(None);
        }
        let guard = self.core.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let own = (text(metadata(service), "namespace").to_owned(), name_of(service).to_owned());
        let mut taken = Taken::default();
        taken.ranges = self.core.settings.ranges;
        let all = Range::prefix(&resource.prefix);
        let all = self.core.store.range(&all, None, 0).map(|found| found.kvs).unwrap_or_default();
        for entry in all {
            let other = entry.value.object(None);
            let meta = metadata(&other);
            if (text(meta, "namespace"), text(meta, "name")) != (own.0.as_str(), own.1.as_str()) {
                taken.add(&other);
            }
        }
        let errors = give(service, old, &taken, &mut || self.core.random());
        if errors.is_empty() {
            return Ok(Some(guard));
        }
        Err(ApiError::invalid(&resource.group, &resource.kind, &own.1, &errors))
    }
}
