//! How far a conversation was read and delivered, condensed to what a message's status needs: the
//! highest position of somebody who is not its sender. Two leaders are enough for any sender, so the
//! size does not grow with the group.

use super::{MessageStatus, Seq, SeqRange, UserId};

/// The leading positions of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watermarks {
    /// The two highest read positions, of different people, highest first.
    pub read: Vec<(UserId, Seq)>,
    /// The two highest delivered positions, of different people, highest first.
    pub delivered: Vec<(UserId, Seq)>,
    /// Single reads beyond a position, of everybody who has some.
    pub ahead: Vec<(UserId, Vec<SeqRange>)>,
}

impl Watermarks {
    /// The watermarks of these participants: `(user, read, delivered, ahead)`.
    pub fn of(participants: impl IntoIterator<Item = (UserId, Seq, Seq, Vec<SeqRange>)>) -> Self {
        let mut marks = Self::default();
        for (user, read, delivered, ahead) in participants {
            lead(&mut marks.read, &user, read);
            lead(&mut marks.delivered, &user, delivered);
            if !ahead.is_empty() {
                marks.ahead.push((user, ahead));
            }
        }
        marks
    }

    /// The status of the message that `sender` sent at `seq`.
    pub fn status(&self, sender: &UserId, seq: Seq) -> MessageStatus {
        let reached = |leaders: &[(UserId, Seq)]| leaders.iter().any(|(user, mark)| user != sender && *mark >= seq);
        let singly = || {
            self.ahead.iter().any(|(user, ranges)| {
                user != sender && ranges.iter().any(|range| (range.first..=range.last).contains(&seq))
            })
        };
        if reached(&self.read) || singly() {
            MessageStatus::Read
        } else if reached(&self.delivered) {
            MessageStatus::Delivered
        } else {
            MessageStatus::Sent
        }
    }
}

fn lead(leaders: &mut Vec<(UserId, Seq)>, user: &UserId, mark: Seq) {
    let at = leaders.partition_point(|(_, other)| *other >= mark);
    leaders.insert(at, (user.clone(), mark));
    leaders.truncate(2);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn two_leaders_answer_as_all_positions_would(
            marks in prop::collection::vec((0..9u64, 0..9u64), 1..6), sender in 0..6usize, seq in 1..9u64,
        ) {
            let user = |at: usize| format!("u{at}").parse::<UserId>().expect("a valid id");
            let all: Vec<_> = marks.iter().enumerate().map(|(at, (r, d))| (user(at), *r, *d, vec![])).collect();
            let others = || marks.iter().enumerate().filter(|(at, _)| *at != sender).map(|(_, marks)| marks);
            let expected = if others().any(|(read, _)| *read >= seq) { MessageStatus::Read }
                else if others().any(|(_, delivered)| *delivered >= seq) { MessageStatus::Delivered }
                else { MessageStatus::Sent };
            prop_assert_eq!(Watermarks::of(all).status(&user(sender), seq), expected);
        }
    }

    #[test]
    fn a_single_read_beyond_the_position_counts_for_that_message_alone() {
        let user = |name: &str| name.parse::<UserId>().expect("a valid id");
        let marks =
            Watermarks::of([(user("a"), 9, 9, vec![]), (user("b"), 2, 9, vec![SeqRange { first: 5, last: 5 }])]);
        assert_eq!(marks.status(&user("a"), 2), MessageStatus::Read);
        assert_eq!(marks.status(&user("a"), 4), MessageStatus::Delivered);
        assert_eq!(marks.status(&user("a"), 5), MessageStatus::Read);
    }
}
