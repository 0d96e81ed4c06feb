// Small files of many kinds, made byte by byte, and forms to send them in.
import { crc32, deflateSync } from 'node:zlib';

const be = (number) => Buffer.from([number >>> 24, number >>> 16, number >>> 8, number]);
const le = (number) => Buffer.from(be(number)).reverse();
const join = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));

const chunk = (kind, body) => join(be(body.length), kind, body, be(crc32(join(kind, body))));

/** A grey PNG that decodes. */
export const png = (width, height) => {
  const header = join(be(width), be(height), [8, 0, 0, 0, 0]);
  const lines = Buffer.alloc((width + 1) * height, 90);
  for (let line = 0; line < height; line++) lines[line * (width + 1)] = 0;
  return join('\x89PNG\r\n\x1a\n'.split('').map((c) => c.charCodeAt(0)), chunk('IHDR', header), chunk('IDAT', deflateSync(lines)), chunk('IEND', ''));
};

/** The beginning of a PNG that says any size. */
export const pngHeader = (width, height) => join([0x89], 'PNG\r\n\x1a\n', chunk('IHDR', join(be(width), be(height), [8, 2, 0, 0, 0])));

export const zip = (...entries) => {
  const files = entries.map(([name, body]) => {
    const sizes = join(le(body.length), le(body.length));
    return join('PK\x03\x04\x0a', Buffer.alloc(13), sizes, [name.length, 0, 0, 0], name, body);
  });
  return join(...files, 'PK\x05\x06', Buffer.alloc(18));
};

const box = (kind, ...body) => join(be(join(...body).length + 8), kind, ...body);

/** An MP4 with tracks of these kinds: `vide`, `soun`. */
export const mp4 = (brand, ...tracks) => {
  const track = (kind) => box('trak', box('tkhd', Buffer.alloc(84)), box('mdia', box('hdlr', Buffer.alloc(8), kind, Buffer.alloc(13))));
  return join(box('ftyp', brand, be(512), 'isom'), box('moov', box('mvhd', Buffer.alloc(100)), ...tracks.map(track)), box('mdat', Buffer.alloc(4000, 0xaa)));
};

export const wav = join('RIFF', be(0), 'WAVEfmt ', Buffer.alloc(40));
export const ogg = (packet) => join('OggS\0\x02', Buffer.alloc(8), [1], Buffer.alloc(11), '\x01\x1e', packet, Buffer.alloc(100));
export const bytes = (...parts) => join(...parts);

/** A form with these fields in order; a file is `{name, content}`. */
export const form = (fields) => {
  const data = new FormData();
  for (const [name, value] of fields) {
    if (typeof value === 'string') data.append(name, value);
    else data.append(name, new Blob([value.content], { type: value.type ?? 'application/octet-stream' }), value.name);
  }
  return data;
};
