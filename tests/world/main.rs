//! A world to test against: shops, customers and PSPs, of which the truth is known.
mod daemon;
mod episodes;
mod history;
mod network;
mod order;
mod places;
mod registration;
mod seeds;
mod telling;
mod truth;
mod views;
mod world;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a whole number"))
}

#[test]
fn the_ledger_tells_the_truth() {
    let (first, count) = match setting("WORLD_SEED") {
        Some(seed) => (seed, 1),
        None => (0, setting("WORLD_SEEDS").unwrap_or(3_000)),
    };
    if let Err(story) = seeds::live(first, count) {
        panic!("{story}");
    }
}

#[test]
#[ignore = "temporary"]
fn survey() {
    let n = setting("WORLD_SEEDS").unwrap_or(2000);
    let t = std::time::Instant::now();
    let mut seen = std::collections::BTreeMap::new();
    for seed in 0..n {
        let w = world::World::draw(seed);
        if w.live().is_empty() {
            continue;
        }
        let story = seeds::live(seed, 1).unwrap_err();
        let key = story
            .lines()
            .find(|l| l.starts_with("order") || l.starts_with("told once more"))
            .unwrap_or("?")
            .split(": ")
            .last()
            .unwrap()
            .to_owned();
        seen.entry(key).or_insert_with(Vec::new).push((seed, story));
    }
    println!("{:?} for {n}", t.elapsed());
    for (k, v) in seen {
        println!("##### {k}: {} fail\n{}", v.len(), v[0].1);
    }
}

#[test]
#[ignore = "temporary"]
fn probe() {
    use cvco_reconciled::ledger::Store;
    let _ = &*places::KEY;
    let t = std::time::Instant::now();
    for _ in 0..200 {
        let s = Store::in_memory().unwrap();
        std::hint::black_box(&s);
    }
    println!("store {:?}", t.elapsed() / 200);
    let template = Store::in_memory().unwrap();
    let t = std::time::Instant::now();
    for _ in 0..200 {
        let mut c = rusqlite::Connection::open_in_memory().unwrap();
        {
            let b = rusqlite::backup::Backup::new(template.connection(), &mut c).unwrap();
            b.step(-1).unwrap();
        }
        std::hint::black_box(&c);
    }
    println!("backup {:?}", t.elapsed() / 200);
    let t = std::time::Instant::now();
    for i in 0..200u64 {
        std::hint::black_box(world::World::draw(i));
    }
    println!("draw {:?}", t.elapsed() / 200);
    let t = std::time::Instant::now();
    for i in 0..200u64 {
        world::World::draw(i).live();
    }
    println!("draw+live {:?}", t.elapsed() / 200);
}
