#!/usr/bin/env node
// Which row of the contract's tables is shown by which test. `contract-rows.json` is the list: each row names the
// tests that show it, or the capability that it belongs to where that is not built yet. This script checks that
// every named test exists and that no row is without one; where the contract itself is at hand (CONTRACT_DIR, else
// beside the repository), also that the list has every row of its tables and none besides.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const contractDir = process.env.CONTRACT_DIR ?? join(here, '..', '..', '..', 'shared', 'contract');

/** A row's identity in one line: `talentbridge in conversation:join`, `GET /api/v1/chat/unread`. */
export const nameOf = (row) => (row.route ? `${row.method} ${row.route}` : `${row.dialect} ${row.direction} ${row.event}`);

export const listedRows = () => JSON.parse(readFileSync(join(here, 'contract-rows.json'), 'utf8'));

/** Titles of all tests, as patterns: what a template fills in matches anything. */
export function testTitles() {
  const folder = join(here, 'suites');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.test.mjs'))
    .flatMap((file) => [...readFileSync(join(folder, file), 'utf8').matchAll(/\bit\(\s*(['"`])((?:\\.|(?!\1).)*)\1/g)])
    .map(([, , title]) => title.replaceAll("\\'", "'"))
    .map((title) => ({ title, pattern: new RegExp(`^${title.split(/\$\{[^}]*\}/).map(escape).join('.+')}$`) }));
}

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const quoted = (text) => [...text.matchAll(/`([^`]+)`/g)].map(([, inside]) => inside);
const cellsOf = (line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim());

/** Rows of the tables in dialects.md; the extension vocabulary is a dialect of its own here. */
function dialectRows(markdown) {
  const rows = [];
  let dialect;
  let header;
  for (const line of markdown.split('\n')) {
    const heading = /^## (.*)$/.exec(line);
    if (heading) {
      dialect = /^`(\w+)`$/.exec(heading[1])?.[1] ?? (heading[1].startsWith('Extension') ? 'extension' : undefined);
    }
    if (!line.startsWith('|')) {
      header = undefined;
      continue;
    }
    const cells = cellsOf(line);
    if (!header) {
      header = cells;
      continue;
    }
    if (/^[-| ]+$/.test(line)) continue;
    if (header[0] === 'dialect') {
      rows.push({ dialect: quoted(cells[0])[0], direction: 'handshake', event: 'connect' });
    } else if (dialect) {
      const direction = header[0].startsWith('client') ? 'in' : 'out';
      for (const event of quoted(cells[0])) rows.push({ dialect, direction, event });
      if (dialect === 'extension') {
        const events = quoted(cells[2]).map((text) => /^[a-z]+:[a-z_-]+/.exec(text)?.[0]).filter(Boolean);
        const named = cells[2].startsWith('same name') ? quoted(cells[0]) : events;
        for (const event of new Set(named)) rows.push({ dialect, direction: 'out', event });
      }
    }
  }
  return rows;
}

/** Routes of rest.md: those in its tables and those in its lists. */
function restRows(markdown) {
  const rows = [];
  let section = '';
  for (const line of markdown.split('\n')) {
    const heading = /^## (.*)$/.exec(line);
    if (heading) section = heading[1];
    const text = line.startsWith('|') ? cellsOf(line)[0] : line;
    let waiting = [];
    for (const code of quoted(text)) {
      const bare = /^(GET|POST|PUT|PATCH|DELETE)$/.exec(code);
      const route = /^(GET|POST|PUT|PATCH|DELETE) (\S+)$/.exec(code);
      if (bare) waiting.push(bare[1]);
      if (!route) continue;
      let path = route[2].replace('…', '/api/v1/chat/conversations');
      if (section.startsWith('Server-to-server')) path = `/api/v1/server${path}`;
      for (const method of [...waiting, route[1]]) rows.push({ method, route: path });
      waiting = [];
    }
  }
  return rows;
}

/** The contract's rows, or undefined where the contract is not at hand. */
export function contractRows() {
  if (!existsSync(join(contractDir, 'dialects.md'))) return undefined;
  const read = (file) => readFileSync(join(contractDir, file), 'utf8');
  return [...dialectRows(read('dialects.md')), ...restRows(read('rest.md'))];
}

/** Everything that is wrong with the list, one line each. */
export function complaints() {
  const rows = listedRows();
  const titles = testTitles();
  const found = [];
  const seen = new Set();
  for (const row of rows) {
    const name = nameOf(row);
    if (seen.has(name)) found.push(`listed twice: ${name}`);
    seen.add(name);
    if (row.later ? row.tests : !row.tests?.length) found.push(`needs either tests or "later": ${name}`);
    for (const test of row.tests ?? []) {
      if (!titles.some(({ pattern }) => pattern.test(test))) found.push(`no such test: ${name} → ${test}`);
    }
  }
  const contract = contractRows();
  if (contract) {
    const real = new Set(contract.map(nameOf));
    for (const name of real) if (!seen.has(name)) found.push(`not listed: ${name}`);
    for (const name of seen) if (!real.has(name)) found.push(`not in the contract: ${name}`);
  }
  return found;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const rows = listedRows();
  const later = rows.filter((row) => row.later);
  const found = complaints();
  for (const complaint of found) console.log(complaint);
  console.log(`${rows.length} rows: ${rows.length - later.length} with a test, ${later.length} later (${[...new Set(later.map((row) => row.later))].join(', ')}), ${found.length} complaints`);
  if (!contractRows()) console.log('the contract is not at hand: the list was checked against the tests alone');
  process.exitCode = found.length > 0 ? 1 : 0;
}
