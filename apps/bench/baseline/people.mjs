// Who is who: the bearer of a token, made known with the first one. What was verified is remembered, so that a
// reconnecting client costs no write.

import jwt from 'jsonwebtoken';

export function openPeople(store, secret) {
  const known = new Map();

  return {
    // The bearer of this token, or `undefined`.
    async bearer(token) {
      let claims;
      try {
        claims = jwt.verify(token.replace(/^Bearer /, ''), secret, { algorithms: ['HS256', 'HS384', 'HS512'] });
      } catch {
        return undefined;
      }
      const id = claims.sub ?? claims._id ?? claims.id ?? claims.userId;
      if (typeof id !== 'string' || id === '') return undefined;
      const user = { id, name: claims.name ?? claims.fullName ?? id, picture: claims.picture ?? null };
      const before = known.get(id);
      if (before?.name === user.name && before.picture === user.picture) return before;
      await store.upsertUser(user);
      known.set(id, user);
      return user;
    },
    async find(id) {
      return known.get(id) ?? store.user(id);
    },
  };
}
