// Real browsers and the place their pages come from: Debian's Chromium without a screen, with a camera, a microphone
// and a desktop that are made up, and a server on loopback for `pages/` and the client library (camera and
// microphone are there for secure origins only, and loopback is one).
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { film } from './camera.mjs';
import { PATIENCE } from './wait.mjs';

const here = join(dirname(fileURLToPath(import.meta.url)), '..');
const executablePath = process.env.PARLANCE_E2E_CHROMIUM ?? '/usr/bin/chromium';

/** Everything that there is to fetch. */
const FILES = {
  '/call.html': ['text/html', 'pages/call.html'],
  '/call.css': ['text/css', 'pages/call.css'],
  '/call.js': ['text/javascript', 'pages/call.js'],
  '/socket.io.js': ['text/javascript', 'node_modules/socket.io-client/dist/socket.io.esm.min.js'],
};

const FLAGS = [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  // Two pages on one machine find each other even where that machine has no network.
  '--allow-loopback-in-peer-connection',
  '--disable-gpu',
  '--disable-quic',
  '--disable-sync',
];

/** The server of the pages. */
export class Site {
  static async open() {
    const http = createServer(async (request, response) => {
      const [type, file] = FILES[request.url] ?? [];
      if (!file) return response.writeHead(404).end();
      return response.writeHead(200, { 'content-type': type }).end(await readFile(join(here, file)));
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    return new Site(http);
  }

  constructor(http) {
    this.http = http;
  }

  /** Where the pages come from, as `CORS_ORIGIN` names it. */
  get origin() {
    return `http://127.0.0.1:${this.http.address().port}`;
  }

  async close() {
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }
}

export class Browser {
  /** A browser whose camera sees these colours (`camera.mjs`). */
  static async open(colours) {
    const dir = await mkdtemp(join(tmpdir(), 'parlance-e2e-browser-'));
    const video = join(dir, 'camera.y4m');
    await film(video, colours);
    const args = [...FLAGS, `--use-file-for-fake-video-capture=${video}`];
    try {
      return new Browser(dir, await chromium.launch({ executablePath, args, timeout: 60_000 }));
    } catch (error) {
      await rm(dir, { recursive: true, force: true });
      throw error;
    }
  }

  constructor(dir, process) {
    this.dir = dir;
    this.process = process;
  }

  /** A page with a profile of its own. `settings` reach it in the address's fragment; `errors` fills with what goes wrong. */
  async page(address, settings) {
    const context = await this.process.newContext({ viewport: { width: 960, height: 480 } });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await page.goto(`${address}#${new URLSearchParams(settings)}`);
    return { page, errors, close: () => context.close() };
  }

  /** Ends the pages and the process, and removes its files. */
  async close() {
    await this.process.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}
