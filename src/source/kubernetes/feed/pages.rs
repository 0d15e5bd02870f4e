//! Lists in pages, for API servers that do not stream them.

use kube::core::params::ListParams;
use tokio::time::Instant;

use super::{End, Feed};
use crate::apiserver::ApiError;
use crate::source::kubernetes::Link;
use crate::source::kubernetes::list::List;

impl Feed {
    /// Lists everything and returns the version from which on to watch.
    pub(super) async fn list_pages(&mut self) -> Result<String, End> {
        self.board.tell(|feed| feed.link = Link::Listing);
        match self.all_pages(self.limits.page_size).await {
            // A list that takes longer than its first page is remembered: take it in one piece.
            Err(End::Expired(error)) => {
                tracing::info!(source = "kubernetes", watch = self.name(), %error, "pages expired: listing at once");
                self.all_pages(0).await
            }
            done => done,
        }
    }

    /// `size` 0: one page.
    async fn all_pages(&mut self, size: u32) -> Result<String, End> {
        let mut list = List::default();
        let mut params = ListParams::default();
        if size > 0 {
            params = params.limit(size);
        }
        loop {
            let page = match self.get(&params).await {
                Ok(page) => page,
                Err(error) => {
                    let end = self.failed(error);
                    if matches!(end, End::Absent) {
                        self.conclude_absent().await?;
                    }
                    return Err(end);
                }
            };
            let mut changes = Vec::new();
            for raw in page.items.into_iter().flatten() {
                changes.append(&mut list.take(self.resource, &raw));
            }
            self.outlet.send(changes, Vec::new()).await?;
            self.board.note(|feed| feed.heard = Some(Instant::now()));
            match page.metadata.next.filter(|token| !token.is_empty()) {
                Some(token) if size > 0 => params = params.continue_token(&token),
                Some(_) => {
                    return Err(End::Failed(ApiError::Garbled(
                        "a list goes on that was to be whole".to_owned(),
                    )));
                }
                None if page.metadata.resource_version.is_empty() => {
                    return Err(End::Failed(ApiError::Garbled("a list has no resourceVersion".to_owned())));
                }
                None => {
                    let version = page.metadata.resource_version;
                    self.conclude(list, &version).await?;
                    return Ok(version);
                }
            }
        }
    }
}
