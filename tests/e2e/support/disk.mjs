// A small disk of a server's own, that can be full or read-only: a memory file system in a mount namespace, which a
// keeper process holds open. It takes no privileges where users may make namespaces, and nothing outside sees it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { within } from './wait.mjs';

const isRoot = process.getuid() === 0;
const CHUNK = Buffer.alloc(4096, 1);
const MOUNT = 'mount -t tmpfs -o "size=$1" tmpfs "$2" && echo mounted && exec sleep infinity';

const keepers = new Set();
process.on('exit', () => keepers.forEach((keeper) => keeper.kill('SIGKILL')));

export class Disk {
  static async of(bytes) {
    const disk = new Disk(await mkdtemp(join(tmpdir(), 'parlance-disk-')));
    const namespaces = isRoot ? ['--mount'] : ['--user', '--map-root-user', '--mount'];
    disk.keeper = spawn('unshare', [...namespaces, 'sh', '-c', MOUNT, 'sh', String(bytes), disk.path], { stdio: ['ignore', 'pipe', 'inherit'] });
    keepers.add(disk.keeper);
    disk.ended = once(disk.keeper, 'exit').then(() => keepers.delete(disk.keeper));
    const said = await within(20_000, 'the disk', Promise.race([once(disk.keeper.stdout, 'data'), disk.ended]));
    if (said === true) throw new Error('the disk could not be mounted');
    return disk;
  }

  constructor(path) {
    /** Where the disk is for who is on it. */
    this.path = path;
  }

  /** The same place for who is not. */
  get outside() {
    return `/proc/${this.keeper.pid}/root${this.path}`;
  }

  /** What a command line begins with for the command to see the disk. */
  get enter() {
    const user = isRoot ? [] : ['--user', '--preserve-credentials'];
    return ['nsenter', `--target=${this.keeper.pid}`, ...user, '--mount', '--wd=.'];
  }

  /** Leaves no byte free. */
  async fill() {
    const filler = await open(join(this.outside, 'filler'), 'a');
    try {
      for (;;) await filler.write(CHUNK);
    } catch (error) {
      if (error.code !== 'ENOSPC') throw error;
    } finally {
      await filler.close();
    }
  }

  /** Gives back what filling took. */
  async free() {
    await rm(join(this.outside, 'filler'));
  }

  /** Takes writes, or not; for a disk on which no file is open. */
  async remount(mode) {
    const [command, ...args] = [...this.enter, 'mount', '-o', `remount,${mode}`, this.path];
    const [code] = await once(spawn(command, args, { stdio: 'inherit' }), 'exit');
    if (code !== 0) throw new Error(`the disk cannot be remounted: ${code}`);
  }

  async close() {
    this.keeper.kill('SIGKILL');
    await this.ended;
    await rmdir(this.path);
  }
}
