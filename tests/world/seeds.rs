//! Many worlds, one for each seed, on all processors; and what a person reads when one of them is not as it should be.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::world::World;

/// Lives through so many seeds from `first` on, or until patience is at its end; how many, or the story of one that
/// fails.
pub(crate) fn live(first: u64, count: u64, patience: Option<Duration>) -> Result<u64, String> {
    let began = Instant::now();
    let next = AtomicU64::new(0);
    let failed: Mutex<Option<u64>> = Mutex::new(None);
    let worker = || {
        while patience.is_none_or(|patience| began.elapsed() < patience) {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            if turn >= count {
                break;
            }
            let seed = first.wrapping_add(turn);
            if !World::draw(seed).live().is_empty() {
                let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                *failed = Some(failed.map_or(seed, |known| known.min(seed)));
                next.store(count, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(worker);
        }
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        None => Ok(next.into_inner().min(count)),
        Some(seed) => Err(story(seed)),
    }
}

/// The story of a seed that fails, told with as few of its orders as it takes.
fn story(seed: u64) -> String {
    let mut world = World::draw(seed);
    let mut place = 0;
    while world.orders.len() > 1 && place < world.orders.len() {
        let smaller = world.without(place);
        if smaller.live().is_empty() {
            place += 1;
        } else {
            world = smaller;
        }
    }
    let troubles = world.live().join("\n");
    format!("WORLD_SEED={seed} cargo test --locked -p cvco-ledger --test world\n\n{troubles}")
}
