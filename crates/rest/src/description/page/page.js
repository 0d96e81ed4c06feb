// The API's page: lists what the descriptions have and tries routes out. It loads the descriptions from this server and
// nothing else, and keeps tokens nowhere but in the two fields.
const byId = (id) => document.getElementById(id);

/** An element with these properties and children; texts are texts, never markup. */
function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const pretty = (value) => JSON.stringify(value, null, 2);

/** What a `$ref` of the description points to, or the thing itself. */
function resolved(description, thing) {
  if (!thing?.$ref) return thing;
  return thing.$ref.slice(2).split('/').reduce((place, part) => place?.[part], description);
}

/** A value that a schema lets through, to begin with. */
function sample(description, schema, depth = 0) {
  const { $ref, ...rest } = schema ?? {};
  const known = $ref ? { ...resolved(description, schema), ...rest } : rest;
  if (known.examples) return known.examples[0];
  if ('const' in known) return known.const;
  if (known.enum) return known.enum[0];
  if ('default' in known) return known.default;
  const type = [known.type].flat()[0];
  if (known.properties && depth < 4) {
    const required = known.required ?? known.anyOf?.[0]?.required ?? [];
    return Object.fromEntries(required.map((name) => [name, sample(description, known.properties[name], depth + 1)]));
  }
  if (type === 'array') return [sample(description, known.items, depth + 1)];
  if (type === 'integer' || type === 'number') return known.minimum ?? 0;
  if (type === 'boolean') return true;
  if (type === 'string') return 'text';
  return known.anyOf ? sample(description, known.anyOf[0], depth + 1) : {};
}

/** In words: what a parameter may be. */
function bounds({ type, format, pattern, minimum, maximum, minLength, maxLength, default: otherwise, enum: names }) {
  const said = [[type].flat().join(' or '), format, names?.join(', '), pattern];
  if (minimum !== undefined || maximum !== undefined) said.push(`${minimum ?? '…'} to ${maximum ?? '…'}`);
  if (maxLength !== undefined) said.push(`${minLength ?? 0} to ${maxLength} characters`);
  if (otherwise !== undefined) said.push(`default ${otherwise}`);
  return said.filter(Boolean).join('; ');
}

/** A field for a parameter. */
function parameterField(description, parameter) {
  const schema = resolved(description, parameter.schema) ?? {};
  const label = `${parameter.name} (${parameter.in}${parameter.required ? ', required' : ''})`;
  const input = element('input', { name: parameter.name, placeholder: bounds(schema), title: parameter.description ?? '' });
  return { parameter, input, label: element('label', {}, label, input) };
}

/** The body's field: JSON, or the parts of a form. */
function bodyField(description, body) {
  const content = body?.content ?? {};
  if (content['application/json']) {
    const area = element('textarea', { value: pretty(sample(description, content['application/json'].schema)), spellcheck: false });
    return { label: element('label', {}, 'Body (JSON)', area), headers: { 'content-type': 'application/json' }, read: () => area.value };
  }
  const form = content['multipart/form-data'];
  if (!form) return undefined;
  const fields = Object.entries(resolved(description, form.schema).properties).map(([name, schema]) => {
    const input = element('input', { name, type: resolved(description, schema)?.format === 'binary' ? 'file' : 'text' });
    return { name, input, label: element('label', {}, `${name} (part of the form)`, input) };
  });
  const read = () => {
    const parts = new FormData();
    for (const { name, input } of fields) {
      if (input.type === 'file' && input.files[0]) parts.append(name, input.files[0]);
      else if (input.type !== 'file' && input.value) parts.append(name, input.value);
    }
    return parts;
  };
  return { label: element('div', {}, ...fields.map(({ label }) => label)), headers: {}, read };
}

