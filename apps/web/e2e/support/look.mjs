// A screen as somebody looks at it: its pictures are there, nothing sticks out, axe finds nothing serious. A picture of
// it is left for people to judge.
import assert from 'node:assert/strict';
import { assertAccessible } from './axe.mjs';

export async function look(window, name) {
  const { page } = window;
  await page.waitForFunction(() => [...document.images].every((image) => image.complete));
  await window.picture(name);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= page.viewportSize().width, `${name} is ${width} pixels wide`);
  await assertAccessible(page, name);
}

/** What a window is opened with to be a phone. */
export const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
