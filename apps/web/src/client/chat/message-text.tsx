// A message's words: links become links, a few emoji alone become large.
import { memo } from 'react';

const LINK = /https?:\/\/[^\s<>"]+[^\s<>"'.,;:!?)\]}]/g;
const ONLY_EMOJI =
  /^(?:\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\uFE0F|\u200D\p{Extended_Pictographic})*\s*){1,4}$/u;

export const MessageText = memo(function MessageText({ text }: { text: string }) {
  if (ONLY_EMOJI.test(text)) return <p className="message-text message-emoji">{text}</p>;
  const parts = [];
  let done = 0;
  for (const { 0: href, index } of text.matchAll(LINK)) {
    if (index > done) parts.push(text.slice(done, index));
    parts.push(
      <a key={index} href={href} target="_blank" rel="noopener noreferrer nofollow">
        {href}
      </a>,
    );
    done = index + href.length;
  }
  parts.push(text.slice(done));
  return (
    <p className="message-text" dir="auto">
      {parts}
    </p>
  );
});
