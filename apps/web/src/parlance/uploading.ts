// One upload over XMLHttpRequest: unlike `fetch` it says how far a body has gone. The type of a file is the server's to
// find; nothing is judged here.
import { answered, NetworkError } from './rest';

export interface UploadOptions {
  /** Named in the server's `upload:progress`. */
  uploadId?: string;
  /** How much of the body has left the browser, 0 to 1. */
  onProgress?: (part: number) => void;
  signal?: AbortSignal;
}

export function upload<T>(
  url: URL,
  token: string | null,
  field: string,
  file: Blob,
  { uploadId, onProgress, signal, method = 'POST' }: UploadOptions & { method?: string } = {},
): Promise<T> {
  if (uploadId) url.searchParams.set('uploadId', uploadId);
  const form = new FormData();
  form.append(field, file, file instanceof File ? file.name : 'file');
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.setRequestHeader('authorization', `Bearer ${token ?? ''}`);
    if (onProgress) {
      request.upload.onprogress = ({ loaded, total, lengthComputable }) =>
        lengthComputable && onProgress(loaded / total);
    }
    request.onerror = () => reject(new NetworkError('The upload broke off'));
    request.onabort = () => reject(new DOMException('The upload was cancelled', 'AbortError'));
    request.onload = () => {
      try {
        resolve(answered<T>(request.status, request.responseText, request.getResponseHeader('retry-after')));
      } catch (refusal) {
        reject(refusal);
      }
    };
    if (signal?.aborted) return reject(new DOMException('The upload was cancelled', 'AbortError'));
    signal?.addEventListener('abort', () => request.abort(), { once: true });
    request.send(form);
  });
}
