// A WebSocket made by hand over TCP, which sends whatever it is told to: no library would. It reads the server's frames,
// answers its pings, and knows when the connection is gone.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { PATIENCE, within } from './wait.mjs';

export const TEXT = 1;
export const BINARY = 2;
export const CONTINUATION = 0;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** One frame. `length` is what its head claims, `bits` are the reserved ones, `wide` takes the longest form of a length. */
export function frame(opcode, payload, { fin = true, masked = true, bits = 0, length, wide = false } = {}) {
  const body = Buffer.from(payload);
  const claimed = BigInt(length ?? body.length);
  const mark = masked ? 0x80 : 0;
  const first = (fin ? 0x80 : 0) | bits | opcode;
  let head;
  if (!wide && claimed < 126n) head = Buffer.from([first, mark | Number(claimed)]);
  else if (!wide && claimed < 65_536n) head = Buffer.from([first, mark | 126, Number(claimed >> 8n), Number(claimed & 255n)]);
  else {
    head = Buffer.alloc(10);
    head.set([first, mark | 127]);
    head.writeBigUInt64BE(claimed, 2);
  }
  if (!masked) return Buffer.concat([head, body]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, body.map((byte, at) => byte ^ mask[at % 4])]);
}

/** A text in frames of one byte each. */
export const bytewise = (text) => {
  const bytes = Buffer.from(text);
  return Buffer.concat([...bytes].map((byte, at) => frame(at === 0 ? TEXT : CONTINUATION, [byte], { fin: at === bytes.length - 1 })));
};

export class RawSocket {
  /** A WebSocket that the server has accepted; nobody has said yet who it is. */
  static async open(server, { query = 'EIO=4&transport=websocket' } = {}) {
    const raw = new RawSocket(server);
    const key = randomBytes(16).toString('base64');
    raw.write(`GET /socket.io/?${query} HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n\r\n`);
    raw.status = Number((await raw.until('the answer to the upgrade', () => raw.head))?.split(' ')[1]);
    return raw;
  }

  /** One that `person` has signed in on. */
  static async enter(person, { dialect = 'talentbridge', ...options } = {}) {
    const raw = await RawSocket.open(person.server, options);
    raw.send(`40${JSON.stringify({ token: person.token, dialect })}`);
    await raw.untilText((text) => text.startsWith('40{'));
    return raw;
  }

  constructor(server) {
    const { hostname, port } = new URL(server.url);
    this.texts = [];
    this.pongs = 0;
    this.asked = 0;
    this.pending = Buffer.alloc(0);
    this.waiters = new Set();
    this.socket = connect({ host: hostname, port, noDelay: true });
    this.socket.on('error', () => {});
    this.socket.on('data', (bytes) => this.#read(bytes));
    this.gone = new Promise((resolve) => this.socket.once('close', resolve)).then(() => {
      this.ended = true;
      this.#wake();
    });
  }

  #wake() {
    for (const waiter of [...this.waiters]) waiter();
  }

  #read(bytes) {
    this.pending = Buffer.concat([this.pending, bytes]);
    if (!this.head) {
      const end = this.pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.head = this.pending.subarray(0, end).toString();
      this.pending = this.pending.subarray(end + 4);
    }
    while (this.#readFrame());
    this.#wake();
  }

  #readFrame() {
    const { pending } = this;
    if (pending.length < 2) return false;
    const opcode = pending[0] & 15;
    const form = pending[1] & 127;
    const start = form < 126 ? 2 : form === 126 ? 4 : 10;
    if (pending.length < start) return false;
    const length = form < 126 ? form : form === 126 ? pending.readUInt16BE(2) : Number(pending.readBigUInt64BE(2));
    if (pending.length < start + length) return false;
    const payload = pending.subarray(start, start + length);
    this.pending = pending.subarray(start + length);
    if (opcode === TEXT) {
      this.texts.push(payload.toString());
      if (payload.toString() === '2') this.send('3');
    }
    if (opcode === PONG) this.pongs += 1;
    return true;
  }

  /** Bytes as they are. */
  write(bytes) {
    if (!this.socket.destroyed) this.socket.write(bytes);
  }

  /** A text in one proper frame. */
  send(text) {
    this.write(frame(TEXT, text));
  }

  /** What `find` finds, now or when something has come; an error if the connection ends before. */
  async until(what, find) {
    const found = () => find() ?? (this.ended ? 'ended' : undefined);
    let waiter;
    const arrival = new Promise((resolve) => {
      waiter = () => found() !== undefined && resolve(found());
      this.waiters.add(waiter);
      waiter();
    });
    try {
      return await within(PATIENCE, () => `${what}; ${this.#last()}`, arrival);
    } finally {
      this.waiters.delete(waiter);
    }
  }

  async untilText(satisfied) {
    const text = await this.until('a packet', () => this.texts.find(satisfied));
    if (text === 'ended') throw new Error(`the connection ended; there were ${JSON.stringify(this.texts).slice(0, 500)}`);
    return text;
  }

  /**
   * After `what` the connection is `usable`, which two answers show, or `closed`: it ends. What the server has read by
   * then may still be answered, and is no sign of life.
   */
  async proves(verdict, what) {
    if (verdict === 'closed') {
      this.#ask();
      await within(PATIENCE, () => `the end after ${what}; ${this.#last()}`, this.gone);
      return;
    }
    for (let time = 0; time < 2; time++) {
      const answer = this.#ask();
      const came = await this.until(`an answer after ${what}`, () => this.texts.find((text) => text.startsWith(answer)));
      if (came === 'ended' || this.texts.includes('1')) throw new Error(`the connection ended after ${what}`);
    }
  }

  #last() {
    return `there were ${JSON.stringify(this.texts.slice(-5)).slice(0, 500)}`;
  }

  /** Asks something; how the answer begins. */
  #ask() {
    const id = 1_000 + this.asked++;
    this.send(`42${id}["notifications:read-all"]`);
    return `43${id}[`;
  }

  /** Without a word. */
  async drop() {
    this.socket.destroy();
    await this.gone;
  }
}
