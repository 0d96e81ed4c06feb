// Ids in the ObjectId layout, as the contract has them: seconds, five random bytes of this process, a counter.

import { randomBytes } from 'node:crypto';

const process_ = randomBytes(5).toString('hex');
let count = randomBytes(3).readUIntBE(0, 3);

export function newId() {
  count = (count + 1) & 0xffffff;
  const seconds = Math.floor(Date.now() / 1000);
  return seconds.toString(16).padStart(8, '0') + process_ + count.toString(16).padStart(6, '0');
}
