// The HTTP API as one person sees it. Every answer comes back as {status, body, data, headers}; nothing
// throws on an error status, since errors are half of what the suites look at.

export class Rest {
  /** `server` is asked for its address at each call, because a restart may change it. */
  constructor(server, token, { dialect } = {}) {
    this.server = server;
    this.token = token;
    this.dialect = dialect;
  }

  /** The same person, asking for another dialect's shapes. */
  in(dialect) {
    return new Rest(this.server, this.token, { dialect });
  }

  async request(method, path, { body, headers = {}, signal } = {}) {
    const all = { ...headers };
    if (this.token && all.authorization === undefined) all.authorization = `Bearer ${this.token}`;
    if (this.dialect) all['x-dialect'] = this.dialect;
    let payload;
    if (body !== undefined) {
      all['content-type'] ??= 'application/json';
      payload = typeof body === 'string' ? body : JSON.stringify(body);
    }
    const response = await fetch(new URL(path, this.server.url), { method, headers: all, body: payload, signal });
    const text = await response.text();
    let parsed = text;
    try {
      parsed = JSON.parse(text);
    } catch {
      // Not every answer is JSON (an open route, a proxy's error page): the raw text is kept.
    }
    return { status: response.status, body: parsed, data: parsed?.data, headers: response.headers };
  }

  get(path, options) {
    return this.request('GET', path, options);
  }
  post(path, body, options) {
    return this.request('POST', path, { ...options, body });
  }
  put(path, body, options) {
    return this.request('PUT', path, { ...options, body });
  }
  patch(path, body, options) {
    return this.request('PATCH', path, { ...options, body });
  }
  delete(path, options) {
    return this.request('DELETE', path, options);
  }
}
