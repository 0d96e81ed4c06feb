// A call on the screen: ringing, talking, ended. It can be made small to go on writing. Loaded with the first call.
import { Maximize2, Mic, MicOff, Minimize2, Monitor, Phone, PhoneOff, Video, VideoOff } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { type CallPeer, type CallState, type Calls, type User, useChatState } from '../../parlance';
import { ConversationAvatar, UserAvatar } from '../avatar';
import { duration, titleOf, useNow } from '../format';
import '../styles/call.css';

/** How long it stands there that a call has ended. */
const GOODBYE_MS = 2_500;
const KINDS = { audio: 'Audio call', video: 'Video call', screen: 'Screen sharing' };

export default function CallOverlay({ calls }: { calls: Calls }) {
  const { call, dismiss } = calls;
  const ended = call?.phase === 'ended';
  useEffect(() => {
    if (!ended) return;
    const timer = setTimeout(dismiss, GOODBYE_MS);
    return () => clearTimeout(timer);
  }, [ended, dismiss]);
  if (!call) return null;
  return call.phase === 'ringing' ? <Ringing call={call} calls={calls} /> : <Talk call={call} calls={calls} />;
}

function useConversationOf(call: CallState) {
  const conversation = useChatState((state) =>
    call.conversationId ? state.conversations[call.conversationId] : undefined,
  );
  const me = useChatState((state) => state.me);
  const userOf = (id: string): User =>
    conversation?.participantUsers.find(({ _id }) => _id === id) ?? {
      _id: id,
      fullName: 'Somebody',
      profilePicture: null,
    };
  return { conversation, me, userOf, title: conversation ? titleOf(conversation, me) : '' };
}

function Ringing({ call, calls }: { call: CallState; calls: Calls }) {
  const { conversation, userOf, title } = useConversationOf(call);
  const accept = useRef<HTMLButtonElement>(null);
  useEffect(() => accept.current?.focus(), []);
  const caller = userOf(call.from ?? '');
  return (
    <div className="ringing" role="alertdialog" aria-label={`${caller.fullName} calls`}>
      <UserAvatar user={caller} size="large" />
      <div className="ringing-words">
        <strong>{caller.fullName}</strong>
        <span>
          {KINDS[call.media]}
          {conversation?.type === 'group' && ` in ${title}`}
        </span>
      </div>
      <button type="button" className="call-button call-button-end" aria-label="Decline" onClick={calls.reject}>
        <PhoneOff />
      </button>
      <button
        ref={accept}
        type="button"
        className="call-button call-button-take"
        aria-label="Accept"
        onClick={calls.accept}
      >
        <Phone />
      </button>
    </div>
  );
}

function Talk({ call, calls }: { call: CallState; calls: Calls }) {
  const { conversation, me, userOf, title } = useConversationOf(call);
  const [small, setSmall] = useState(false);
  const { phase, peers, local, muted, cameraOff, sharing, note } = call;
  const over = phase === 'ended';
  const seen = (local?.getVideoTracks().length ?? 0) > 0 && (!cameraOff || sharing);
  return (
    <section className={`call ${small ? 'call-small' : ''}`} aria-label={`Call: ${title}`} data-phase={phase}>
      <header className="call-header">
        <div>
          <strong>{title}</strong>
          <Progress call={call} />
        </div>
        <button
          type="button"
          className="icon-button"
          aria-label={small ? 'Make the call large' : 'Make the call small'}
          onClick={() => setSmall(!small)}
        >
          {small ? <Maximize2 /> : <Minimize2 />}
        </button>
      </header>
      <div className={`tiles tiles-${Math.min(peers.length, 4)}`}>
        {peers.map((peer) => (
          <PeerTile key={peer.userId} peer={peer} user={userOf(peer.userId)} />
        ))}
        {peers.length === 0 && conversation && (
          <div className="call-waiting">
            <ConversationAvatar conversation={conversation} me={me} size="huge" />
          </div>
        )}
        {!over && me && (
          <figure className="tile tile-own">
            {seen ? <Film stream={local} muted mirrored={!sharing} /> : <UserAvatar user={me} size="large" />}
            <figcaption>You{muted ? ', muted' : ''}</figcaption>
          </figure>
        )}
      </div>
      {note && !over && (
        <p className="call-note" role="status">
          {note}
        </p>
      )}
      {!over && (
        <div className="call-controls" role="toolbar" aria-label="Call">
          <Control label={muted ? 'Unmute' : 'Mute'} pressed={muted} onClick={calls.toggleMute}>
            {muted ? <MicOff /> : <Mic />}
          </Control>
          {call.media === 'video' && (
            <Control label={cameraOff ? 'Camera on' : 'Camera off'} pressed={cameraOff} onClick={calls.toggleCamera}>
              {cameraOff ? <VideoOff /> : <Video />}
            </Control>
          )}
          <Control label={sharing ? 'Stop sharing' : 'Share the screen'} pressed={sharing} onClick={calls.toggleScreen}>
            <Monitor />
          </Control>
          <button type="button" className="call-button call-button-end" aria-label="Hang up" onClick={calls.hangUp}>
            <PhoneOff />
          </button>
        </div>
      )}
    </section>
  );
}

function Control({
  label,
  pressed,
  onClick,
  children,
}: {
  label: string;
  pressed: boolean;
  onClick: () => void;
  children: ReactNode;
}) {
  return (
    <button
      type="button"
      className="call-button"
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      onClick={onClick}
    >
      {children}
    </button>
  );
}

function Progress({ call: { phase, since, note } }: { call: CallState }) {
  const now = useNow(1_000);
  const words = {
    idle: '',
    ringing: '',
    calling: 'Calling …',
    connecting: 'Connecting …',
    connected: since ? duration(now - since) : '',
    ended: note ?? 'Call ended',
  };
  return (
    <span className="call-progress" role={phase === 'connected' ? undefined : 'status'}>
      {words[phase]}
    </span>
  );
}

function PeerTile({ peer: { stream, connected }, user }: { peer: CallPeer; user: User }) {
  const seen = stream.getVideoTracks().some(({ muted, readyState }) => !muted && readyState === 'live');
  return (
    <figure className="tile">
      <Film stream={stream} hidden={!seen} />
      {!seen && <UserAvatar user={user} size="huge" />}
      <figcaption>
        {user.fullName}
        {!connected && ' …'}
      </figcaption>
    </figure>
  );
}

/** A stream as it comes. Sound comes from here too, so it is there where nothing is to be seen. */
function Film({
  stream,
  muted = false,
  mirrored = false,
  hidden = false,
}: {
  stream: MediaStream | null;
  muted?: boolean;
  mirrored?: boolean;
  hidden?: boolean;
}) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current && video.current.srcObject !== stream) video.current.srcObject = stream;
  });
  return (
    <video
      ref={video}
      autoPlay
      playsInline
      muted={muted}
      data-mirrored={mirrored || undefined}
      data-hidden={hidden || undefined}
    />
  );
}
