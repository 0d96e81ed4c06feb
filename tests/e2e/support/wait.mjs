// Waiting with a limit. The limit is generous on purpose: it says that something never came, and is no
// statement about speed.

export const PATIENCE = 60_000;

/** The promise's outcome, or an error that says what was waited for. */
export async function within(milliseconds, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${milliseconds} ms for ${describe(what)}`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const describe = (what) => (typeof what === 'function' ? what() : what);

/** Asks again until the answer satisfies; for state that only a request can show. */
export async function eventually(what, ask, satisfied = Boolean, patience = PATIENCE) {
  const deadline = Date.now() + patience;
  for (;;) {
    const answer = await ask();
    if (satisfied(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`${what} did not come about; last answer: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** `limit` calls of `work(item)` in flight at a time, results in the order of the items. */
export async function inFlight(limit, items, work) {
  const list = [...items];
  const results = new Array(list.length);
  let next = 0;
  const lane = async () => {
    while (next < list.length) {
      const index = next++;
      results[index] = await work(list[index], index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, list.length) }, lane));
  return results;
}
