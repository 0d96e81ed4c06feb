// Makes the pictures of the root's README out of what the last test run left in `.artifacts`: smaller, and as WebP.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Browser } from '../../../tests/e2e/support/browser.mjs';
import { BLUE } from '../../../tests/e2e/support/camera.mjs';
import { built } from './support/window.mjs';

const web = join(built, '..');
const images = join(web, '..', '..', 'docs', 'images');
const PICTURES = [
  { from: 'group-light', to: 'group', width: 1200 },
  { from: 'direct-dark', to: 'dark', width: 1200 },
  { from: 'call', to: 'call', width: 1200 },
  { from: 'phone-chat', to: 'phone', width: 480 },
];

const browser = await Browser.open(BLUE);
const page = await browser.process.newPage();
for (const { from, to, width } of PICTURES) {
  const png = await readFile(join(web, '.artifacts', `${from}.png`), 'base64');
  const webp = await page.evaluate(drawn, { png, width });
  await writeFile(join(images, `${to}.webp`), Buffer.from(webp, 'base64'));
}
await browser.close();

async function drawn({ png, width }) {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = Math.round((image.height * width) / image.width);
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL('image/webp', 0.85).split(',')[1];
}
