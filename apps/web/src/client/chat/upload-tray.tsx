// Files that go with the next message, with how far they have come.
import { FileText, Film, RotateCw, X } from 'lucide-react';
import { useState } from 'react';
import type { Upload, Uploads } from '../../parlance';
import { fileSize } from '../format';

export function UploadTray({ uploads: { uploads, remove, retry } }: { uploads: Uploads }) {
  return (
    <ul className="upload-tray" aria-label="Files to send">
      {uploads.map((upload) => (
        <UploadCard
          key={upload.id}
          upload={upload}
          onRemove={() => remove(upload.id)}
          onRetry={() => retry(upload.id)}
        />
      ))}
    </ul>
  );
}

function UploadCard({ upload, onRemove, onRetry }: { upload: Upload; onRemove: () => void; onRetry: () => void }) {
  const { file, type, preview, state, progress, error } = upload;
  // What calls itself a picture may be none.
  const [broken, setBroken] = useState(false);
  const percent = Math.round(progress * 100);
  return (
    <li className="upload" data-state={state}>
      <span className="upload-picture" aria-hidden="true">
        {type === 'image' && preview && !broken ? (
          <img src={preview} alt="" onError={() => setBroken(true)} />
        ) : type === 'video' ? (
          <Film />
        ) : (
          <FileText />
        )}
      </span>
      <span className="upload-words">
        <span className="upload-name">{file.name}</span>
        {state === 'failed' ? (
          <span className="upload-error" role="alert">
            {error}
          </span>
        ) : (
          <span className="upload-size">
            {state === 'running' ? `${percent} % of ` : ''}
            {fileSize(file.size)}
          </span>
        )}
        {(state === 'running' || state === 'waiting') && (
          <progress value={percent} max={100} aria-label={`Upload of ${file.name}`} />
        )}
      </span>
      {state === 'failed' && (
        <button type="button" className="icon-button" aria-label={`Try ${file.name} again`} onClick={onRetry}>
          <RotateCw />
        </button>
      )}
      <button type="button" className="icon-button" aria-label={`Remove ${file.name}`} onClick={onRemove}>
        <X />
      </button>
    </li>
  );
}
