#!/usr/bin/env node
// Clients in a process of their own, for a network that the test itself is not on: connects one socket for each line
// of standard input, a JSON array of address and token, says so, and holds them until it is killed.
import { createInterface } from 'node:readline';
import { io } from 'socket.io-client';

const sockets = [];
for await (const line of createInterface({ input: process.stdin })) {
  const [url, token] = JSON.parse(line);
  const socket = io(url, { auth: { token }, transports: ['websocket'], forceNew: true, reconnection: false });
  sockets.push(new Promise((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject)));
}
await Promise.all(sockets);
console.log('connected');
setInterval(() => {}, 60_000);
