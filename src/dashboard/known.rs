//! What takes long to find out about a large ledger: what is known is shown while newer is found out beside the calls of people,
//! and no call waits for more than the first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cvco_domain::Seq;
use cvco_ledger::{LedgerError, Reader};

use super::Dashboard;
use super::refusal::Refusal;

/// It is found out again after so many times what that takes: so it costs a thread no more than a tenth of its time.
const REST: u32 = 10;

/// What takes no longer is found out at once.
const QUICK: Duration = Duration::from_millis(20);

/// What is known, by what it is about.
#[derive(Debug)]
pub(super) struct Known<K, T> {
    found: Mutex<BTreeMap<K, Found<T>>>,
    /// What is being found out again.
    under_way: Mutex<BTreeSet<K>>,
}

/// What was found out.
#[derive(Debug, Clone)]
pub(super) struct Found<T> {
    pub(super) value: T,
    /// Of what.
    folded: Seq,
    done: Instant,
    took: Duration,
}

impl<K, T> Default for Known<K, T> {
    fn default() -> Self {
        Self { found: Mutex::default(), under_way: Mutex::default() }
    }
}

impl<T> Found<T> {
    /// Whether it is of all that was folded by now, or hardly older than it takes to find out.
    pub(super) fn is_current(&self, folded: Seq) -> bool {
        self.folded == folded || self.done.elapsed() < self.took.saturating_mul(REST)
    }
}

impl Dashboard {
    /// What is known of `key`, unless it does not hold any more. `place`: where it is kept.
    pub(super) async fn known<K, T>(
        self: &Arc<Self>,
        place: fn(&Self) -> &Known<K, T>,
        key: K,
        holds: impl FnOnce(&T) -> bool,
        find: impl FnOnce(&Reader) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<Found<T>, Refusal>
    where
        K: Ord + Clone + Send + 'static,
        T: Clone + Send + 'static,
    {
        let folded = self.admin.followed.position().borrow().seq;
        let known = lock(&place(self).found).get(&key).cloned().filter(|known| holds(&known.value));
        match known {
            Some(known) if known.is_current(folded) => Ok(known),
            Some(known) if known.took > QUICK => {
                if lock(&place(self).under_way).insert(key.clone()) {
                    let dashboard = Arc::clone(self);
                    tokio::spawn(async move {
                        // Whoever asks next is told of trouble.
                        drop(dashboard.find(place, key.clone(), find).await);
                        lock(&place(&dashboard).under_way).remove(&key);
                    });
                }
                Ok(known)
            }
            Some(_) | None => self.find(place, key, find).await,
        }
    }

    async fn find<K, T>(
        &self,
        place: fn(&Self) -> &Known<K, T>,
        key: K,
        find: impl FnOnce(&Reader) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<Found<T>, Refusal>
    where
        K: Ord,
        T: Clone + Send + 'static,
    {
        let began = Instant::now();
        let (folded, value) = self.read(move |reader| Ok((reader.folded()?.0, find(reader)?))).await?;
        let found = Found { value, folded, done: Instant::now(), took: began.elapsed() };
        lock(&place(self).found).insert(key, found.clone());
        Ok(found)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
