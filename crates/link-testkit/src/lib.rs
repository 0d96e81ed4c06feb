//! What every link between nodes must pass: one case for each promise of `ports::Link`. The list of cases is here alone,
//! so no adapter can leave one out:
//!
//! ```text
//! use parlance_link_testkit::{Network, link_contract};
//!
//! /// A network that nobody else is on.
//! async fn network() -> impl Network { … }
//!
//! link_contract!(network);
//! ```
//!
//! A broker that is dear to start is started once: `link_cases!` runs all of them in one test. [`outage`] has what a link
//! over a broker does when that goes away.
//!
//! With it comes the smallest network that passes, [`MemoryNetwork`]: it cuts nodes off and loses words when it is told
//! to, for tests of whatever stands on a link.
#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "every case panics where a promise is broken: that is its job"
)]

pub mod cases;
mod memory;
mod network;
pub mod outage;
mod samples;

pub use memory::{MemoryLink, MemoryNetwork};
pub use network::{Member, Network};
pub use samples::every_event;

/// Expands to one test per case. `$network` is the name of an `async fn() -> impl Network` in scope.
#[macro_export]
macro_rules! link_contract {
    ($network:ident) => {
        $crate::each_link_case! { link_tests, $network }
    };
}

/// Runs all cases, one after the other, in a test that has begun. `$network` is something to be called as in
/// [`link_contract!`], such as a closure.
#[macro_export]
macro_rules! link_cases {
    ($network:ident) => {
        $crate::each_link_case! { link_calls, $network }
    };
}

/// The list of cases. Used by the two above.
#[doc(hidden)]
#[macro_export]
macro_rules! each_link_case {
    ($then:ident, $network:ident) => {
        $crate::$then! { $network;
            everyone_but_the_speaker_hears_what_is_said_to_everyone,
            what_is_said_to_a_node_is_heard_by_it_alone,
            a_topic_is_heard_by_those_who_follow_it,
            a_topic_that_is_no_longer_followed_is_not_heard,
            following_twice_is_once,
            what_is_followed_again_is_heard_again,
            words_come_in_the_order_in_which_they_were_said,
            many_topics_are_followed_at_once,
            every_word_arrives_as_it_was_said,
            every_event_arrives_as_it_was_said,
            what_is_too_much_is_dropped_and_owned_up_to,
            what_was_said_before_closing_is_brought,
            a_link_is_up,
        }
    };
}

/// Used by [`link_contract!`].
#[doc(hidden)]
#[macro_export]
macro_rules! link_tests {
    ($network:ident; $($case:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::cases::$case($network().await).await;
            }
        )+
    };
}

/// Used by [`link_cases!`].
#[doc(hidden)]
#[macro_export]
macro_rules! link_calls {
    ($network:ident; $($case:ident),+ $(,)?) => {
        $(
            $crate::cases::$case($network().await).await;
        )+
    };
}
