// A TCP line to a server on loopback that can be cut and mended: while it is cut, connections break and new ones are
// refused at once. It can also be held and released: connections stay and new ones come about, and nothing passes. What is
// abandoned stays silent for ever, and new ones come about and work, as when another machine takes over an address.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export class Line {
  static async open(host, port) {
    const line = new Line(host, port);
    line.server.listen(0, '127.0.0.1');
    await once(line.server, 'listening');
    line.port = line.server.address().port;
    return line;
  }

  constructor(host, port) {
    this.whole = true;
    this.held = false;
    this.sockets = new Map();
    this.near = new WeakSet();
    this.server = createServer((near) => {
      if (!this.whole) return near.destroy();
      const far = connect(port, host);
      this.near.add(near);
      for (const [socket, other] of [[near, far], [far, near]]) {
        this.sockets.set(socket, other);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.sockets.delete(socket);
          other.destroy();
        });
        if (!this.held) socket.pipe(other);
      }
    });
  }

  cut() {
    this.whole = false;
    for (const socket of this.sockets.keys()) socket.destroy();
  }

  hold() {
    this.held = true;
    for (const [socket, other] of this.sockets) socket.unpipe(other).pause();
  }

  release() {
    this.held = false;
    for (const [socket, other] of this.sockets) socket.pipe(other);
  }

  abandon() {
    for (const [socket, other] of this.sockets) socket.unpipe(other).pause();
    this.held = false;
  }

  mend() {
    this.whole = true;
  }

  /** Hears what passes on the connections that there are: each piece, and whether it goes out to the server. */
  overhear(heard) {
    for (const [socket] of this.sockets) socket.on('data', (piece) => heard(piece, this.near.has(socket), socket));
  }

  async close() {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }
}
