// Calls: ringing, answering, who is in, and what they are shown. Signalling goes over `call:*`; who is in a call offers to
// whoever comes in. The connection to each of the others is `call-peer`'s part. Pages load this with the first call, not
// before.
import { createStore, type StoreApi } from 'zustand/vanilla';
import { Peer, type Word } from './call-peer';
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
      if (callId === this.#now.callId && this.#now.local) this.#peer(from).hear(data);
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
      if (await this.#prepare(callId, media === 'screen'))
        await this.#ask('call:invite', { conversationId, callId, media });
    } catch (error) {
      if (this.#goesOn(callId)) this.#end(reasonOf(error));
    }
  }

  async accept(): Promise<void> {
    const { callId } = this.#now;
    this.state.setState({ phase: 'connecting' });
    try {
      if (await this.#prepare(callId, false)) await this.#ask('call:accept', { callId });
    } catch (error) {
      if (!this.#goesOn(callId)) return;
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

  /** Whoever uses this goes: nothing films on, and the others need not wait. */
  leave(): void {
    const { phase } = this.#now;
    if (phase === 'ringing') this.#end(null);
    else if (phase !== 'idle' && phase !== 'ended') void this.hangUp();
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
    const { callId } = this.#now;
    try {
      const shared = await navigator.mediaDevices.getDisplayMedia({ video: true });
      if (this.#goesOn(callId)) await this.#share(shared);
      else stop(shared);
    } catch (error) {
      // Whoever closes the browser's dialogue does not want to share.
      if ((error as Error).name !== 'NotAllowedError') this.state.setState({ note: reasonOf(error) });
    }
  }

  async #share(shared: MediaStream): Promise<void> {
    const [screen] = shared.getVideoTracks();
    if (!screen) return;
    this.#screen = screen;
    // The browser has a button of its own for that.
    screen.onended = () => void this.#unshare();
    this.state.setState({ sharing: true });
    await this.#show(screen);
  }

  async #unshare(): Promise<void> {
    this.#screen?.stop();
    this.#screen = null;
    this.state.setState({ sharing: false });
    const camera = this.#now.local?.getVideoTracks().find(({ readyState }) => readyState === 'live') ?? null;
    await this.#show(camera);
  }

  /** What the others, and we ourselves, see from now on. */
  async #show(track: MediaStreamTrack | null): Promise<void> {
    const { local } = this.#now;
    if (!local) return;
    const camera = local.getVideoTracks().filter((known) => known !== track && known.readyState === 'live');
    this.state.setState({
      local: new MediaStream([...local.getAudioTracks(), ...(track ? [track] : []), ...camera]),
    });
    await Promise.all([...this.#peers.values()].map((peer) => peer.show(track)));
  }

  /**
   * Microphone, camera and the way are there before the others are told, so that nothing they send comes too early.
   * False when the call was ended while the browser asked whether it may.
   */
  async #prepare(callId: string | null, screen: boolean): Promise<boolean> {
    const devices = navigator.mediaDevices;
    if (!devices) throw new Error('Calls need a secure page (https or this machine)');
    const [stream, servers] = await Promise.all([
      devices.getUserMedia({ audio: true, video: this.#now.media === 'video' }),
      this.rest.iceServers(),
    ]);
    if (!this.#goesOn(callId)) return stop(stream);
    this.#servers = servers;
    this.state.setState({ local: stream });
    if (!screen) return true;
    const shared = await devices.getDisplayMedia({ video: true });
    if (!this.#goesOn(callId)) return stop(shared);
    await this.#share(shared);
    return true;
  }

  #goesOn(callId: string | null): boolean {
    const { callId: now, phase } = this.#now;
    return now === callId && phase !== 'idle' && phase !== 'ended';
  }

  #peer(userId: string): Peer {
    const known = this.#peers.get(userId);
    if (known) return known;
    const { callId } = this.#now;
    const peer = new Peer({
      servers: this.#servers,
      polite: this.me() < userId,
      tracks: () => this.#sent(),
      // A word for a call that has just ended is refused; there is nobody left to tell of it.
      say: (data) => void this.connection.ask('call:signal', { callId, to: userId, data }).catch(() => undefined),
      changed: () => this.#shown(),
      failed: (error) => this.state.setState({ note: error.message }),
    });
    this.#peers.set(userId, peer);
    this.#shown();
    return peer;
  }

  /** What whoever comes in is sent: our voice, and the screen or the camera. */
  #sent(): MediaStreamTrack[] {
    const { local } = this.#now;
    const [film] = local?.getVideoTracks() ?? [];
    return [...(local?.getAudioTracks() ?? []), ...(film ? [film] : [])];
  }

  #shown(): void {
    const peers = [...this.#peers].map(([userId, { stream, connected }]) => ({ userId, stream, connected }));
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
    if (phase !== 'ringing' && this.#now.local) this.#peer(userId).give();
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
    this.#peers.get(userId)?.close();
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
    for (const peer of this.#peers.values()) peer.restart();
  }

  async #ask(event: string, payload: unknown): Promise<void> {
    const answer = await this.connection.ask(event, payload);
    if (!answer.success) throw new Error(answer.error);
  }

  #end(note: string | null): void {
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
    if (this.#now.local) stop(this.#now.local);
    this.#screen = null;
    const { conversationId, media, callId } = this.#now;
    this.state.setState(note ? { ...IDLE, phase: 'ended', conversationId, media, callId, note } : IDLE);
  }
}

/** Lets go of microphone, camera or screen. */
function stop(stream: MediaStream): false {
  for (const track of stream.getTracks()) track.stop();
  return false;
}

function reasonOf(error: unknown): string {
  const { name, message } = error as Error;
  if (name === 'NotAllowedError') return 'Camera or microphone is not allowed';
  if (name === 'NotFoundError') return 'No camera or microphone was found';
  return message;
}
