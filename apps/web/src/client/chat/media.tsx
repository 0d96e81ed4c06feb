// Pictures, films and files of a message. Boxes have their size before the content is there, so that nothing jumps.
import { Download, FileText } from 'lucide-react';
import type { Medium } from '../../parlance';
import { fileSize } from '../format';
import { show } from '../ui';

export function MessageMedia({ media }: { media: Medium[] }) {
  const pictures = media.filter(({ type }) => type === 'image');
  const shown = pictures.slice(0, 4);
  return (
    <>
      {shown.length > 0 && (
        <div className={`pictures pictures-${shown.length}`}>
          {shown.map((medium, index) => (
            <button
              key={medium.url}
              type="button"
              className="picture"
              onClick={() => show({ kind: 'picture', media: pictures, index })}
            >
              <img src={medium.thumbnailUrl ?? medium.url} alt={medium.filename ?? 'Picture'} loading="lazy" />
              {index === 3 && pictures.length > 4 && <span className="picture-more">+{pictures.length - 4}</span>}
            </button>
          ))}
        </div>
      )}
      {media.map((medium) => {
        if (medium.type === 'video') {
          return (
            // biome-ignore lint/a11y/useMediaCaption: people's own films have no captions
            <video key={medium.url} className="film" src={medium.url} controls preload="metadata" />
          );
        }
        return medium.type === 'file' ? <FileCard key={medium.url} medium={medium} /> : null;
      })}
    </>
  );
}

function FileCard({ medium }: { medium: Medium }) {
  return (
    <a className="file-card" href={medium.url} download={medium.filename ?? ''}>
      <span className="file-icon" aria-hidden="true">
        <FileText />
      </span>
      <span className="file-words">
        <span className="file-name">{medium.filename ?? 'File'}</span>
        <span className="file-size">{fileSize(medium.size)}</span>
      </span>
      <Download aria-label="Download" />
    </a>
  );
}
