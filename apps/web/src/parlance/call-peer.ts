// The way to one other person in a call: a peer connection on which both sides may offer at any time, what is sent over
// it, and what comes back. When both offer at once, the one who is polite gives way. How words reach the other is
// `call-session`'s part.

/** What the two browsers say to each other over `call:signal`. */
export type Word = { description?: RTCSessionDescription; candidate?: RTCIceCandidateInit };

export interface PeerOptions {
  servers: RTCIceServer[];
  /** Whether this side gives way; the other must be told the opposite. */
  polite: boolean;
  /** What we send from the beginning, asked when the other has offered or is offered something. */
  tracks: () => MediaStreamTrack[];
  say: (word: Word) => void;
  /** Something to be seen has changed: connected or not, a track that came, fell silent or went. */
  changed: () => void;
  /** A word could not be taken. */
  failed: (error: Error) => void;
}

export class Peer {
  readonly stream = new MediaStream();
  #connection: RTCPeerConnection;
  #offering = false;
  #ignoring = false;
  /** Words are taken one after another: a candidate is of no use before its description. */
  #words = Promise.resolve();

  constructor(readonly options: PeerOptions) {
    const connection = new RTCPeerConnection({ iceServers: options.servers });
    this.#connection = connection;
    connection.ontrack = ({ track }) => {
      this.stream.addTrack(track);
      track.onmute = track.onunmute = track.onended = options.changed;
      options.changed();
    };
    connection.onicecandidate = ({ candidate }) => candidate && options.say({ candidate: candidate.toJSON() });
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === 'failed') connection.restartIce();
      options.changed();
    };
    connection.onnegotiationneeded = () => void this.#offer();
  }

  get connected(): boolean {
    return this.#connection.connectionState === 'connected';
  }

  /** Sends what we have from the beginning, unless that is done. The first of it makes an offer. */
  give(): void {
    if (this.#connection.getSenders().some(({ track }) => track)) return;
    for (const track of this.options.tracks()) this.#connection.addTrack(track);
  }

  /** Sends this picture in place of the one before, or none. */
  async show(track: MediaStreamTrack | null): Promise<void> {
    const way = this.#connection.getTransceivers().find(({ receiver }) => receiver.track.kind === 'video');
    if (!way) {
      if (track) this.#connection.addTrack(track);
      return;
    }
    await way.sender.replaceTrack(track);
    // Of a picture that only stopped the other side would go on showing the last.
    way.direction = track ? 'sendrecv' : 'recvonly';
  }

  hear(word: Word): void {
    this.#words = this.#words
      .then(() => this.#take(word))
      .catch((error: Error) => {
        if (!this.#ignoring && !this.#closed) this.options.failed(error);
      });
  }

  /** Looks for a way again, after the network has changed. */
  restart(): void {
    this.#connection.restartIce();
  }

  close(): void {
    this.#connection.close();
  }

  get #closed(): boolean {
    return this.#connection.signalingState === 'closed';
  }

  async #offer(): Promise<void> {
    try {
      this.#offering = true;
      await this.#describe();
    } catch (error) {
      if (!this.#closed) this.options.failed(error as Error);
    } finally {
      this.#offering = false;
    }
  }

  async #describe(): Promise<void> {
    await this.#connection.setLocalDescription();
    this.options.say({ description: this.#connection.localDescription as RTCSessionDescription });
  }

  async #take({ description, candidate }: Word): Promise<void> {
    if (this.#closed) return;
    if (candidate) {
      if (!this.#ignoring) await this.#connection.addIceCandidate(candidate);
      return;
    }
    if (!description) return;
    const offered = description.type === 'offer';
    const both = offered && (this.#offering || this.#connection.signalingState !== 'stable');
    this.#ignoring = both && !this.options.polite;
    if (this.#ignoring) return;
    await this.#connection.setRemoteDescription(description);
    if (!offered) return;
    this.give();
    await this.#describe();
  }
}