/** Asks what the fields say, and shows what came back. */
async function ask({ method, path, operation, fields, body, shown }) {
  let address = path;
  const query = new URLSearchParams();
  const headers = { ...body?.headers };
  for (const { parameter, input } of fields) {
    if (parameter.in === 'path') address = address.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (parameter.in === 'query' && input.value) query.set(parameter.name, input.value);
    else if (parameter.in === 'header' && input.value) headers[parameter.name] = input.value;
  }
  const scheme = operation.security.flatMap(Object.keys)[0];
  if (scheme === 'token' && byId('token').value) headers.authorization = `Bearer ${byId('token').value}`;
  if (scheme === 'key' && byId('key').value) headers['x-api-key'] = byId('key').value;
  const url = `.${address}${query.size ? `?${query}` : ''}`;
  shown.textContent = '…';
  try {
    const began = performance.now();
    const answer = await fetch(url, { method: method.toUpperCase(), headers, body: body?.read() });
    const took = Math.round(performance.now() - began);
    const isText = /json|text/.test(answer.headers.get('content-type') ?? '');
    const text = isText ? await answer.text() : `${(await answer.blob()).size} bytes`;
    let content = text;
    try {
      content = pretty(JSON.parse(text));
    } catch {
      // No JSON: shown as it is.
    }
    shown.textContent = `${answer.status} ${answer.statusText} after ${took} ms\n${content}`;
  } catch (error) {
    shown.textContent = `No answer: ${error.message}`;
  }
}

/** Everything about one operation; made when it is opened. */
function operationBody(description, method, path, operation) {
  const fields = (operation.parameters ?? []).map((parameter) => parameterField(description, parameter));
  const body = bodyField(description, operation.requestBody);
  const shown = element('pre', { ariaLive: 'polite' });
  const send = element('button', { type: 'submit' }, 'Send');
  const form = element('form', {}, ...fields.map(({ label }) => label), ...(body ? [body.label] : []), send);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    ask({ method, path, operation, fields, body, shown });
  });
  const answers = Object.entries(operation.responses).flatMap(([status, answer]) => [
    element('dt', {}, status),
    element('dd', {}, resolved(description, answer).description),
  ]);
  return [form, shown, element('dl', {}, ...answers)];
}

function operationEntry(description, method, path, operation) {
  const heading = [element('code', {}, element('span', { className: 'method' }, method), path), ' ', element('span', {}, operation.summary)];
  const entry = element('details', {}, element('summary', {}, ...heading));
  entry.dataset.words = `${method} ${path} ${operation.summary} ${operation.operationId}`.toLowerCase();
  entry.addEventListener('toggle', () => entry.append(...operationBody(description, method, path, operation)), { once: true });
  return entry;
}

function show(description) {
  byId('about').textContent = description.info.description;
  const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })));
  for (const { name } of description.tags) {
    const entries = operations.filter(({ operation }) => operation.tags.includes(name))
      .map(({ method, path, operation }) => operationEntry(description, method, path, operation));
    byId('operations').append(element('section', {}, element('h2', {}, name), ...entries));
  }
  byId('schemas').append(...Object.entries(description.components.schemas).map(([name, schema]) =>
    element('details', {}, element('summary', {}, element('code', {}, name), ' ', schema.description ?? ''), element('pre', {}, pretty(schema)))));
  byId('find').addEventListener('input', () => {
    const words = byId('find').value.toLowerCase().split(/\s+/);
    for (const entry of document.querySelectorAll('[data-words]')) entry.hidden = !words.every((word) => entry.dataset.words.includes(word));
  });
}

/** The events of the dialects: who says what, and how it looks. */
function showEvents(description) {
  for (const [dialect, channel] of Object.entries(description.channels)) {
    const section = element('section', {}, element('h2', {}, `Events: ${dialect}`));
    for (const [id, operation] of Object.entries(description.operations)) {
      if (!id.startsWith(`${dialect}.`)) continue;
      const { name, payload } = description.components.messages[id];
      const says = operation.action === 'receive' ? 'clients say' : 'clients hear';
      const entry = element('details', {}, element('summary', {}, element('code', {}, name), ' ', element('span', {}, says)));
      entry.dataset.words = `${dialect} ${name} ${says}`.toLowerCase();
      const ack = description.components.messages[id.replace('.in.', '.ack.')];
      entry.append(element('pre', {}, pretty(payload)));
      if (operation.reply) entry.append(element('p', {}, 'Its ack:'), element('pre', {}, pretty(ack.payload)));
      section.append(entry);
    }
    section.dataset.dialect = channel.title;
    byId('events').append(section);
  }
}

byId('credentials').addEventListener('submit', (event) => event.preventDefault());
try {
  show(await (await fetch('openapi.json')).json());
  showEvents(await (await fetch('asyncapi.json')).json());
} catch (error) {
  byId('about').textContent = `The description could not be loaded: ${error.message}`;
}
