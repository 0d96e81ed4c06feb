// Chance that can be repeated: everything random in a test comes from a seed, which the test prints.

/** A generator of numbers in [0, 1) (mulberry32) with a few conveniences. */
export function chance(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return {
    next,
    below: (limit) => Math.floor(next() * limit),
    pick: (list) => list[Math.floor(next() * list.length)],
    likely: (probability) => next() < probability,
  };
}

/** The seed of this run: `SEED` repeats an earlier one. */
export const seed = Number(process.env.SEED ?? Date.now() % 1_000_000_007);
