//! The promises of the ports `Addresses` and `Errands`.

use std::collections::BTreeSet;
use std::time::Duration;

use parlance_domain::model::{Address, Subject, Timestamp, UserId};
use parlance_domain::ports::{Errand, NewAddress, TakenErrand};

use crate::{Country, race};

const MAIL: &str = "email";
const PUSH: &str = "push";

impl Country {
    async fn put(&self, user: &UserId, channel: &str, target: &str, at_most: usize, alone: bool) {
        let new = NewAddress {
            user_id: user.clone(),
            channel: channel.to_owned(),
            address: Address { target: target.to_owned(), extra: format!("key of {target}") },
            at_most,
            alone,
            at: self.world.now(),
        };
        self.addresses.put_address(new).await.expect("the storage answers");
    }

    async fn targets(&self, user: &UserId, channel: &str) -> Vec<String> {
        let listed = self.addresses.list_addresses(user, channel).await.expect("the storage answers");
        assert!(listed.iter().all(|address| address.extra == format!("key of {}", address.target)), "{listed:?}");
        listed.into_iter().map(|address| address.target).collect()
    }

    async fn forget(&self, user: &UserId, channel: &str, target: &str) -> bool {
        self.addresses.remove_address(user, channel, target).await.expect("the storage answers")
    }

    async fn due(&self, channel: &str, whom: &[(UserId, Subject)], at: Timestamp) {
        self.errands.put_errands(channel, whom, at).await.expect("the storage answers");
    }

    async fn take(&self, channel: &str, now: Timestamp, until: Timestamp, limit: usize) -> Vec<TakenErrand> {
        self.errands.take_errands(channel, now, until, limit).await.expect("the storage answers")
    }

    async fn finish(&self, errand: &Errand) {
        self.errands.finish_errand(errand).await.expect("the storage answers");
    }

    fn subject(&self) -> Subject {
        Subject::Conversation(self.world.id())
    }
}

fn whom(taken: &[TakenErrand]) -> BTreeSet<(UserId, Subject)> {
    taken.iter().map(|taken| (taken.errand.user_id.clone(), taken.errand.subject)).collect()
}

/// `put_address`, `list_addresses`, `remove_address`: what was given last first, each target once, at most so many, each
/// user and channel by itself.
pub async fn addresses_are_kept_by_user_and_channel(country: Country) {
    let [ann, bob] = country.world.people(["Ann", "Bob"]).await;
    assert_eq!(country.targets(&ann, MAIL).await, [""; 0], "nobody has one at first");
    for target in ["a", "b", "c"] {
        country.put(&ann, PUSH, target, 3, false).await;
    }
    country.put(&ann, MAIL, "ann@example.com", 1, false).await;
    country.put(&bob, MAIL, "ann@example.com", 1, false).await;
    assert_eq!(country.targets(&ann, PUSH).await, ["c", "b", "a"], "what was given last comes first");
    country.put(&ann, PUSH, "a", 3, false).await;
    assert_eq!(country.targets(&ann, PUSH).await, ["a", "c", "b"], "given again, it is replaced");
    country.put(&ann, PUSH, "d", 3, false).await;
    assert_eq!(country.targets(&ann, PUSH).await, ["d", "a", "c"], "what is too many is forgotten");
    country.put(&ann, MAIL, "new@example.com", 1, false).await;
    assert_eq!(country.targets(&ann, MAIL).await, ["new@example.com"], "one takes the place of the other");
    assert_eq!(country.targets(&bob, MAIL).await, ["ann@example.com"], "others' stay, also with the same target");
    assert!(country.forget(&ann, PUSH, "a").await, "it was there");
    assert!(!country.forget(&ann, PUSH, "a").await, "and is gone");
    assert!(!country.forget(&bob, PUSH, "d").await, "nobody removes others'");
    assert_eq!(country.targets(&ann, PUSH).await, ["d", "c"], "the others are there");
}

/// `put_address` with `alone`: it is nobody else's any more.
pub async fn an_address_may_be_one_persons_alone(country: Country) {
    let [ann, bob] = country.world.people(["Ann", "Bob"]).await;
    for target in ["browser", "phone"] {
        country.put(&ann, PUSH, target, 10, true).await;
    }
    country.put(&ann, MAIL, "browser", 1, false).await;
    country.put(&bob, PUSH, "browser", 10, true).await;
    assert_eq!(country.targets(&ann, PUSH).await, ["phone"], "who signs in where Ann was takes it from her");
    assert_eq!(country.targets(&bob, PUSH).await, ["browser"], "and has it");
    assert_eq!(country.targets(&ann, MAIL).await, ["browser"], "another channel is another matter");
}

