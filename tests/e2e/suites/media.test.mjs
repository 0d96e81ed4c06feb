// Uploads and media over HTTP: the guides' flows, what hostile uploads get, serving, collecting, memory.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bytes, form, mp4, ogg, png, pngHeader, wav, zip } from '../support/contents.mjs';
import { binary, Server } from '../support/server.mjs';
import { eventually } from '../support/wait.mjs';

const upload = '/api/v1/media/upload';

describe('media', () => {
  let server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.close());

  async function send(person, path, fields, { method = 'POST', headers = {} } = {}) {
    const response = await fetch(new URL(path, server.url), {
      method,
      headers: { authorization: `Bearer ${person.token}`, ...headers },
      body: form(fields),
    });
    const body = await response.json();
    return { status: response.status, body, data: body.data };
  }
  const put = (person, name, content, path = upload) => send(person, path, [['media', { name, content }]]);
  const get = (url, headers = {}, method = 'GET') => fetch(new URL(url, server.url), { headers, method });
  const files = () =>
    readdirSync(join(server.dir, 'data', 'media'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name);
  const gc = (...flags) =>
    execFileSync(binary, ['gc', ...flags], { cwd: server.dir, env: server.env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

  for (const path of [upload, '/api/media/upload']) {
    it(`uploading to ${path} answers with what the medium is`, async () => {
      const ann = await server.person('Ann');
      const { status, body, data } = await put(ann, '../holiday.PNG', png(40, 30), path);
      assert.equal(status, 201, JSON.stringify(body));
      const { url, mediaId, ...rest } = data;
      assert.match(mediaId, /^[0-9a-f]{24}$/);
      assert.equal(url, `/media/${mediaId}/holiday.png`);
      const fileSize = png(40, 30).length;
      assert.deepEqual(rest, { type: 'image', format: 'png', fileSize, filename: 'holiday.png', width: 40, height: 30 });
    });
  }

  it('ulearn uploads first and sends the link then; the other sees it with its thumbnail', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversation = await ann.direct(ben);
    const [from, to] = [await ann.enter('ulearn', conversation), await ben.enter('ulearn', conversation)];
    const { data } = await put(ann, 'large.png', png(1200, 600), '/api/media/upload');
    from.socket.emit('send:message', {
      conversationId: conversation,
      text: 'look',
      media: [{ url: data.url, type: data.type, filename: data.filename, size: data.fileSize }],
      messageType: data.type,
    });
    await to.untilText('look');
    const [message] = (await ben.talk(conversation)).slice(-1);
    assert.equal(message.media[0].url, data.url);
    assert.match(message.media[0].thumbnailUrl, /\/thumbnail\/512\.(webp|jpg)$/);
    const thumbnail = await get(message.media[0].thumbnailUrl);
    assert.equal(thumbnail.status, 200);
    assert.match(thumbnail.headers.get('content-type'), /^image\/(webp|jpeg)$/);
    assert.equal((await get(message.media[0].thumbnailUrl.replace('/512.', '/511.'))).status, 404);
  });

  it('messages/file sends a file in one request, once for a clientMessageId', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversationId = await ann.direct(ben);
    const listener = await ben.enter('talentbridge', conversationId);
    const fields = [
      ['conversationId', conversationId],
      ['text', 'the plan'],
      ['clientMessageId', randomUUID()],
      ['file', { name: 'plan.txt', content: 'step one' }],
    ];
    const first = await send(ann, '/api/v1/chat/messages/file', fields);
    assert.equal(first.status, 201, JSON.stringify(first.body));
    assert.deepEqual([first.data.message.text, first.data.message.messageType], ['the plan', 'file']);
    await listener.untilText('the plan');
    const link = first.data.message.media[0];
    assert.equal(await (await get(link.url)).text(), 'step one');
    const before = files().length;
    const again = await send(ann, '/api/v1/chat/messages/file', fields);
    assert.deepEqual([again.status, again.data.message._id], [200, first.data.message._id]);
    assert.equal(files().length, before, 'the second file is gone again');
    // The file may come first, and the text may be left out.
    const other = await send(ann, '/api/v1/chat/messages/file', [fields[3], fields[0]]);
    assert.equal(other.status, 201, JSON.stringify(other.body));
  });

  it('messages/file of somebody outside is refused, and leaves nothing', async () => {
    const [ann, ben, eve] = await server.people('Ann', 'Ben', 'Eve');
    const conversationId = await ann.direct(ben);
    const before = files().length;
    const file = ['file', { name: 'a.txt', content: 'hello' }];
    for (const fields of [
      [['conversationId', conversationId], file],
      [file, ['conversationId', conversationId]],
    ]) {
      const { status, body } = await send(eve, '/api/v1/chat/messages/file', fields);
      assert.deepEqual([status, body.code], [403, 'NOT_PARTICIPANT']);
    }
    assert.equal((await send(ann, '/api/v1/chat/messages/file', [['conversationId', conversationId]])).status, 400);
    assert.equal(files().length, before);
  });

  it('a group photo is uploaded by its owner and everybody hears of it', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const group = await ann.group('Team', [ben]);
    const listener = await ben.enter('ulearn', group);
    const path = `/api/v1/chat/conversations/${group}/photo`;
    const photo = (person, content) => send(person, path, [['photo', { name: 'us.png', content }]], { method: 'PUT' });
    const { status, data, body } = await photo(ann, png(64, 64));
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal((await get(data.groupImage)).status, 200);
    const heard = await listener.until('group:photo:updated');
    assert.equal(heard.groupImage, data.groupImage);
    const before = files().length;
    assert.equal((await photo(ann, 'a text')).status, 415, 'only pictures');
    assert.equal((await photo(ben, png(8, 8))).status, 403, 'only owner and admins');
    assert.equal(files().length, before);
    const byLink = await ann.rest.put(path, { url: 'https://p.example/a.png' });
    assert.deepEqual([byLink.status, byLink.data.groupImage], [200, 'https://p.example/a.png']);
  });

  it('the uploader hears of progress, and of the end', async () => {
    const ann = await server.person('Ann');
    const client = await ann.connect('talentbridge');
    const uploadId = randomUUID();
    const content = Buffer.alloc(300_000, 'x');
    const body = Buffer.from(await new Response(form([['media', { name: 'a.txt', content }]])).arrayBuffer());
    const boundary = body.subarray(2, body.indexOf('\r\n')).toString();
    const headers = {
      authorization: `Bearer ${ann.token}`,
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': body.length,
    };
    const out = request(new URL(`${upload}?uploadId=${uploadId}`, server.url), { method: 'POST', headers });
    const answered = new Promise((resolve, reject) => out.on('response', resolve).on('error', reject));
    out.write(body.subarray(0, 100_000));
    const first = await client.until('upload:progress');
    assert.equal(first.uploadId, uploadId);
    assert.ok(first.loaded > 0 && first.loaded < content.length, JSON.stringify(first));
    out.end(body.subarray(100_000));
    assert.equal((await answered).statusCode, 201);
    const events = () => client.log.filter((entry) => entry.event === 'upload:progress').map((entry) => entry.args[0]);
    const all = await eventually('the end', events, (list) => list.at(-1).loaded === list.at(-1).total);
    assert.deepEqual(all.at(-1), { uploadId, loaded: content.length, total: content.length });
  });

  it('media go out in ranges, with tags, long caching and safe headers', async () => {
    const ann = await server.person('Ann');
    const { data } = await put(ann, 'Grüße.txt', '0123456789');
    const whole = await get(data.url);
    assert.equal(await whole.text(), '0123456789');
    assert.match(whole.headers.get('cache-control'), /immutable/);
    assert.equal(whole.headers.get('x-content-type-options'), 'nosniff');
    assert.match(whole.headers.get('content-security-policy'), /sandbox/);
    assert.match(whole.headers.get('content-disposition'), /^attachment;.*filename\*=UTF-8''Gr%C3%BC%C3%9Fe\.txt$/);
    assert.equal(whole.headers.get('accept-ranges'), 'bytes');
    const etag = whole.headers.get('etag');
    assert.equal((await get(data.url, { 'if-none-match': etag })).status, 304);
    const part = await get(data.url, { range: 'bytes=2-4' });
    assert.deepEqual([part.status, await part.text(), part.headers.get('content-range')], [206, '234', 'bytes 2-4/10']);
    const tail = await get(data.url, { range: 'bytes=-3', 'if-range': etag });
    assert.deepEqual([tail.status, await tail.text()], [206, '789']);
    assert.equal((await get(data.url, { range: 'bytes=2-4', 'if-range': '"other"' })).status, 200);
    assert.equal((await get(data.url, { range: 'bytes=10-' })).status, 416);
    const head = await get(data.url, {}, 'HEAD');
    assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '10', '']);
    for (const url of [`/media/${data.mediaId}/other.txt`, `/media/${'f'.repeat(24)}/a.txt`, '/media/x/y', `/media/${data.mediaId}/thumbnail/512.webp`]) {
      assert.equal((await get(url)).status, 404, url);
    }
  });

  const HTML = 'text/html';
  const hostile = [
    ['HTML as a picture', 'cat.jpg', '<!DOCTYPE html><script>alert(1)</script>', 415, HTML],
    ['HTML as a text', 'notes.txt', '\ufeff \n<HTML><body onload=alert(1)>', 415, HTML],
    ['HTML after some text', 'notes.txt', 'Dear all,\n<script>alert(1)</script>', 415, HTML],
    ['a comment that begins HTML', 'a.txt', '<!-- --><img src=x onerror=alert(1)>', 415, HTML],
    ['SVG', 'logo.svg', "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", 415, 'image/svg+xml'],
    ['SVG as PNG', 'logo.png', "<?xml version='1.0'?><svg onload='alert(1)'/>", 415, 'image/svg+xml'],
    ['XML', 'feed.txt', "<?xml version='1.0'?><feed/>", 415, 'text/xml'],
    ['a shell script', 'run.txt', '#!/bin/sh\nrm -rf ~', 415, 'x-shellscript'],
    ['PHP', 'x.php', "hello <?php system('id'); ?>", 415, 'php'],
    ['PostScript', 'x.txt', '%!PS-Adobe-3.0\n', 415, 'postscript'],
    ['a Windows program', 'cat.jpg', bytes('MZ', [0x90, 0, 3, 0, 0, 0, 4, 0, 0, 0, 255, 255, 0, 0], Buffer.alloc(200)), 415, 'executable'],
    ['a Linux program', 'run', bytes([0x7f], 'ELF', [2, 1, 1], Buffer.alloc(100)), 415, 'executable'],
    ['WebAssembly', 'x.wasm', bytes([0], 'asm', [1, 0, 0, 0]), 415, 'wasm'],
    ['a Java archive as zip', 'x.zip', zip(['META-INF/MANIFEST.MF', 'Main-Class: X'], ['X.class', 'x']), 415, 'java-archive'],
    ['an Android package as zip', 'x.zip', zip(['AndroidManifest.xml', 'x'], ['classes.dex', 'x']), 415, 'android'],
    ['a GIF signature before script', 'x.gif', 'GIF89a/*aaaaaaaaaaaaa*/=1;<script>alert(1)</script>', 415, 'image/gif'],
    ['a PNG with PHP behind it', 'x.php.png', bytes(png(8, 8), "<?php system('id');"), 415, 'image/png'],
    ['a picture larger than any screen', 'x.png', pngHeader(65_000, 65_000), 415, 'pixels'],
    ['a PNG of no size', 'x.png', pngHeader(0, 10), 415, 'damaged'],
    ['a PDF behind HTML', 'x.pdf', '<script>1</script>%PDF-1.7\n', 415, HTML],
    ['a text with control bytes', 'x.txt', 'hello \x1b[2J world', 415, 'octet-stream'],
    ['WAV', 'x.txt', wav, 415, 'Audio'],
    ['M4A as MP4', 'x.mp4', mp4('M4A ', 'soun'), 415, 'Audio'],
    ['an MP4 with sound only', 'film.mp4', mp4('isom', 'soun'), 415, 'Audio'],
    ['Opus in Ogg', 'note.webm', ogg('OpusHead'), 415, 'Audio'],
    ['nothing', 'a.txt', '', 400, 'media'],
    ['too much', 'a.txt', Buffer.alloc(20 * 1024 * 1024 + 1, 'a'), 413, '20971520'],
    ['far too much', 'a.txt', Buffer.alloc(30 * 1024 * 1024, 'a'), 413, '20971520'],
    ['a path as a name', '../../etc/passwd', 'hello', 201, 'passwd.txt'],
    ['a double extension', 'photo.php.png', png(8, 8), 201, 'photo_php.png'],
    ['JavaScript is only a text', 'x.js', 'alert(document.cookie)', 201, 'x_js.txt'],
    ['a name that turns around', 'cod\u202egnp.exe', png(8, 8), 201, 'png'],
    ['a device as a name', 'CON.png', png(8, 8), 201, '_CON.png'],
    ['a name of a thousand letters', `${'n'.repeat(1000)}.png`, png(8, 8), 201, 'n.png'],
  ];
  it('every hostile upload gets what the table says, and what is refused leaves nothing', async () => {
    assert.ok(hostile.length >= 25);
    const mallory = await server.person('Mallory');
    const wrong = [];
    for (const [what, name, content, status, says] of hostile) {
      const before = files().length;
      const answer = await put(mallory, name, content);
      console.log(`${what.padEnd(36)} ${answer.status} ${answer.body.code ?? answer.data.filename.slice(0, 40)}: ${answer.body.message}`);
      const text = answer.data?.filename ?? JSON.stringify(answer.body);
      if (answer.status !== status || !text.includes(says)) wrong.push([what, answer.status, text]);
      if (status !== 201 && files().length !== before) wrong.push([what, 'left a file']);
      if (answer.status === 201) {
        const served = await get(answer.data.url);
        await served.arrayBuffer();
        const type = served.headers.get('content-type');
        if (served.headers.get('x-content-type-options') !== 'nosniff' || /html|script|svg/.test(type)) wrong.push([what, type]);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('what is no form, or misses its file, is refused by name', async () => {
    const ann = await server.person('Ann');
    assert.deepEqual((await ann.rest.post(upload, { media: 'x' })).body.code, 'VALIDATION_FAILED');
    const missing = await send(ann, upload, [['other', { name: 'a.txt', content: 'x' }]]);
    assert.deepEqual([missing.status, missing.body.errors[0].field], [400, 'media']);
    const stranger = await fetch(new URL(upload, server.url), { method: 'POST', body: form([['media', { name: 'a.txt', content: 'x' }]]) });
    assert.equal(stranger.status, 401);
  });

  it('an upload that breaks off leaves nothing', async () => {
    const ann = await server.person('Ann');
    const before = files().length;
    const headers = { authorization: `Bearer ${ann.token}`, 'content-type': 'multipart/form-data; boundary=b', 'content-length': 5_000_000 };
    const out = request(new URL(upload, server.url), { method: 'POST', headers });
    out.on('error', () => {});
    out.write('--b\r\ncontent-disposition: form-data; name="media"; filename="a.txt"\r\n\r\n');
    out.write(Buffer.alloc(2_000_000, 'a'));
    await eventually('a write that has begun', () => files().length, (count) => count > before);
    out.destroy();
    await eventually('the file to go', () => files().length, (count) => count === before);
  });

  it('gc removes what nothing refers to and keeps what is referred to', async () => {
    const [ann, ben] = await server.people('Ann', 'Ben');
    const conversation = await ann.direct(ben);
    const kept = (await put(ann, 'kept.png', png(1000, 700))).data;
    const lost = (await put(ann, 'lost.png', png(1000, 700))).data;
    await ann.say(conversation, 'keep', { media: [{ url: kept.url, type: 'image' }] });
    assert.match(gc(), /^removed 0 unused media, 0 blobs/, 'a day has not passed');
    const gone = () => {
      gc('--older-than', '1s');
      return get(lost.url).then((answer) => answer.status);
    };
    await eventually('the unused one to go', gone, (status) => status === 404);
    assert.ok(!files().some((name) => name.startsWith(lost.mediaId)));
    assert.equal((await get(kept.url)).status, 200);
    const refused = await ann.rest.post('/api/v1/chat/messages', { conversationId: conversation, text: 'x', media: [{ url: lost.url, type: 'image' }] });
    assert.equal(refused.status, 400);
  });

  it('20 MiB come in while the peak of memory grows by less than 8 MiB', async () => {
    const ann = await server.person('Ann');
    const kib = (field) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]);
    await put(ann, 'warm.txt', 'warm up');
    const measure = async (what, content) => {
      const before = kib('VmHWM');
      const { status, body } = await put(ann, 'large.bin', content);
      assert.equal(status, 201, JSON.stringify(body));
      const grown = kib('VmHWM') - before;
      console.log(`20 MiB of ${what}: the peak grew from ${before} by ${grown} KiB (now resident: ${kib('VmRSS')} KiB)`);
      return grown;
    };
    // A server of its own, whose peak nothing before has raised.
    const shared = server;
    server = await Server.start();
    try {
      const own = await server.person('Ann');
      ann.token = own.token;
      await put(ann, 'warm.txt', 'warm up');
      assert.ok((await measure('text', Buffer.alloc(20 * 1024 * 1024, 'a'))) < 8 * 1024);
      const film = bytes(mp4('isom', 'vide'), Buffer.alloc(20 * 1024 * 1024 - 6000));
      assert.ok((await measure('film', film.subarray(0, 20 * 1024 * 1024))) < 8 * 1024);
      // What a picture costs, for comparison: it is decoded once, for its thumbnail.
      const before = kib('VmHWM');
      assert.equal((await put(ann, 'picture.png', png(5000, 4000))).status, 201);
      console.log(`a picture of 20 megapixels, decoded for its thumbnail: the peak grew by ${kib('VmHWM') - before} KiB`);
    } finally {
      await server.close();
      server = shared;
    }
  });
});
