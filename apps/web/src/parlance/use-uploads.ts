// Files that somebody is about to send: uploaded as soon as they are chosen, three at a time, with progress as the
// server confirms it, to be sent with the next message.
import { useCallback, useEffect, useRef, useState } from 'react';
import { useChatClient } from './chat-provider';
import type { MediaType, Medium } from './contract';
import { randomId } from './ids';

/** The server takes four of a user at a time; one is left for other windows. */
const AT_ONCE = 3;

export interface Upload {
  id: string;
  file: File;
  /** By the browser's guess, until the server has judged the content. */
  type: MediaType;
  /** An object URL of a picture or film, to show before it is there. */
  preview: string | null;
  state: 'waiting' | 'running' | 'done' | 'failed';
  /** 0 to 1. */
  progress: number;
  error: string | null;
  medium: Medium | null;
}

export interface Uploads {
  uploads: readonly Upload[];
  busy: boolean;
  add: (files: Iterable<File>) => void;
  remove: (id: string) => void;
  retry: (id: string) => void;
  /** Gives the media that are there and takes them off the list. What failed stays, to be tried again or removed. */
  take: () => Medium[];
}

export function useUploads(): Uploads {
  const { rest, connection } = useChatClient();
  const [uploads, setUploads] = useState<readonly Upload[]>([]);
  const latest = useRef(uploads);
  const aborts = useRef(new Map<string, AbortController>());

  const update = useCallback((change: (known: readonly Upload[]) => readonly Upload[]) => {
    latest.current = change(latest.current);
    setUploads(latest.current);
  }, []);
  const patch = useCallback(
    (id: string, part: Partial<Upload>) =>
      update((known) => known.map((upload) => (upload.id === id ? { ...upload, ...part } : upload))),
    [update],
  );

  useEffect(() => {
    // A connection may hold a whole file in its buffers: what the server has is what counts.
    const progressed = ({ uploadId, loaded, total }: { uploadId: string; loaded: number; total: number | null }) => {
      const upload = latest.current.find(({ id }) => id === uploadId);
      if (upload?.state === 'running') patch(uploadId, { progress: Math.min(1, loaded / (total ?? upload.file.size)) });
    };
    connection.on('upload:progress', progressed);
    return () => connection.off('upload:progress', progressed);
  }, [connection, patch]);

  const run = useCallback(async () => {
    const running = latest.current.filter(({ state }) => state === 'running').length;
    const next = latest.current.find(({ state }) => state === 'waiting');
    if (!next || running >= AT_ONCE) return;
    const abort = new AbortController();
    aborts.current.set(next.id, abort);
    patch(next.id, { state: 'running', progress: 0, error: null });
    void run();
    try {
      const uploaded = await rest.uploadMedium(next.file, {
        uploadId: next.id,
        signal: abort.signal,
        onProgress: (part) => !connection.isConnected && patch(next.id, { progress: part }),
      });
      const { url, type, filename, fileSize } = uploaded;
      const medium = { url, type, filename, size: fileSize, thumbnailUrl: null };
      patch(next.id, { state: 'done', progress: 1, type, medium });
    } catch (error) {
      patch(next.id, { state: 'failed', error: (error as Error).message });
    } finally {
      aborts.current.delete(next.id);
      void run();
    }
  }, [rest, connection, patch]);

  const add = useCallback(
    (files: Iterable<File>) => {
      const fresh = Array.from(files, waiting);
      update((known) => [...known, ...fresh]);
      void run();
    },
    [update, run],
  );
  const remove = useCallback(
    (id: string) => {
      aborts.current.get(id)?.abort();
      const gone = latest.current.find((upload) => upload.id === id);
      if (gone?.preview) URL.revokeObjectURL(gone.preview);
      update((known) => known.filter((upload) => upload.id !== id));
    },
    [update],
  );
  const retry = useCallback(
    (id: string) => {
      patch(id, { state: 'waiting' });
      void run();
    },
    [patch, run],
  );
  const take = useCallback(() => {
    const done = latest.current.filter(({ state }) => state === 'done');
    for (const { preview } of done) if (preview) URL.revokeObjectURL(preview);
    update((known) => known.filter((upload) => !done.includes(upload)));
    return done.flatMap(({ medium }) => medium ?? []);
  }, [update]);

  useEffect(
    () => () => {
      for (const abort of aborts.current.values()) abort.abort();
      for (const { preview } of latest.current) if (preview) URL.revokeObjectURL(preview);
    },
    [],
  );
  return {
    uploads,
    busy: uploads.some(({ state }) => state === 'waiting' || state === 'running'),
    add,
    remove,
    retry,
    take,
  };
}

function waiting(file: File): Upload {
  const type = file.type.startsWith('image/') ? 'image' : file.type.startsWith('video/') ? 'video' : 'file';
  const preview = type === 'file' ? null : URL.createObjectURL(file);
  return { id: randomId(), file, type, preview, state: 'waiting', progress: 0, error: null, medium: null };
}
