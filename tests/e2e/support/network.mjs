// A network of a server's own: a namespace with a loopback that nobody else has, held open by a keeper process. Taken
// down, whoever is on it vanishes for the others without a word, as behind a cable that is pulled.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { within } from './wait.mjs';

const run = promisify(execFile);
const isRoot = process.getuid() === 0;
const keepers = new Set();
process.on('exit', () => keepers.forEach((keeper) => keeper.kill('SIGKILL')));

export class Network {
  static async make() {
    const namespaces = isRoot ? ['--net'] : ['--user', '--map-root-user', '--net'];
    const network = new Network();
    network.keeper = spawn('unshare', [...namespaces, 'sh', '-c', 'ip link set lo up && echo up && exec sleep infinity'], { stdio: ['ignore', 'pipe', 'inherit'] });
    keepers.add(network.keeper);
    network.ended = once(network.keeper, 'exit').then(() => keepers.delete(network.keeper));
    const said = await within(20_000, 'the network', Promise.race([once(network.keeper.stdout, 'data'), network.ended]));
    if (said === true) throw new Error('the network could not be made');
    return network;
  }

  /** What a command line begins with for the command to be on it. */
  get enter() {
    return ['nsenter', `--target=${this.keeper.pid}`, ...(isRoot ? [] : ['--user', '--preserve-credentials']), '--net'];
  }

  async #set(state) {
    const [command, ...args] = [...this.enter, 'ip', 'link', 'set', 'lo', state];
    await run(command, args);
  }

  /** Nothing arrives any more, and nobody hears that it does not. */
  pull() {
    return this.#set('down');
  }

  plug() {
    return this.#set('up');
  }

  async close() {
    this.keeper.kill('SIGKILL');
    await this.ended;
  }
}
