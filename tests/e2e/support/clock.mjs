// A clock of a server's own, that can be set while it runs: Debian's libfaketime in the server's process. Timers go on
// as they do; only what the time is changes.
import { writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class SettableClock {
  static async make() {
    return new SettableClock(await mkdtemp(join(tmpdir(), 'parlance-clock-')), await library());
  }

  constructor(dir, path) {
    this.dir = dir;
    this.path = path;
    this.set(0);
  }

  /** So many seconds ahead of the real time, or behind it. */
  set(seconds) {
    writeFileSync(join(this.dir, 'offset'), `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}`);
  }

  get env() {
    return { LD_PRELOAD: this.path, FAKETIME_TIMESTAMP_FILE: join(this.dir, 'offset'), FAKETIME_NO_CACHE: '1', DONT_FAKE_MONOTONIC: '1' };
  }

  close() {
    return rm(this.dir, { recursive: true, force: true });
  }
}

async function library() {
  for (const folder of await readdir('/usr/lib')) {
    const file = join('/usr/lib', folder, 'faketime', 'libfaketimeMT.so.1');
    const found = await readdir(join(file, '..')).then((files) => files.includes('libfaketimeMT.so.1'), () => false);
    if (found) return file;
  }
  throw new Error('libfaketime is not installed (Debian: libfaketime)');
}
