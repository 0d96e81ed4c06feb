// Calls: ringing, answering, and a connection to each of the others in a call. Signalling goes over `call:*`. Who is in
// a call offers to whoever comes in; when both sides offer at once, the one with the smaller id gives way. Pages load
// this with the first call, not before.
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Connection } from './connection';
import type { CallInvite, CallMedia, CallStep } from './contract';
import { randomId } from './ids';
import type { Rest } from './rest';

export type CallPhase = 'idle' | 'ringing' | 'calling' | 'connecting' | 'connected' | 'ended';

export interface CallPeer {
  userId: string;
  stream: MediaStream;
  connected: boolean;
}

export interface CallState {
  phase: CallPhase;
  callId: string | null;
  conversationId: string | null;
  media: CallMedia;
  /** Who rings, while it rings here. */
  from: string | null;
  /** When the first other one was reached, in milliseconds since the epoch. */
  since: number | null;
  local: MediaStream | null;
  peers: readonly CallPeer[];
  muted: boolean;
  cameraOff: boolean;
  sharing: boolean;
  /** Why it ended or does not go on, for people. */
  note: string | null;
}

const IDLE: CallState = {
  phase: 'idle',
  callId: null,
  conversationId: null,
  media: 'audio',
  from: null,
  since: null,
  local: null,
  peers: [],
  muted: false,
  cameraOff: false,
  sharing: false,
  note: null,
};

interface Peer {
  connection: RTCPeerConnection;
  stream: MediaStream;
  offering: boolean;
  ignoring: boolean;
  /** Words are taken one after another: a candidate is of no use before its description. */
  words: Promise<void>;
}

type Word = { description?: RTCSessionDescription; candidate?: RTCIceCandidateInit };

const ENDINGS: Record<string, string> = { timeout: 'No answer', disconnected: 'The connection was lost', busy: 'Busy' };

export class CallSession {
  readonly state: StoreApi<CallState> = createStore(() => IDLE);
  #peers = new Map<string, Peer>();
  #servers: RTCIceServer[] = [];
  #screen: MediaStreamTrack | null = null;
  /** At whom it still rings, of those that we call. */
  #ringing = new Set<string>();

