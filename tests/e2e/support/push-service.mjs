// A push service of a test's own, with a browser behind it: it checks who brings a message (RFC 8292), and opens it as
// the browser does (RFC 8291), with nothing but Node's cryptography.
import assert from 'node:assert/strict';
import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { eventually } from './wait.mjs';

export class PushService {
  static async open() {
    const service = new PushService();
    service.http.listen(0, '127.0.0.1');
    await once(service.http, 'listening');
    return service;
  }

  constructor() {
    this.browsers = new Map();
    this.http = createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray());
      const browser = this.browsers.get(request.url);
      if (!browser) return response.writeHead(410).end();
      browser.calls += 1;
      if (browser.gone) return response.writeHead(410).end();
      browser.pushed.push({ ...browser.open(body), headers: request.headers, origin: this.origin });
      return response.writeHead(201).end();
    });
  }

  get origin() {
    return `http://127.0.0.1:${this.http.address().port}`;
  }

  /** A browser that subscribes here. */
  browser() {
    const browser = new SubscribedBrowser(`${this.origin}/push/${randomBytes(12).toString('hex')}`);
    this.browsers.set(new URL(browser.endpoint).pathname, browser);
    return browser;
  }

  async close() {
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }
}

class SubscribedBrowser {
  constructor(endpoint) {
    this.endpoint = endpoint;
    this.keys = createECDH('prime256v1');
    this.keys.generateKeys();
    this.auth = randomBytes(16);
    /** What it was brought. */
    this.pushed = [];
    this.calls = 0;
    this.gone = false;
  }

  /** As `PushSubscription.toJSON()` says it. */
  get subscription() {
    const p256dh = this.keys.getPublicKey('base64url');
    return { endpoint: this.endpoint, expirationTime: null, keys: { p256dh, auth: this.auth.toString('base64url') } };
  }

  async until(count) {
    return eventually(`${count} messages`, () => this.pushed, (pushed) => pushed.length >= count);
  }

  open(body) {
    const [salt, length] = [body.subarray(0, 16), body[20]];
    assert.equal(body.readUInt32BE(16), 4096, 'the size of a record');
    const [theirs, sealed] = [body.subarray(21, 21 + length), body.subarray(21 + length)];
    const derive = (secret, salt, info, bytes) => Buffer.from(hkdfSync('sha256', secret, salt, info, bytes));
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.keys.getPublicKey(), theirs]);
    const secret = derive(this.keys.computeSecret(theirs), this.auth, info, 32);
    const key = derive(secret, salt, 'Content-Encoding: aes128gcm\0', 16);
    const nonce = derive(secret, salt, 'Content-Encoding: nonce\0', 12);
    const opener = createDecipheriv('aes-128-gcm', key, nonce).setAuthTag(sealed.subarray(-16));
    const record = Buffer.concat([opener.update(sealed.subarray(0, -16)), opener.final()]);
    assert.equal(record.at(-1), 2, 'the last record');
    return { said: JSON.parse(record.subarray(0, -1)) };
  }
}

/** What the header of a push service says of who calls, if the signature is good. */
export function bearerOf(authorization) {
  const [, token, key] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(authorization);
  const [header, claims, signature] = token.split('.');
  const point = Buffer.from(key, 'base64url');
  assert.deepEqual([point.length, point[0]], [65, 4], 'a point that is not compressed');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString('base64url'));
  const publicKey = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } });
  const signed = Buffer.from(`${header}.${claims}`);
  const checks = { key: publicKey, dsaEncoding: 'ieee-p1363' };
  assert.ok(verify('sha256', signed, checks, Buffer.from(signature, 'base64url')), 'the signature is good');
  assert.deepEqual(JSON.parse(Buffer.from(header, 'base64url')), { typ: 'JWT', alg: 'ES256' });
  return { key, ...JSON.parse(Buffer.from(claims, 'base64url')) };
}
