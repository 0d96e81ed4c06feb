// A picture as large as the window; arrows go to the others of its message.
import { ChevronLeft, ChevronRight, Download, X } from 'lucide-react';
import { useState } from 'react';
import type { Medium } from '../../parlance';
import { useModal } from './dialogue';

export function Picture({ media, index, onClose }: { media: Medium[]; index: number; onClose: () => void }) {
  const dialogue = useModal();
  const [at, setAt] = useState(index);
  const medium = media[at];
  const step = (by: number) => setAt((now) => Math.min(media.length - 1, Math.max(0, now + by)));
  if (!medium) return null;
  return (
    <dialog
      ref={dialogue}
      className="lightbox"
      aria-label={medium.filename ?? 'Picture'}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onKeyDown={(event) => {
        if (event.key === 'ArrowLeft') step(-1);
        if (event.key === 'ArrowRight') step(1);
      }}
    >
      <header>
        <span>{medium.filename}</span>
        <a className="icon-button" href={medium.url} download={medium.filename ?? ''} aria-label="Download">
          <Download />
        </a>
        <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
          <X />
        </button>
      </header>
      <img src={medium.url} alt={medium.filename ?? 'Picture'} />
      {at > 0 && (
        <button
          type="button"
          className="lightbox-step lightbox-back"
          aria-label="The one before"
          onClick={() => step(-1)}
        >
          <ChevronLeft />
        </button>
      )}
      {at < media.length - 1 && (
        <button type="button" className="lightbox-step lightbox-on" aria-label="The next one" onClick={() => step(1)}>
          <ChevronRight />
        </button>
      )}
    </dialog>
  );
}
