// A server as `make run` starts it, with `--dev`, on a port and in a folder of its own.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binary } from '../../../../tests/e2e/support/server.mjs';
import { within } from '../../../../tests/e2e/support/wait.mjs';
import { built } from './window.mjs';

export async function startDevServer() {
  const dir = await mkdtemp(join(tmpdir(), 'parlance-web-'));
  const env = { PATH: process.env.PATH, HOME: dir, LISTEN: '127.0.0.1:0', WEB_DIR: built, RUST_LOG: 'warn' };
  const child = spawn(binary, ['serve', '--dev'], { cwd: dir, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let said = '';
  const listening = new Promise((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
      const url = /listening on (http:\/\/\S+)/.exec(said)?.[1];
      if (url && said.includes('make demo')) resolve(url);
    });
  });
  const url = await within(60_000, 'the server to listen', listening);
  return {
    url,
    said: () => said,
    async close() {
      child.kill('SIGTERM');
      await exited;
      await rm(dir, { recursive: true, force: true });
    },
  };
}
