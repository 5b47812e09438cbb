//! Other ways than e-mail to tell people: what a channel is for, what others are told of, and the summary of a week.

use super::*;

const NTFY: &str = "ntfy";

impl Book {
    fn next_on_channel(&self, at: Timestamp) -> Option<DueMail> {
        self.reader().next_mail(at, &Way::new(NTFY).expect("a channel"), &Pace::of(DIGEST)).expect("read")
    }

    fn send_on_channel(&mut self, at: Timestamp) -> Option<DueMail> {
        let due = self.next_on_channel(at)?;
        let message_id = format!("c{}@host", self.log.head().expect("a head").seq.next());
        let about = MailAbout::Discrepancies(due.items.clone());
        let way = Way::new(NTFY).expect("a channel");
        self.take_at(at, LogEntry::Telling(Telling { message_id: message_id.clone(), way, about }));
        self.take_at(at, told(&message_id));
        Some(due)
    }
}

pub(in crate::tests) fn urgent_of(shops: &[&str]) -> BTreeMap<Way, Audience> {
    let audience = Audience {
        severities: BTreeSet::from([Severity::Urgent]),
        shops: shops.iter().map(|id| shop(id)).collect(),
    };
    BTreeMap::from([(Way::new(NTFY).expect("a channel"), audience)])
}

#[test]
fn a_channel_is_told_what_it_is_for_beside_the_mail() {
    let mut book = Book::new();
    book.adopt(0, |policy| policy.channels = urgent_of(&[]));
    book.warn(0, "A");
    book.alarm(0, "B");
    let message = book.send_on_channel(minute(0)).expect("the urgent one");
    assert_eq!(items(&message), opened(&[2]));
    assert_eq!(book.next_on_channel(minute(60)), None, "no warnings");
    assert_eq!(book.send_all(minute(0)), [opened(&[2]), opened(&[1])], "each by mail as well");
    book.take(1, voucher("B", 6000).saying(ReportedState::Cancelled));
    let before = book.everything();
    book.rebuild();
    assert_eq!(book.everything(), before);
    assert_eq!(
        book.next_on_channel(minute(2)).map(|due| due.class),
        book.next_mail(minute(2)).map(|due| due.class)
    );
}

#[test]
fn a_channel_of_another_shop_is_not_told() {
    let mut book = Book::new();
    book.adopt(0, |policy| policy.channels = urgent_of(&["hotel"]));
    book.alarm(0, "B");
    assert_eq!(book.next_on_channel(minute(0)), None);
}

#[test]
fn what_waited_for_a_channel_that_is_gone_is_never_told() {
    let mut book = Book::new();
    book.adopt(0, |policy| policy.channels = urgent_of(&[]));
    book.alarm(0, "B");
    book.adopt(1, |policy| policy.channels.clear());
    assert_eq!(book.next_on_channel(minute(1)), None);
    assert_eq!(book.reader().queue().expect("read").len(), 1, "the mail");
    book.adopt(2, |policy| policy.channels = urgent_of(&[]));
    assert_eq!(book.next_on_channel(minute(2)), None);
}

#[test]
fn an_urgent_one_that_nobody_has_seen_goes_to_others_once() {
    let mut book = Book::new();
    book.adopt(0, |policy| policy.escalate_after = Some(Duration::from_hours(2)));
    book.alarm(0, "A");
    book.alarm(0, "B");
    book.warn(0, "C");
    assert_eq!(book.send_all(minute(0)), [opened(&[1]), opened(&[2]), opened(&[3])]);
    book.act(30, 2, Deed::Acknowledged);
    book.wait_until(120);
    let mail = book.next_mail(minute(120)).expect("an escalation");
    assert_eq!((items(&mail), mail.class), (vec![Item(News::Escalated, 1)], Class::Escalation));
    assert_eq!(book.send_all(minute(120)).len(), 1);
    book.wait_until(600);
    assert_eq!(book.send_all(minute(600)), [[]; 0], "once");
    let before = book.everything();
    book.rebuild();
    assert_eq!(book.everything(), before);
    // Who takes the mark back has not seen it.
    book.act(601, 2, Deed::Withdrawn);
    book.wait_until(601 + 120);
    assert_eq!(book.send_all(minute(721)), [[Item(News::Escalated, 2)]]);
}

#[test]
fn a_week_is_summed_up_on_monday_morning() {
    let mut book = Book::new();
    book.take(0, registered("A", 10_000));
    book.adopt(1, |policy| policy.weekly = true);
    let monday = minute(1).next_paris_monday(7);
    assert_eq!(book.ledger.position().next_deadline.map(|at| at <= monday), Some(true));
    book.take_at(monday.before(Duration::from_secs(1)), LogEntry::Time);
    assert_eq!(book.reader().next_week(monday).expect("read"), None);
    book.take_at(monday, LogEntry::Time);
    let due = book.reader().next_week(monday).expect("read").expect("a week");
    assert_eq!((due.until, due.shops.clone(), due.message_id.clone()), (monday, vec![shop("camping")], None));
    let about = MailAbout::Week(Week { until: due.until, shops: due.shops });
    book.take_at(
        monday,
        LogEntry::Telling(Telling { message_id: "w@host".to_owned(), way: Way::mail(), about }),
    );
    assert_eq!(
        book.reader().next_week(monday).expect("read").and_then(|due| due.message_id),
        Some("w@host".to_owned())
    );
    book.take_at(monday, told("w@host"));
    assert_eq!(book.reader().next_week(monday).expect("read"), None);
    book.rebuild();
    assert_eq!(book.reader().next_week(monday).expect("read"), None);
}
