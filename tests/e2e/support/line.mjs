// A TCP line to a server on loopback that can be cut and mended: while it is cut, connections break and new ones are
// refused at once.
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
    this.sockets = new Set();
    this.server = createServer((near) => {
      if (!this.whole) return near.destroy();
      const far = connect(port, host);
      for (const [socket, other] of [[near, far], [far, near]]) {
        this.sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
  }

  cut() {
    this.whole = false;
    for (const socket of this.sockets) socket.destroy();
  }

  mend() {
    this.whole = true;
  }

  async close() {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }
}
