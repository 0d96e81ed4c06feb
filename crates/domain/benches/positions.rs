//! What it costs to move a read position and to say how far a message got: done for every send and every mark, and for
//! each message that is shown. `make bench-parts` runs it.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use parlance_domain::model::{ReadState, Seq, SeqRange, UserId, Watermarks};

/// A state with this many single reads beyond its position, every second message.
fn scattered(ranges: u64) -> ReadState {
    let ahead = (1..=ranges).map(|range| SeqRange { first: range * 2, last: range * 2 }).collect();
    ReadState::from_stored(0, ahead)
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    group.bench_function("the next message", |bencher| {
        let mut state = ReadState::default();
        let mut seq: Seq = 0;
        bencher.iter(|| {
            seq += 1;
            state.advance_to(black_box(seq))
        });
    });
    for ranges in [1, 32, 500] {
        group.bench_function(format!("a message that closes a gap, {ranges} ranges"), |bencher| {
            bencher.iter_batched(
                || scattered(ranges),
                |mut state| state.mark(black_box(ranges * 2 - 1)),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn statuses(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("status");
    for members in [2_u64, 10, 1000] {
        let users: Vec<UserId> =
            (0..members).map(|member| format!("user-{member}").parse().expect("a user id")).collect();
        let positions = || users.iter().zip(1..).map(|(user, seq)| (user.clone(), seq, seq + 5, Vec::new()));
        group.bench_function(format!("leaders of {members} participants"), |bencher| {
            bencher.iter(|| Watermarks::of(positions()));
        });
        let marks = Watermarks::of(positions());
        group.bench_function(format!("of a message among {members}"), |bencher| {
            bencher.iter(|| marks.status(black_box(&users[0]), black_box(members / 2)));
        });
    }
    group.finish();
}

criterion_group!(positions, reading, statuses);
criterion_main!(positions);
