// A server as it looks after a week of use: people, a group, direct conversations, pictures and files. What was said a
// moment ago is shown as if it had been said over days: `aged` changes the times in what a window is told.
import assert from 'node:assert/strict';
import { inFlight } from '../../../../tests/e2e/support/wait.mjs';
import { scenery } from './scenery.mjs';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

export async function furnish(server) {
  const names = ['Mara Lindqvist', 'Jonas Weber', 'Aisha Khan', 'Tomás Rivera', 'Priya Nair', 'Chen Wei', 'Ella Novak'];
  const all = await server.people(...names);
  const [mara, jonas, aisha, tomas, priya, chen, ella] = all;
  /** When it is meant to have been said: by its id, and by the words that a notification has of it. */
  const times = new Map();
  const now = Date.now();
  /** Says something, `ago` milliseconds before now. */
  const say = async (person, id, text, ago, more) => {
    const message = await person.say(id, text, more);
    for (const name of [message._id, text, `${person.name}: ${text}`]) times.set(name, now - ago);
    return message;
  };
  const upload = async (person, name, content, type) => {
    const form = new FormData();
    form.append('media', new Blob([content], { type }), name);
    const headers = { authorization: `Bearer ${person.token}` };
    const response = await fetch(`${server.url}/api/v1/media/upload`, { method: 'POST', headers, body: form });
    const { data } = await response.json();
    assert.ok(data, name);
    return { url: data.url, type: data.type, filename: data.filename, size: data.fileSize };
  };
  const withMedia = (...media) => ({ media, messageType: media[0].type });

  const older = await mara.direct(ella);
  await say(ella, older, 'Thanks for the introduction!', 6 * DAY);
  const chens = await mara.direct(chen);
  await say(mara, chens, 'The new mixer arrived, it is in the store room.', 2 * DAY);
  const priyas = await priya.direct(mara);
  // More than a badge counts; nobody looks at them.
  await inFlight(16, Array.from({ length: 112 }).keys(), (index) =>
    say(priya, priyas, `Update ${index + 1}`, DAY + (112 - index) * MINUTE),
  );
  await say(priya, priyas, 'All volunteer shifts are filled 🙌', DAY);

  const crew = await mara.group('Lights and sound', [chen, tomas]);
  await say(tomas, crew, 'Sound check at ten, lights after dark.', 4 * 60 * MINUTE);

  const group = await mara.group('Harbour Festival', [jonas, aisha, tomas, priya]);
  const photo = new FormData();
  photo.append('photo', new Blob([scenery(320, 320, 1)], { type: 'image/png' }), 'harbour.png');
  const headers = { authorization: `Bearer ${mara.token}` };
  await fetch(`${server.url}/api/v1/chat/conversations/${group}/photo`, { method: 'PUT', headers, body: photo });
  await mara.rest.patch(`/api/v1/chat/conversations/${group}/participants/${jonas.id}`, { role: 'admin' });
  await say(jonas, group, 'Morning all. The stage company confirmed Thursday for the build.', DAY + 70 * MINUTE);
  await say(jonas, group, 'They need the pier free from six.', DAY + 69 * MINUTE);
  const tide = await say(
    aisha,
    group,
    'Careful with the pier, look at the tide table first: high water is at 06:40.',
    DAY + 61 * MINUTE,
  );
  await say(mara, group, 'Good catch. Then we start at eight.', DAY + 58 * MINUTE, { replyTo: tide._id });
  const views = await Promise.all(
    [0, 3].map((mood, at) => upload(tomas, `pier-${at + 1}.png`, scenery(900, 640, mood), 'image/png')),
  );
  const pictures = await say(
    tomas,
    group,
    'Where I would put the second stage, evening and morning light:',
    46 * MINUTE,
    withMedia(...views),
  );
  await say(priya, group, 'Oh, that is lovely', 44 * MINUTE);
  for (const [person, emoji] of [
    [mara, '😍'],
    [jonas, '😍'],
    [aisha, '👍'],
  ]) {
    await person.rest.put(`/api/v1/chat/messages/${pictures._id}/reactions/${encodeURIComponent(emoji)}`);
  }
  const plan = await upload(
    mara,
    'Site plan v4.pdf',
    Buffer.concat([Buffer.from('%PDF-1.4\n'), Buffer.alloc(480_000, 32), Buffer.from('\n%%EOF')]),
    'application/pdf',
  );
  await say(
    mara,
    group,
    'Here is the plan with both stages. Comments until tomorrow, please.',
    12 * MINUTE,
    withMedia(plan),
  );
  await say(aisha, group, 'On it!', 9 * MINUTE);

  const direct = await mara.direct(jonas);
  await say(jonas, direct, 'Did the permit come through?', 31 * MINUTE);
  await say(mara, direct, 'Yes, an hour ago 🎉', 30 * MINUTE);
  const evening = await upload(jonas, 'evening.png', scenery(900, 640, 2), 'image/png');
  await say(jonas, direct, 'Perfect. This is the view from the stage, by the way.', 28 * MINUTE, withMedia(evening));
  await say(mara, direct, 'Now I wish it were July already.', 27 * MINUTE);

  const online = await Promise.all([jonas, aisha, priya].map((person) => person.connect()));
  await Promise.all(online.map((client) => client.join(group)));
  /** Aisha begins to type in the group. Who comes in later does not hear of it. */
  const type = () => {
    online[1].socket.emit('typing:stop', group);
    online[1].socket.emit('typing:start', group);
  };
  return { mara, jonas, aisha, tomas, priya, chen, ella, group, times, type };
}

/** Shows a window what was said at the times that it is meant to have been said at. */
export async function aged(context, times) {
  await context.route(/\/api\/v1\/(chat|notifications)/, async (route) => {
    const response = await route.fetch();
    const shown = JSON.parse(await response.text(), (_key, value) => {
      const at = value?.createdAt && (times.get(value._id) ?? times.get(value.message));
      return at ? { ...value, createdAt: new Date(at).toISOString() } : value;
    });
    await route.fulfill({ response, json: shown });
  });
}
