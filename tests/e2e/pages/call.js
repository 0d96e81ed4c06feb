// A small telephone for one direct conversation: it rings, answers, connects the two browsers and hangs up, all
// signalling over the extension vocabulary's `call:*`. The caller offers, the callee answers. What it needs to know
// stands in the address's fragment; `window.phone` lets a test look inside.
import { io } from './socket.io.js';

const me = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const $ = (selector) => document.querySelector(selector);
const heard = [];
let call;

const socket = io(me.server, { auth: { token: me.token, dialect: me.dialect }, reconnectionDelay: 50 });

async function ask(event, payload) {
  const answer = await socket.emitWithAck(event, payload);
  if (!answer?.success) throw new Error(`${event}: ${JSON.stringify(answer)}`);
}

function show(state, note = '') {
  document.body.dataset.state = state;
  document.body.dataset.media = call?.media ?? '';
  $('#state').textContent = state;
  $('#note').textContent = note;
}

/** Nothing that a test does not see fails in silence. */
function failed(error) {
  show('failed', error.message);
  console.error(error);
}
const guarded = (work) => (...args) => Promise.resolve(work(...args)).catch(failed);

async function iceServers() {
  const response = await fetch(`${me.server}/api/v1/calls/ice-servers`, { headers: { authorization: `Bearer ${me.token}` } });
  return (await response.json()).data.iceServers;
}

/** What this side gives: who shares a screen shows it, who looks at it only speaks. */
async function capture(media, calling) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: media === 'video' });
  if (media === 'screen' && calling) {
    const screen = await navigator.mediaDevices.getDisplayMedia({ video: true });
    screen.getTracks().forEach((track) => stream.addTrack(track));
  }
  return stream;
}

/** Camera and connection are there before the other side is told, so that nothing it sends comes too early. */
async function prepare(current) {
  const [stream, servers] = await Promise.all([capture(current.media, current.calling), iceServers()]);
  const connection = new RTCPeerConnection({ iceServers: servers });
  Object.assign(current, { stream, connection });
  connection.onconnectionstatechange = () => {
    if (call === current) show(connection.connectionState === 'connected' ? 'connected' : 'connecting');
  };
  connection.onicecandidate = ({ candidate }) => candidate && signal(current, { candidate });
  connection.ontrack = ({ streams }) => ($('#theirs video').srcObject = streams[0]);
  $('#mine video').srcObject = stream;
}

/** Offers when the other one is there, and again whenever the connection asks for it. */
function offer(current) {
  const { connection, stream } = current;
  connection.onnegotiationneeded = guarded(async () => {
    await connection.setLocalDescription();
    await signal(current, { description: connection.localDescription });
  });
  stream.getTracks().forEach((track) => connection.addTrack(track, stream));
}

/** A word for a call that has just ended is refused, maybe before the end of the call is heard here. */
const signal = guarded(async (current, data) => {
  if (call !== current) return;
  const answer = await socket.emitWithAck('call:signal', { callId: current.id, to: me.peer, data });
  if (answer.success) return;
  heard.push(['refused', answer]);
  if (answer.code !== 'CONFLICT') throw new Error(`call:signal: ${JSON.stringify(answer)}`);
});

async function take(current, { description, candidate }) {
  const { connection, stream } = current;
  if (candidate) return connection.addIceCandidate(candidate);
  await connection.setRemoteDescription(description);
  if (description.type !== 'offer') return undefined;
  if (connection.getSenders().every(({ track }) => !track)) {
    stream.getTracks().forEach((track) => connection.addTrack(track, stream));
  }
  await connection.setLocalDescription();
  return signal(current, { description: connection.localDescription });
}

async function invite(media) {
  call = { id: crypto.randomUUID(), media, calling: true, words: Promise.resolve() };
  show('calling', `Calling ${me.peerName} …`);
  await prepare(call);
  await ask('call:invite', { conversationId: me.conversation, callId: call.id, media });
  call.joined = true;
}

