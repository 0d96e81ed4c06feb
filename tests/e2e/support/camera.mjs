// What a made-up camera sees: a figure that sways before a coloured wall, as a video file that Chromium plays in a
// loop (YUV4MPEG2, 4:2:0). Each person has a wall of another colour, so that a picture says whose it is.
import { writeFile } from 'node:fs/promises';

const WIDTH = 320;
const HEIGHT = 240;
const FRAMES = 30;

/** `wall` and `figure` are [Y, Cb, Cr]. */
export const BLUE = { wall: [70, 170, 105], figure: [190, 140, 120] };
export const AMBER = { wall: [130, 70, 175], figure: [215, 110, 140] };

/** Head and shoulders, `sway` pixels beside the middle. */
function isFigure(x, y, sway) {
  const dx = x - WIDTH / 2 - sway;
  return Math.hypot(dx, y - 95) < 42 || Math.hypot(dx / 85, (y - 245) / 95) < 1;
}

function frame(index, { wall, figure }) {
  const sway = 24 * Math.sin((2 * Math.PI * index) / FRAMES);
  const plane = (component, step) => {
    const bytes = Buffer.alloc((WIDTH / step) * (HEIGHT / step));
    for (let at = 0, y = 0; y < HEIGHT; y += step) {
      for (let x = 0; x < WIDTH; x += step) bytes[at++] = (isFigure(x, y, sway) ? figure : wall)[component];
    }
    return bytes;
  };
  return Buffer.concat([Buffer.from('FRAME\n'), plane(0, 1), plane(1, 2), plane(2, 2)]);
}

export async function film(path, colours) {
  const header = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F20:1 Ip A1:1 C420\n`);
  await writeFile(path, Buffer.concat([header, ...Array.from({ length: FRAMES }, (_, index) => frame(index, colours))]));
}
