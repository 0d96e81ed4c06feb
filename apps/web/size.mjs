// How large the chat is that a browser has to load before it shows anything, compressed as servers send it. More than
// the limit is a failure. What is loaded with the first call is listed beside it.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const LIMIT_BYTES = 200_000;

const page = readFileSync('dist/index.html', 'utf8');
const files = readdirSync('dist/assets').filter((name) => /\.(js|css)$/.test(name));
const sizes = files.map((name) => ({
  name,
  bytes: gzipSync(readFileSync(`dist/assets/${name}`)).length,
  first: page.includes(name),
}));
for (const { name, bytes, first } of sizes)
  console.log(`${first ? 'at once' : 'later  '}  ${String(bytes).padStart(7)}  ${name}`);
const total = sizes.filter(({ first }) => first).reduce((sum, { bytes }) => sum + bytes, 0);
console.log(`${total} bytes at once, compressed; the limit is ${LIMIT_BYTES}`);
process.exit(total > 0 && total <= LIMIT_BYTES ? 0 : 1);
