//! Many worlds, one for each seed, on all processors; and what a person reads when one of them is not as it should be.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::cents::Counted;
use crate::world::{Hardship, World};

/// Lives through so many seeds from `first` on, or until patience is at its end; how many, and what was counted in them, or
/// the story of one that fails.
pub(crate) fn live(first: u64, count: u64, patience: Option<Duration>) -> Result<(u64, Counted), String> {
    let began = Instant::now();
    let next = AtomicU64::new(0);
    let failed: Mutex<Option<u64>> = Mutex::new(None);
    let all: Mutex<Counted> = Mutex::new(Counted::default());
    let worker = || {
        while patience.is_none_or(|patience| began.elapsed() < patience) {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            if turn >= count {
                break;
            }
            let seed = first.wrapping_add(turn);
            let lived = World::draw(seed).live();
            {
                let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                all.orders += lived.counted.orders;
                all.decided += lived.counted.decided;
            }
            if !lived.wrong.is_empty() {
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
        None => Ok((next.into_inner().min(count), all.into_inner().unwrap_or_else(PoisonError::into_inner))),
        Some(seed) => Err(story(seed)),
    }
}

/// The story of a seed that fails, told with as few of its orders and hardships as it takes.
fn story(seed: u64) -> String {
    let fails = |world: &World| !world.live().wrong.is_empty();
    let mut world = World::draw(seed);
    let mut place = 0;
    while world.orders.len() > 1 && place < world.orders.len() {
        let smaller = world.without(place);
        if fails(&smaller) {
            world = smaller;
        } else {
            place += 1;
        }
    }
    let mut spared = Vec::new();
    for hardship in Hardship::ALL {
        let easier = world.spared(hardship);
        if fails(&easier) {
            world = easier;
            spared.push(hardship);
        }
    }
    let troubles = world.live().wrong.join("\n");
    format!(
        "WORLD_SEED={seed} cargo test --locked -p cvco-ledger --test world\n\nspared {spared:?} it is still wrong:\n{troubles}"
    )
}
