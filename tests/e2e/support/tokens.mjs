// Tokens as a product's own backend would mint them: compact JWTs signed with HMAC, made by hand so that
// a test can also make every kind of wrong one. The server's own `parlance token` is not used here.
import { createHmac } from 'node:crypto';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Seconds since the epoch, which is what JWT dates are. */
export const nowSeconds = () => Math.floor(Date.now() / 1000);

/** Signs `claims`; `exp` is an hour from now unless the claims say otherwise. */
export function mintToken(secret, claims, { algorithm = 'HS256' } = {}) {
  const digest = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' }[algorithm];
  const issued = nowSeconds();
  const body = `${encode({ alg: algorithm, typ: 'JWT' })}.${encode({ iat: issued, exp: issued + 3600, ...claims })}`;
  return `${body}.${createHmac(digest, secret).update(body).digest('base64url')}`;
}

/** A token that claims to need no signature at all. */
export function mintUnsigned(claims) {
  return `${encode({ alg: 'none', typ: 'JWT' })}.${encode({ exp: nowSeconds() + 3600, ...claims })}.`;
}

/** A well-formed RS256 header over an HMAC signature: the classic confusion of algorithms. */
export function mintMislabelled(secret, claims) {
  const body = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode({ exp: nowSeconds() + 3600, ...claims })}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}
