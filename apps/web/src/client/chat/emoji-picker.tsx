// Emoji to choose from: the board, and the board above the field to write in, which Escape and a click elsewhere close.
import { useEffect, useRef } from 'react';
import { GROUPS } from './emoji';

export function EmojiBoard({ onPick }: { onPick: (emoji: string) => void }) {
  return GROUPS.map(({ name, emoji }) => (
    <section key={name} className="emoji-board" aria-label={name}>
      <h3>{name}</h3>
      <div className="emoji-grid">
        {emoji.map((one) => (
          <button key={one} type="button" onClick={() => onPick(one)}>
            {one}
          </button>
        ))}
      </div>
    </section>
  ));
}

export function EmojiPicker({ onPick, onClose }: { onPick: (emoji: string) => void; onClose: () => void }) {
  const board = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    board.current?.querySelector('button')?.focus();
    const pressed = (event: PointerEvent) => {
      if (!board.current?.contains(event.target as Node)) onClose();
    };
    document.addEventListener('pointerdown', pressed);
    return () => {
      document.removeEventListener('pointerdown', pressed);
      if (before instanceof HTMLElement) before.focus();
    };
  }, [onClose]);
  return (
    <div
      ref={board}
      className="emoji-picker"
      role="dialog"
      aria-label="Emoji"
      onKeyDown={(event) => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          onClose();
        }
      }}
    >
      <EmojiBoard onPick={onPick} />
    </div>
  );
}
