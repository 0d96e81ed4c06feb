// Pictures to look at in screenshots: an evening by the water, drawn pixel by pixel. `mood` changes colours and hills.
import { crc32, deflateSync } from 'node:zlib';

const MOODS = [
  {
    sky: [
      [38, 40, 92],
      [246, 146, 108],
    ],
    sun: [255, 224, 170],
    hills: [
      [58, 50, 96],
      [36, 33, 70],
    ],
    water: [70, 62, 110],
  },
  {
    sky: [
      [88, 160, 214],
      [226, 240, 246],
    ],
    sun: [255, 250, 228],
    hills: [
      [88, 142, 120],
      [46, 98, 92],
    ],
    water: [74, 138, 168],
  },
  {
    sky: [
      [22, 28, 58],
      [92, 74, 140],
    ],
    sun: [236, 238, 255],
    hills: [
      [34, 36, 74],
      [20, 22, 50],
    ],
    water: [34, 40, 84],
  },
  {
    sky: [
      [240, 178, 120],
      [252, 234, 200],
    ],
    sun: [255, 252, 236],
    hills: [
      [176, 116, 88],
      [126, 78, 66],
    ],
    water: [206, 160, 124],
  },
];

const mix = (a, b, part) => a.map((value, at) => Math.round(value + (b[at] - value) * part));

function colour(x, y, { sky, sun, hills, water }, mood) {
  const horizon = 0.68;
  const [sunX, sunY] = [0.32 + 0.13 * mood, 0.44];
  const ridge = (base, height, phase) =>
    base - height * (0.5 + 0.3 * Math.sin(x * 5 + phase) + 0.2 * Math.sin(x * 13 + phase * 2));
  if (y > horizon) {
    const ripple = Math.sin(y * 160 + Math.sin(x * 22 + mood) * 2.4);
    const glint = Math.max(0, 1 - Math.abs(x - sunX) * 5) * (ripple > 0.2 ? 0.55 : 0.15);
    return mix(mix(water, sky[1], (1 - y) * 0.8), sun, glint);
  }
  if (y > ridge(horizon, 0.13, 4 + mood)) return hills[1];
  if (y > ridge(horizon - 0.06, 0.2, 1 + mood * 2)) return hills[0];
  const glow = Math.hypot((x - sunX) * 1.5, y - sunY);
  const above = mix(sky[0], sky[1], y / horizon);
  return glow < 0.06 ? sun : mix(above, sun, Math.max(0, 0.5 - glow) * 0.9);
}

export function scenery(width, height, mood = 0) {
  const lines = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      lines.set(colour(x / width, y / height, MOODS[mood % MOODS.length], mood), y * (width * 3 + 1) + 1 + x * 3);
    }
  }
  const word = (number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(number);
    return bytes;
  };
  const chunk = (kind, body) => {
    const whole = Buffer.concat([Buffer.from(kind), body]);
    return Buffer.concat([word(body.length), whole, word(crc32(whole))]);
  };
  const header = Buffer.concat([word(width), word(height), Buffer.from([8, 2, 0, 0, 0])]);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