async function accept() {
  show('connecting');
  await prepare(call);
  await ask('call:accept', { callId: call.id });
  call.joined = true;
}

function end(note) {
  call?.connection?.close();
  call?.stream?.getTracks().forEach((track) => track.stop());
  document.querySelectorAll('video').forEach((video) => (video.srcObject = null));
  call = undefined;
  show('ready', note);
}

socket.onAny((event, payload) => event.startsWith('call:') && heard.push([event, payload]));
const on = (event, work) => socket.on(event, guarded(async (payload) => payload.callId === call?.id && work(payload)));

socket.on('call:invite', ({ callId, media, from }) => {
  if (call || from !== me.peer) return;
  call = { id: callId, media, calling: false, words: Promise.resolve() };
  show('ringing', `${me.peerName} calls you (${media})`);
});
on('call:accept', ({ userId }) => {
  if (userId === me.peer && call.calling) {
    show('connecting');
    offer(call);
  } else if (userId === me.user && !call.connection) {
    end('Answered on another device');
  }
});
on('call:signal', ({ data }) => {
  const current = call;
  // One after another: a candidate is of no use before the description that it belongs to.
  current.words = current.words.then(() => call === current && take(current, data));
  return current.words;
});
on('call:reject', ({ userId }) => end(userId === me.user ? '' : `${me.peerName} declined`));
on('call:hangup', ({ userId }) => end(userId === me.user ? 'You hung up' : `${me.peerName} hung up`));

socket.on('connect', guarded(async () => {
  if (!call) show('ready');
  if (!call?.joined) return;
  // Back on a new socket in the middle of a call: accepting again goes on with it.
  await ask('call:accept', { callId: call.id });
  if (call?.calling) call.connection.restartIce();
}));
socket.on('connect_error', failed);

$('#video').onclick = guarded(() => invite('video'));
$('#screen').onclick = guarded(() => invite('screen'));
$('#accept').onclick = guarded(accept);
$('#reject').onclick = guarded(() => ask('call:reject', { callId: call.id }));
$('#hangup').onclick = guarded(() => ask('call:hangup', { callId: call.id }));

$('#topic').textContent = `${me.name} and ${me.peerName}`;
for (const [place, name] of [['#mine', `${me.name} (you)`], ['#theirs', me.peerName]]) {
  $(`${place} figcaption`).textContent = name;
  $(`${place} .initial`).textContent = name[0];
}

/** What has come in from the other browser so far. */
async function incoming() {
  const reports = [...((await call?.connection?.getStats())?.values() ?? [])];
  const inbound = (kind) => reports.find((report) => report.type === 'inbound-rtp' && report.kind === kind);
  const transport = reports.find(({ type }) => type === 'transport');
  const video = $('#theirs video');
  return {
    connectionState: call?.connection?.connectionState,
    fragment: call?.connection?.remoteDescription?.sdp.match(/a=ice-ufrag:(\S+)/)[1],
    pair: reports.find(({ id }) => id === transport?.selectedCandidatePairId)?.state,
    framesDecoded: inbound('video')?.framesDecoded ?? 0,
    audioPackets: inbound('audio')?.packetsReceived ?? 0,
    currentTime: video.currentTime,
    size: [video.videoWidth, video.videoHeight],
  };
}

/** The colour of the other's picture in its upper left corner, as [red, green, blue]. */
function corner() {
  const context = Object.assign(document.createElement('canvas'), { width: 32, height: 32 }).getContext('2d');
  context.drawImage($('#theirs video'), 0, 0, 32, 32);
  return [...context.getImageData(2, 2, 1, 1).data.slice(0, 3)];
}

window.phone = {
  heard,
  incoming,
  corner,
  /** Cuts the transport under the socket, as a lost network does. */
  drop: () => socket.io.engine.close(),
  /** The call's connection and its captured tracks, to look at after they ended. */
  parts: () => ({ connection: call.connection, tracks: call.stream.getTracks() }),
};
