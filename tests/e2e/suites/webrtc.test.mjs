// Calls between real browsers: what one camera sees reaches the other over WebRTC, and all signalling for it goes
// through the server. Who may ring and how a call ends otherwise is in calls.test.mjs.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Browser, Site } from '../support/browser.mjs';
import { AMBER, BLUE } from '../support/camera.mjs';
import { Phone } from '../support/phone.mjs';
import { Server } from '../support/server.mjs';
import { PATIENCE, within } from '../support/wait.mjs';

const artifacts = join(dirname(fileURLToPath(import.meta.url)), '..', '.artifacts');
const STUN_BINDING_REQUEST = 0x0001;
const STUN_COOKIE = 0x2112a442;

describe('calls between browsers', () => {
  let site;
  let blue;
  let amber;
  let server;
  let stun;
  let asked;
  before(async () => {
    stun = createSocket('udp4');
    stun.bind(0, '127.0.0.1');
    await once(stun, 'listening');
    asked = new Promise((resolve) => {
      stun.on('message', (packet) => {
        const binding = packet.length >= 20 && packet.readUInt16BE(0) === STUN_BINDING_REQUEST && packet.readUInt32BE(4) === STUN_COOKIE;
        if (binding) resolve();
      });
    });
    site = await Site.open();
    blue = await Browser.open(BLUE);
    amber = await Browser.open(AMBER);
    server = await Server.start({
      env: { CORS_ORIGIN: site.origin, ICE_SERVERS: `stun:127.0.0.1:${stun.address().port}` },
    });
  });
  after(async () => {
    await Promise.all([blue, amber, server, site].map((each) => each?.close()));
    stun.close();
  });

  /** Two people in a direct conversation, each at a browser of their own, speaking different dialects. */
  async function scene() {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversation = await ann.direct(ben);
    const [caller, callee] = await Promise.all([
      Phone.open(blue, site, { person: ann, peer: ben, conversation, dialect: 'ulearn' }),
      Phone.open(amber, site, { person: ben, peer: ann, conversation, dialect: 'marketplace' }),
    ]);
    return { ann, ben, conversation, caller, callee };
  }

  async function connect(caller, callee, media) {
    await caller.press(media);
    await callee.until('ringing');
    assert.equal(await caller.state(), 'calling');
    await callee.press('accept');
    await Promise.all([caller.until('connected'), callee.until('connected')]);
    for (const phone of [caller, callee]) {
      assert.equal((await phone.incoming()).connectionState, 'connected', phone.person.name);
      // A better pair of addresses may just be taking over from the first.
      await phone.untilIncoming('a pair of addresses that works', ({ pair }) => pair === 'succeeded');
    }
  }

  /** Hangs up at `phone` and returns what both heard of it. */
  async function hangUp(phone, ...phones) {
    await phone.press('hangup');
    await Promise.all(phones.map((each) => each.until('ready')));
    return Promise.all(phones.map((each) => each.heard('call:hangup')));
  }

  it('a video call connects, both see and hear each other, and hanging up ends it on both sides', async () => {
    const { ann, ben, conversation, caller, callee } = await scene();
    const device = await ben.connect('gateway');
    await connect(caller, callee, 'video');

    for (const phone of [caller, callee]) {
      await phone.untilWatching();
      await phone.untilHearing();
    }
    // Each sees what the other's camera does: Ann sits before a blue wall, Ben before an amber one.
    const [[annRed, , annBlue], [benRed, , benBlue]] = [await callee.wall(), await caller.wall()];
    assert.ok(annBlue > annRed + 40, `Ben sees ${annRed} red, ${annBlue} blue`);
    assert.ok(benRed > benBlue + 40, `Ann sees ${benRed} red, ${benBlue} blue`);
    await within(PATIENCE, 'a question to the STUN server that the server names', asked);
    await mkdir(artifacts, { recursive: true });
    await callee.page.screenshot({ path: join(artifacts, 'webrtc-callee.png') });

    // Ben's other device rang, and hears that it was answered; what the browsers tell each other is not for it.
    const { callId } = await device.until('call:invite', (invite) => invite.from === ann.id);
    const accepted = { callId, conversationId: conversation, userId: ben.id, reason: null };
    assert.deepEqual(await device.until('call:accept'), accepted);
    await device.fence();
    assert.deepEqual(device.received('call:signal'), []);
    const told = await callee.heard('call:signal');
    assert.deepEqual([...new Set(told.map((signal) => `${signal.from} ${signal.callId}`))], [`${ann.id} ${callId}`]);
    assert.deepEqual(told.filter(({ data }) => data.description).map(({ data }) => data.description.type), ['offer']);

    const parts = await Promise.all([caller, callee].map(({ page }) => page.evaluateHandle(() => window.phone.parts())));
    const over = { callId, conversationId: conversation, userId: ben.id, reason: null };
    assert.deepEqual(await hangUp(callee, caller, callee), [[over], [over]]);
    assert.deepEqual([await caller.note(), await callee.note()], ['Ben hung up', 'You hung up']);
    for (const part of parts) {
      const left = await part.evaluate(({ connection, tracks }) => [connection.connectionState, ...tracks.map(({ readyState }) => readyState)]);
      assert.deepEqual(left, ['closed', 'ended', 'ended']);
    }
    await Promise.all([caller.putAway(), callee.putAway()]);
  });

  it('a call outlives a lost socket, and its connection can be renewed over the new one', async () => {
    const { caller, callee } = await scene();
    await connect(caller, callee, 'video');
    const before = await Promise.all([caller.incoming(), callee.incoming()]);
    await caller.page.evaluate(() => window.phone.drop());
    // Both sides have the other's new credentials: an offer and its answer went over the new socket.
    for (const [index, phone] of [caller, callee].entries()) {
      await phone.untilIncoming('a renewed connection', (now) =>
        now.fragment !== before[index].fragment && now.connectionState === 'connected');
      await phone.untilWatching();
    }
    for (const heard of await hangUp(caller, caller, callee)) assert.deepEqual(heard.map(({ reason }) => reason), [null]);
    await Promise.all([caller.putAway(), callee.putAway()]);
  });

  it('a shared screen is seen, and who looks at it can speak', async () => {
    const { caller, callee } = await scene();
    await connect(caller, callee, 'screen');
    const [{ media }] = await callee.heard('call:invite');
    assert.equal(media, 'screen');
    await callee.untilWatching();
    await callee.untilHearing();
    const { framesDecoded } = await caller.untilHearing();
    assert.equal(framesDecoded, 0);
    await mkdir(artifacts, { recursive: true });
    await callee.page.screenshot({ path: join(artifacts, 'webrtc-screen.png') });
    await hangUp(caller, caller, callee);
    await Promise.all([caller.putAway(), callee.putAway()]);
  });

  it('a declined call connects nobody', async () => {
    const { ben, caller, callee } = await scene();
    await caller.press('video');
    await callee.until('ringing');
    await callee.press('reject');
    await Promise.all([caller.until('ready'), callee.until('ready')]);
    assert.equal(await caller.note(), 'Ben declined');
    assert.deepEqual((await caller.heard('call:reject')).map(({ userId }) => userId), [ben.id]);
    assert.deepEqual([await caller.heard('call:signal'), await callee.heard('call:signal')], [[], []]);
    await Promise.all([caller.putAway(), callee.putAway()]);
  });
});
