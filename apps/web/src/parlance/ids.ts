// Ids of the client's own making: of messages on their way, uploads and calls.

/** 128 random bits as text. `randomUUID` is there for secure pages only, and a test server may have none. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Whose a token is, by the claims that the server reads; `null` for one that is no JWT. */
export function bearerOf(token: string): string | null {
  try {
    const body = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(body), (char) => char.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    const id = claims.sub ?? claims._id ?? claims.id ?? claims.userId;
    return typeof id === 'string' && id ? id : null;
  } catch {
    return null;
  }
}
