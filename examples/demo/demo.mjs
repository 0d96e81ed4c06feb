// Two people in two real clients of different families exchange a message through a server that `make run` started.
// Alice's client speaks `talentbridge`, Bob's speaks `ulearn`. PARLANCE_URL names another server, PARLANCE_BIN another
// binary to get tokens from.
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { io } from 'socket.io-client';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const url = process.env.PARLANCE_URL ?? `http://127.0.0.1:${process.env.PORT || 4000}`;
const binary = process.env.PARLANCE_BIN ?? join(root, 'target', 'release', 'parlance');
const PATIENCE = 10_000;

const say = (who, what) => console.log(`${who.padEnd(6)} ${what}`);

/** A token for one of the people that `--dev` made, signed with the secret that it keeps in this folder. */
function tokenFor(user, name) {
  return execFileSync(binary, ['token', '--dev', '--user', user, '--name', name], { cwd: root, encoding: 'utf8' }).trim();
}

async function call(token, method, path, body) {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (!answer.success) throw new Error(`${method} ${path}: ${answer.message}`);
  return answer.data;
}

function connect(token, dialect) {
  const socket = io(url, { auth: { token, dialect }, reconnection: false });
  return new Promise((resolve, reject) => {
    socket.on('connect', () => resolve(socket));
    socket.on('connect_error', reject);
  });
}

/** The first event of this name. */
function heard(socket, event) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} within ${PATIENCE / 1000} seconds`)), PATIENCE);
    socket.once(event, (payload) => {
      clearTimeout(timer);
      resolve(payload);
    });
  });
}

async function main() {
  const [aliceToken, bobToken] = [tokenFor('alice', 'Alice'), tokenFor('bob', 'Bob')];
  // A first call makes a person known.
  await call(bobToken, 'GET', '/api/v1/users/me');
  const { conversation } = await call(aliceToken, 'POST', '/api/v1/chat/conversations/start', { targetUserId: 'bob' });
  const conversationId = conversation._id;

  const alice = await connect(aliceToken, 'talentbridge');
  say('Alice', 'is connected, in a client that speaks talentbridge');
  const bob = await connect(bobToken, 'ulearn');
  say('Bob', 'is connected, in a client that speaks ulearn');
  try {
    bob.emit('join:conversation', { conversationId });
    // Events of one socket are carried out in order: once this is answered, Bob is in the room.
    await bob.timeout(PATIENCE).emitWithAck('sync', { conversations: {} });

    const arrived = heard(bob, 'new:message');
    const text = 'Hello Bob, can you read this?';
    say('Alice', `sends “${text}”`);
    const ack = await alice.timeout(PATIENCE).emitWithAck('message:send', { conversationId, text });
    if (!ack.success) throw new Error(ack.error);
    say('Alice', `has it acknowledged: stored as message ${ack.messageId}`);
    const { message } = await arrived;
    say('Bob', `receives “${message.text}” from ${message.senderId.name}`);

    const read = heard(alice, 'messages:read');
    bob.emit('message:read', { conversationId, messageIds: [message._id] });
    await read;
    say('Alice', 'sees that Bob has read it');

    const answered = heard(alice, 'message:new');
    say('Bob', 'sends “I can. It works!”');
    bob.emit('send:message', { conversationId, text: 'I can. It works!', messageType: 'text' });
    const { message: answer } = await answered;
    say('Alice', `receives “${answer.text}” from ${answer.sender.fullName}`);
  } finally {
    alice.close();
    bob.close();
  }
}

main().catch((error) => {
  const reason = error.cause?.code === 'ECONNREFUSED' ? `nobody listens at ${url}` : error.message;
  console.error(`The demo failed: ${reason}. It needs a server that \`make run\` started in this folder.`);
  process.exitCode = 1;
});
