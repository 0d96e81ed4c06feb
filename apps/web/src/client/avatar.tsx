// A person's or a group's picture, or their initials on a colour of their own.
import { Users } from 'lucide-react';
import { useState } from 'react';
import type { Conversation, User } from '../parlance';
import { peerOf } from '../parlance';

const COLOURS = 8;

function colourOf(id: string): number {
  let hash = 0;
  for (const char of id) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return hash % COLOURS;
}

function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => [...(word ?? '')][0] ?? '');
  return letters.join('').toUpperCase() || '?';
}

export interface AvatarProps {
  id: string;
  name: string;
  picture: string | null;
  size?: 'small' | 'medium' | 'large' | 'huge' | undefined;
  online?: boolean | undefined;
  group?: boolean | undefined;
}

/** Decoration: the name stands beside it. */
export function Avatar({ id, name, picture, size = 'medium', online, group = false }: AvatarProps) {
  const [broken, setBroken] = useState<string | null>(null);
  const shown = picture && picture !== broken ? picture : null;
  return (
    <span className={`avatar avatar-${size} ${shown ? '' : `avatar-colour-${colourOf(id)}`}`} aria-hidden="true">
      {shown ? (
        <img src={shown} alt="" loading="lazy" onError={() => setBroken(shown)} />
      ) : group ? (
        <Users />
      ) : (
        initialsOf(name)
      )}
      {online && <span className="avatar-dot" />}
    </span>
  );
}

export function UserAvatar({ user, ...rest }: { user: User } & Pick<AvatarProps, 'size' | 'online'>) {
  return <Avatar id={user._id} name={user.fullName} picture={user.profilePicture} {...rest} />;
}

export function ConversationAvatar({
  conversation,
  me,
  ...rest
}: { conversation: Conversation; me: User | null } & Pick<AvatarProps, 'size' | 'online'>) {
  const peer = peerOf(conversation, me);
  if (peer) return <UserAvatar user={peer} {...rest} />;
  const { _id, title, groupImage } = conversation;
  return <Avatar id={_id} name={title ?? ''} picture={groupImage} group {...rest} />;
}
