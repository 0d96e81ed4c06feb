// The server a team would write otherwise: one Node process, Socket.IO on `ws`, Express, one transaction for each send.
// Configured like Parlance: ACCESS_TOKEN_SECRET, LISTEN (HOST:PORT), DATABASE_URL (`sqlite://FILE` or `postgres://…`).

import { createServer } from 'node:http';

import { Server } from 'socket.io';

import { openChat } from './chat.mjs';
import { httpApp } from './http.mjs';
import { openPeople } from './people.mjs';
import { openPostgres } from './postgres.mjs';
import { serveSockets } from './sockets.mjs';
import { openSqlite } from './sqlite.mjs';

const { ACCESS_TOKEN_SECRET: secret, LISTEN = '127.0.0.1:4000', DATABASE_URL = 'sqlite://./baseline.db' } = process.env;
if (!secret) {
  console.error('baseline: ACCESS_TOKEN_SECRET is not set');
  process.exit(2);
}

const store = DATABASE_URL.startsWith('sqlite://')
  ? openSqlite(DATABASE_URL.slice('sqlite://'.length))
  : await openPostgres(DATABASE_URL);
const people = openPeople(store, secret);
const server = createServer((request, response) => app(request, response));
const io = new Server(server, { perMessageDeflate: false, httpCompression: false, maxHttpBufferSize: 1 << 20, serveClient: false });
const chat = openChat({ io, store, people });
const app = httpApp({ chat, people });
serveSockets({ io, chat, store, people });

const [host, port] = LISTEN.split(':');
server.listen(Number(port), host, 4096, () => {
  console.log(`baseline listening on http://${host}:${server.address().port}`);
});

process.on('SIGTERM', async () => {
  await io.close();
  await store.close();
  process.exit(0);
});
