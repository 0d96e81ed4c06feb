// A real browser and the place its pages come from: Debian's Chromium without a screen, with a camera, a microphone
// and a desktop that it makes up, and a server on loopback for `pages/` and the client library (camera and
// microphone are there for secure origins only, and loopback is one). Each page has a profile of its own.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
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

export class Browser {
  static async open() {
    const site = createServer(async (request, response) => {
      const [type, file] = FILES[request.url] ?? [];
      if (!file) return response.writeHead(404).end();
      return response.writeHead(200, { 'content-type': type }).end(await readFile(join(here, file)));
    });
    site.listen(0, '127.0.0.1');
    await once(site, 'listening');
    try {
      return new Browser(site, await chromium.launch({ executablePath, args: FLAGS, timeout: 60_000 }));
    } catch (error) {
      site.close();
      throw error;
    }
  }

  constructor(site, process) {
    this.site = site;
    this.process = process;
  }

  /** Where the pages come from, as `CORS_ORIGIN` names it. */
  get origin() {
    return `http://127.0.0.1:${this.site.address().port}`;
  }

  /** A page with a profile of its own. `settings` reach it in the address's fragment; `errors` fills with what goes wrong. */
  async page(path, settings) {
    const context = await this.process.newContext({ viewport: { width: 960, height: 560 } });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await page.goto(`${this.origin}${path}#${new URLSearchParams(settings)}`);
    return { page, errors };
  }

  /** Ends the pages, the process and the server of the pages. */
  async close() {
    await this.process.close();
    this.site.closeAllConnections();
    await new Promise((resolve) => this.site.close(resolve));
  }
}
