//! Whatever happens to three machines, to their lead and to PostgreSQL, in an order that a seed draws: all machines come to the
//! same ledger, and nothing that was acknowledged is lost.

use std::collections::BTreeMap;

use cvco_trial::simulate::Dice;

use crate::machines::Machines;
use crate::postgres::Postgres;
use crate::support::Settings;
use crate::traffic::{LOGGED, STORED, Traffic};

/// What happens under traffic; each once in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    DatabaseDies,
    LeaderDies,
    LeaderStops,
    AnyMachineDies,
}

const EVENTS: [Event; 4] =
    [Event::DatabaseDies, Event::LeaderDies, Event::LeaderStops, Event::AnyMachineDies];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_all_machines_have_the_same_ledger_and_nothing_is_lost_or_doubled() {
    let Some(mut server) = Postgres::start("") else { return };
    let (rounds, seed) = (number("CLUSTER_ROUNDS").unwrap_or(1), number("CLUSTER_SEED").unwrap_or(1));
    let mut dice = Dice::new(seed);
    // Payments that lack a part are told at once, by whoever leads.
    let settings = Settings { complement_grace: "1s", ..Settings::default() };
    let mut machines = Machines::start_at(3, &server.url(), &settings).await;
    let traffic = Traffic::mixed(seed);
    let mut happened = Vec::new();
    for _ in 0..rounds {
        let mut events = EVENTS;
        dice.shuffle(&mut events);
        for event in events {
            happened.push(event);
            let any = usize::try_from(dice.below(3)).expect("one of three");
            let senders = traffic.send_to(&machines);
            traffic.flows(40).await;
            let gone = happens(event, any, &mut machines, &mut server).await;
            traffic.flows(40).await;
            traffic.end(senders);
            if let Some(gone) = gone {
                machines.all[gone].restart();
            }
        }
    }
    // The ledgers stand still once all is told that is owed.
    machines.all[0].until("SELECT count(*) FROM owed WHERE done_at IS NULL", &["0"]).await;
    machines.agree(&server).await;
    machines.ledgers_are_equal().await;
    let played = format!("CLUSTER_SEED={seed} CLUSTER_ROUNDS={rounds}: {happened:?}");
    for machine in &machines.all {
        assert_eq!(traffic.lost(&machine.rows(STORED)), [""; 0], "{played}");
    }
    assert_eq!(traffic.doubled(&server.rows(LOGGED)), [""; 0], "{played}");
    let mails = machines.all.iter().flat_map(|machine| machine.mailbox.mails());
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for id in mails.filter_map(|mail| mail.message_id().map(str::to_owned)) {
        *times.entry(id).or_default() += 1;
    }
    assert!(!times.is_empty(), "this test could not tell: {played}");
    // Whoever leads next repeats at most the one mail of which nobody had said yet that it left.
    let repeated: usize = times.values().map(|times| times - 1).sum();
    assert!(repeated <= happened.len(), "{repeated} mails were repeated: {played}");
    for machine in &machines.all {
        assert!(machine.out(&["verify"]).starts_with("tout est juste"), "{played}");
    }
}

/// Makes it happen; the machine that is gone then.
async fn happens(event: Event, any: usize, machines: &mut Machines, server: &mut Postgres) -> Option<usize> {
    let gone = match event {
        Event::DatabaseDies => {
            server.kill();
            server.run();
            return None;
        }
        Event::AnyMachineDies => any,
        Event::LeaderDies | Event::LeaderStops => machines.leader(server).await,
    };
    if event == Event::LeaderStops {
        machines.stop(gone);
    } else {
        machines.all[gone].kill();
    }
    Some(gone)
}

#[expect(clippy::disallowed_methods, reason = "a test program has no configuration file")]
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text}: a number is wanted")))
}