/// `take_errands`: those that are due, longest first, leased, and handed out again when the lease is over; `finish_errand`
/// and `postpone_errand`.
pub async fn errands_are_handed_out_when_they_are_due(country: Country) {
    let [ann, bob] = country.world.people(["Ann", "Bob"]).await;
    let (one, two) = (country.subject(), Subject::Notification(country.world.id()));
    let start = country.world.now();
    let after = |seconds| start.plus(Duration::from_secs(seconds));
    country.due(MAIL, &[(ann.clone(), one), (bob.clone(), two)], after(10)).await;
    country.due(MAIL, &[(ann.clone(), two)], after(5)).await;
    country.due(PUSH, &[(bob.clone(), one)], after(1)).await;
    country.due(MAIL, &[(ann.clone(), one)], after(99)).await;
    assert_eq!(country.take(MAIL, after(4), after(60), 10).await, [], "nothing is due");
    let first = country.take(MAIL, after(10), after(60), 1).await;
    let errand = Errand { channel: MAIL.to_owned(), user_id: ann.clone(), subject: two };
    assert_eq!(first, [TakenErrand { errand: errand.clone(), attempts: 1 }], "what is due longest");
    let rest = country.take(MAIL, after(10), after(60), 10).await;
    assert_eq!(whom(&rest), [(ann.clone(), one), (bob.clone(), two)].into(), "one that waits keeps its moment");
    assert_eq!(country.take(MAIL, after(59), after(99), 10).await, [], "what is handed out is leased");
    country.errands.postpone_errand(&errand, after(200)).await.expect("the storage answers");
    for taken in &rest[..1] {
        country.finish(&taken.errand).await;
        country.finish(&taken.errand).await;
    }
    let again = country.take(MAIL, after(60), after(120), 10).await;
    let expected = [TakenErrand { attempts: 2, ..rest[1].clone() }];
    assert_eq!(again, expected, "what was not finished is handed out again, what was is not");
    let late = country.take(MAIL, after(201), after(300), 10).await;
    assert_eq!(whom(&late).len(), 2, "a lease that is over, and one that was put off");
    assert!(late.contains(&TakenErrand { errand, attempts: 2 }), "{late:?}");
    assert_eq!(country.take(PUSH, after(201), after(300), 10).await.len(), 1, "each channel has its own");
}

/// `put_errands`: one that is handed out is due again after it is finished.
pub async fn what_is_put_again_meanwhile_is_due_again(country: Country) {
    let [ann, bob] = country.world.people(["Ann", "Bob"]).await;
    let subject = country.subject();
    let start = country.world.now();
    let after = |seconds| start.plus(Duration::from_secs(seconds));
    let both = [(ann.clone(), subject), (bob.clone(), subject)];
    country.due(MAIL, &both, start).await;
    let taken = country.take(MAIL, start, after(60), 10).await;
    assert_eq!(whom(&taken), both.into(), "both are handed out");
    country.due(MAIL, &[(ann.clone(), subject)], after(20)).await;
    country.due(MAIL, &[(ann.clone(), subject), (ann.clone(), subject)], after(30)).await;
    for taken in &taken {
        country.finish(&taken.errand).await;
    }
    assert_eq!(country.take(MAIL, after(29), after(60), 10).await, [], "not before it was said to be");
    let again = country.take(MAIL, after(30), after(60), 10).await;
    let errand = Errand { channel: MAIL.to_owned(), user_id: ann.clone(), subject };
    assert_eq!(
        again,
        [TakenErrand { errand: errand.clone(), attempts: 1 }],
        "a new one, of the one that was put again"
    );
    country.finish(&errand).await;
    assert_eq!(country.take(MAIL, after(999), after(9_999), 10).await, [], "nothing is left");
    country.due(MAIL, &[(ann, subject)], after(40)).await;
    assert_eq!(country.take(MAIL, after(40), after(60), 10).await.len(), 1, "what is put later is new");
}

/// `take_errands`: of several callers at once one gets each.
pub async fn of_several_who_take_one_gets_each(country: Country) {
    let people = country.world.people(["Ann", "Bob", "Cleo", "Dan", "Eve", "Fay"]).await;
    let subject = country.subject();
    let start = country.world.now();
    let until = start.plus(Duration::from_mins(1));
    country.due(MAIL, &people.map(|user| (user, subject)), start).await;
    let each = |_| {
        let country = country.clone();
        async move { country.take(MAIL, start, until, 10).await }
    };
    let taken: Vec<TakenErrand> = race((0..4).map(each)).await.into_iter().flatten().collect();
    // In a race a caller may miss what another one is just taking; nobody gets it twice, and nothing is lost.
    assert_eq!(whom(&taken).len(), taken.len(), "each once: {taken:?}");
    let rest = country.take(MAIL, start, until, 10).await;
    assert_eq!(taken.len() + rest.len(), 6, "all of them");
}
