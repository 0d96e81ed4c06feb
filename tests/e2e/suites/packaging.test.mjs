// What is around the binary where it is installed: the image's file system and its health check, the unit for systemd, the
// file for Docker Compose. No Docker is needed: what an image would hold is a folder here, which a server cannot see out of.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ROOT, source } from '../support/documents.mjs';
import { freePort } from '../support/free-port.mjs';
import { binary } from '../support/server.mjs';
import { eventually, within } from '../support/wait.mjs';

const run = promisify(execFile);
const python = process.env.PARLANCE_E2E_PYTHON ?? fileURLToPath(new URL('../.venv/bin/python', import.meta.url));
const ACCESS_TOKEN_SECRET = 'a secret of this test, long enough';
const isRoot = process.getuid() === 0;

let dir;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'parlance-packaging-'));
});
after(() => rm(dir, { recursive: true, force: true }));

describe('the image', () => {
  const dockerfile = source('Dockerfile');
  const list = (instruction) => JSON.parse(new RegExp(`^${instruction}(?:.* CMD)? (\\[.*\\])$`, 'm').exec(dockerfile)[1]);
  const [, user] = /^USER (\d+:\d+)$/m.exec(dockerfile);
  const [, owner, folder] = /^COPY --from=build --chown=(\d+:\d+) (\/\w+) \2$/m.exec(dockerfile);
  const env = Object.fromEntries([...dockerfile.matchAll(/^ENV (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]));

  it('has all that the binary loads, keeps its data, says whether it is well, and has no other program', async () => {
    const root = join(dir, 'root');
    await run(join(ROOT, 'packaging', 'image-root.sh'), [binary, root]);
    // A folder that came with the rest would be root's.
    await assert.rejects(stat(join(root, folder)), { code: 'ENOENT' });
    await mkdir(join(root, folder));
    assert.equal(owner, user);
    if (isRoot) await chown(join(root, folder), ...user.split(':').map(Number));
    const enter = isRoot ? ['chroot', `--userspec=${user}`, root] : ['unshare', '--map-root-user', 'chroot', root];
    const settings = { PATH: process.env.PATH, ...env, ACCESS_TOKEN_SECRET, LISTEN: `127.0.0.1:${await freePort()}` };
    const inside = (command) => run(enter[0], [...enter.slice(1), ...command], { env: settings });
    await assert.rejects(inside(list('HEALTHCHECK')), /does not answer/);

    const child = spawn(enter[0], [...enter.slice(1), ...list('ENTRYPOINT'), ...list('CMD')], { env: settings, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.on('data', (data) => (said += data));
    child.stderr.on('data', (data) => (said += data));
    const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    try {
      await eventually('the server to listen', () => said, (text) => text.includes('parlance listening on'));
      assert.equal((await inside(list('HEALTHCHECK'))).stdout, 'ready\n');
    } finally {
      child.kill('SIGTERM');
    }
    assert.equal(await within(20_000, 'the server to end', ended), 0, said);
    const { stdout } = await run('find', [root, '-perm', '/111', '-type', 'f', '-printf', '%P\n']);
    const programs = stdout.trim().split('\n').filter((path) => !/\.so(\.\d+)*$/.test(path));
    assert.deepEqual(programs, ['usr/bin/parlance']);
    assert.match((await run('ls', [join(root, folder)])).stdout, /parlance\.db/);
    const licences = await readFile(join(root, 'usr/share/doc/parlance/licences'), 'utf8');
    assert.match(licences, /^socketioxide \S+ MIT$/m, 'a crate that brings no text');
    assert.match(licences, /^== LICENSE-MIT, of .*\bserde-1[^]*?Permission is hereby granted/m);
  });
});

describe('the unit for systemd', () => {
  it('is one that systemd has nothing to say against', async () => {
    const unit = source('packaging/parlance.service').replaceAll('/usr/bin/parlance', binary);
    const file = join(dir, 'parlance.service');
    await writeFile(file, unit.replace(/^(?:User|Documentation)=.*\n/gm, ''));
    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', file]);
    assert.equal(stdout + stderr, '');
  });

  it('sets what the server knows, and leaves room to end', async () => {
    const unit = source('packaging/parlance.service');
    const env = Object.fromEntries(/^Environment=(.*)$/m.exec(unit)[1].split(' ').map((pair) => pair.split('=')));
    const { stdout } = await run(binary, ['check-config'], { cwd: dir, env: { ...env, ACCESS_TOKEN_SECRET } });
    for (const [name, value] of Object.entries(env)) assert.ok(stdout.includes(`${name.toLowerCase()} = "${value}"`), name);
    assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)[1]) > 10);
  });
});

describe('the file for Docker Compose', () => {
  it('names settings that there are, services that are healthy before the server starts, and profiles of the guide', async () => {
    const program = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))';
    const reading = run(python, ['-c', program]);
    reading.child.stdin.end(source('compose.yaml'));
    const { services, volumes } = JSON.parse((await reading).stdout);
    const { stdout: config } = await run(binary, ['check-config'], { cwd: dir, env: { ACCESS_TOKEN_SECRET } });
    const ours = Object.entries(services).filter(([, { image }]) => image === 'parlance');
    assert.deepEqual(ours.map(([, { profiles }]) => profiles[0]), ['sqlite', 'postgres', 'mongodb']);
    for (const [name, service] of ours) {
      for (const setting of Object.keys(service.environment)) assert.match(config, new RegExp(`\\b${setting.toLowerCase()}\\b`), name);
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
        assert.equal(condition, 'service_healthy');
        assert.ok(services[other].healthcheck, other);
        assert.ok(services[other].profiles.some((profile) => service.profiles.includes(profile)), `${name} and ${other} start together`);
      }
      assert.ok(parseInt(service.stop_grace_period) > 10, `${name} has time to end`);
    }
    for (const [name, { volumes: used = [] }] of Object.entries(services)) {
      for (const volume of used) assert.ok(volume.split(':')[0] in volumes, name);
    }
  });
});