  constructor(
    readonly connection: Connection,
    readonly rest: Rest,
    readonly me: () => string,
  ) {
    connection.on('call:accept', (step: CallStep) => this.#mine(step) && this.#accepted(step));
    connection.on('call:reject', (step: CallStep) => this.#mine(step) && this.#rejected(step));
    connection.on('call:hangup', (step: CallStep) => this.#mine(step) && this.#left(step));
    connection.on('call:signal', ({ callId, from, data }: { callId: string; from: string; data: Word }) => {
      if (callId === this.#now.callId && this.#now.local) this.#heard(from, data);
    });
    connection.on('connect', () => void this.#resume());
  }

  get #now(): CallState {
    return this.state.getState();
  }

  #mine = ({ callId }: { callId: string }) => callId === this.#now.callId;

  /** It rings here. Whoever is in a call already does not hear it. */
  invited({ callId, conversationId, media, from }: CallInvite): void {
    if (!['idle', 'ended'].includes(this.#now.phase)) return;
    this.state.setState({ ...IDLE, phase: 'ringing', callId, conversationId, media, from });
  }

  /** Calls everybody else in a conversation. */
  async call(conversationId: string, media: CallMedia, others: readonly string[]): Promise<void> {
    if (!['idle', 'ended'].includes(this.#now.phase)) return;
    const callId = randomId();
    this.#ringing = new Set(others);
    this.state.setState({ ...IDLE, phase: 'calling', callId, conversationId, media });
    try {
      await this.#prepare(media, media === 'screen');
      await this.#ask('call:invite', { conversationId, callId, media });
    } catch (error) {
      this.#end(reasonOf(error));
    }
  }

  async accept(): Promise<void> {
    const { callId, media } = this.#now;
    this.state.setState({ phase: 'connecting' });
    try {
      await this.#prepare(media, false);
      await this.#ask('call:accept', { callId });
    } catch (error) {
      void this.connection.ask('call:reject', { callId }).catch(() => undefined);
      this.#end(reasonOf(error));
    }
  }

  async reject(): Promise<void> {
    const { callId } = this.#now;
    this.#end(null);
    await this.connection.ask('call:reject', { callId }).catch(() => undefined);
  }

  async hangUp(): Promise<void> {
    const { callId } = this.#now;
    this.#end('Call ended');
    await this.connection.ask('call:hangup', { callId }).catch(() => undefined);
  }

  /** Takes away what is left of an ended call. */
  dismiss(): void {
    if (this.#now.phase === 'ended') this.state.setState(IDLE);
  }

  toggleMute(): void {
    const muted = !this.#now.muted;
    for (const track of this.#now.local?.getAudioTracks() ?? []) track.enabled = !muted;
    this.state.setState({ muted });
  }

  toggleCamera(): void {
    const cameraOff = !this.#now.cameraOff;
    for (const track of this.#now.local?.getVideoTracks() ?? []) if (track !== this.#screen) track.enabled = !cameraOff;
    this.state.setState({ cameraOff });
  }

  /** Shows the screen instead of the camera, or the camera again. */
  async toggleScreen(): Promise<void> {
    if (this.#screen) return this.#unshare();
    try {
      const shared = await navigator.mediaDevices.getDisplayMedia({ video: true });
      await this.#share(shared);
    } catch (error) {
      // Whoever closes the browser's dialogue does not want to share.
      if ((error as Error).name !== 'NotAllowedError') this.state.setState({ note: reasonOf(error) });
    }
  }

  async #share(shared: MediaStream): Promise<void> {
    const [track] = shared.getVideoTracks();
    const { local } = this.#now;
    if (!track || !local) return;
    this.#screen = track;
    track.onended = () => void this.#unshare();
    await this.#show(track);
    this.state.setState({ sharing: true });
  }

  async #unshare(): Promise<void> {
    this.#screen?.stop();
    this.#screen = null;
    const camera = this.#now.local?.getVideoTracks().find(({ readyState }) => readyState === 'live') ?? null;
    await this.#show(camera);
    this.state.setState({ sharing: false });
  }

  /** What the others see from now on. */
  async #show(track: MediaStreamTrack | null): Promise<void> {
    const { local } = this.#now;
    if (!local) return;
    for (const { connection } of this.#peers.values()) {
      const sender = connection.getSenders().find((known) => known.track?.kind === 'video');
      if (sender) await sender.replaceTrack(track);
      else if (track) connection.addTrack(track, local);
    }
    const audio = local.getAudioTracks();
    const camera = local.getVideoTracks().filter((known) => known !== track && known.readyState === 'live');
    this.state.setState({ local: new MediaStream([...audio, ...(track ? [track] : []), ...camera]) });
  }

  /** Microphone, camera and the way are there before the others are told, so that nothing they send comes too early. */
  async #prepare(media: CallMedia, screen: boolean): Promise<void> {
    const devices = navigator.mediaDevices;
    if (!devices) throw new Error('Calls need a secure page (https or this machine)');
    const [stream, servers] = await Promise.all([
      devices.getUserMedia({ audio: true, video: media === 'video' }),
      this.rest.iceServers(),
    ]);
    this.#servers = servers;
    this.state.setState({ local: stream });
    if (!screen) return;
    const [track] = (await devices.getDisplayMedia({ video: true })).getVideoTracks();
    if (!track) return;
    this.#screen = track;
    track.onended = () => void this.#unshare();
    this.state.setState({ local: new MediaStream([...stream.getAudioTracks(), track]), sharing: true });
  }

  #peer(userId: string): Peer {
    const known = this.#peers.get(userId);
    if (known) return known;
    const connection = new RTCPeerConnection({ iceServers: this.#servers });
    const peer: Peer = {
      connection,
      stream: new MediaStream(),
      offering: false,
      ignoring: false,
      words: Promise.resolve(),
    };
    this.#peers.set(userId, peer);
    connection.ontrack = ({ track }) => {
      peer.stream.addTrack(track);
      track.onmute = track.onunmute = track.onended = () => this.#shown();
      this.#shown();
    };
    connection.onicecandidate = ({ candidate }) => candidate && this.#say(userId, { candidate: candidate.toJSON() });
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === 'failed') connection.restartIce();
      this.#shown();
    };
    connection.onnegotiationneeded = async () => {
      try {
        peer.offering = true;
        await connection.setLocalDescription();
        this.#say(userId, { description: connection.localDescription as RTCSessionDescription });
      } finally {
        peer.offering = false;
      }
    };
    this.#shown();
    return peer;
  }

  #give({ connection }: Peer): void {
    const { local } = this.#now;
    if (!local || connection.getSenders().some(({ track }) => track)) return;
    const video = this.#screen ?? local.getVideoTracks()[0];
    for (const track of [...local.getAudioTracks(), ...(video ? [video] : [])]) connection.addTrack(track, local);
  }

  #say(userId: string, data: Word): void {
    const { callId } = this.#now;
    // A word for a call that has just ended is refused; there is nobody left to tell of it.
    void this.connection.ask('call:signal', { callId, to: userId, data }).catch(() => undefined);
  }

  #heard(userId: string, word: Word): void {
    const peer = this.#peer(userId);
    peer.words = peer.words
      .then(() => this.#take(userId, peer, word))
      .catch((error: Error) => {
        if (!peer.ignoring && this.#peers.get(userId) === peer) this.state.setState({ note: error.message });
      });
  }

  async #take(userId: string, peer: Peer, { description, candidate }: Word): Promise<void> {
    if (this.#peers.get(userId) !== peer) return;
    const { connection } = peer;
    if (candidate) {
      if (!peer.ignoring) await connection.addIceCandidate(candidate);
      return;
    }
    if (!description) return;
    const both = description.type === 'offer' && (peer.offering || connection.signalingState !== 'stable');
    peer.ignoring = both && this.me() > userId;
    if (peer.ignoring) return;
    await connection.setRemoteDescription(description);
    if (description.type !== 'offer') return;
    this.#give(peer);
    await connection.setLocalDescription();
    this.#say(userId, { description: connection.localDescription as RTCSessionDescription });
  }

  #shown(): void {
    const peers = [...this.#peers].map(([userId, { connection, stream }]) => ({
      userId,
      stream,
      connected: connection.connectionState === 'connected',
    }));
    const reached = peers.some(({ connected }) => connected);
    const { phase, since } = this.#now;
    const going = phase === 'calling' || phase === 'connecting' || phase === 'connected';
    this.state.setState({
      peers,
      phase: going && reached ? 'connected' : phase,
      since: reached ? (since ?? Date.now()) : since,
    });
  }

  #accepted({ userId }: CallStep): void {
    const { phase } = this.#now;
    if (userId === this.me()) {
      if (phase === 'ringing') this.#end('Answered on another device');
      return;
    }
    this.#ringing.delete(userId);
    if (phase === 'calling') this.state.setState({ phase: 'connecting' });
    if (phase !== 'ringing' && this.#now.local) this.#give(this.#peer(userId));
  }

  #rejected({ userId, reason }: CallStep): void {
    if (userId === this.me()) {
      if (this.#now.phase === 'ringing') this.#end('Declined on another device');
      return;
    }
    // In a group the others may still come.
    this.#ringing.delete(userId);
    const alone = this.#peers.size === 0 && this.#ringing.size === 0;
    if (this.#now.phase === 'calling' && alone) this.#end(ENDINGS[reason ?? ''] ?? 'Declined');
  }

  #left({ userId, reason }: CallStep): void {
    const peer = this.#peers.get(userId);
    peer?.connection.close();
    this.#peers.delete(userId);
    if (userId === this.me() || this.#peers.size === 0) return this.#end(ENDINGS[reason ?? ''] ?? 'Call ended');
    this.#shown();
  }

  /** Back on a new socket in the middle of a call: accepting again goes on with it. */
  async #resume(): Promise<void> {
    const { phase, callId } = this.#now;
    if (phase !== 'connecting' && phase !== 'connected' && phase !== 'calling') return;
    const answer = await this.connection.ask('call:accept', { callId }).catch(() => null);
    if (!answer?.success) return this.#end('The call is over');
    for (const { connection } of this.#peers.values()) connection.restartIce();
  }

  async #ask(event: string, payload: unknown): Promise<void> {
    const answer = await this.connection.ask(event, payload);
    if (!answer.success) throw new Error(answer.error);
  }

  #end(note: string | null): void {
    for (const { connection } of this.#peers.values()) connection.close();
    this.#peers.clear();
    for (const track of this.#now.local?.getTracks() ?? []) track.stop();
    this.#screen?.stop();
    this.#screen = null;
    const { conversationId, media, callId } = this.#now;
    this.state.setState(note ? { ...IDLE, phase: 'ended', conversationId, media, callId, note } : IDLE);
  }
}

function reasonOf(error: unknown): string {
  const { name, message } = error as Error;
  if (name === 'NotAllowedError') return 'Camera or microphone is not allowed';
  if (name === 'NotFoundError') return 'No camera or microphone was found';
  return message;
}
