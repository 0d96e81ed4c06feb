// The life of a group: made, filled, named, promoted, left.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { png } from '../../../tests/e2e/support/contents.mjs';
import { eventually } from '../../../tests/e2e/support/wait.mjs';
import { stage } from './support/stage.mjs';
import { Window } from './support/window.mjs';

describe('groups', () => {
  const set = stage();

  it('is made, renamed, gets a photo, people, an admin, and is left', async () => {
    const people = await set.server.people('Ann', 'Ben', 'Cem');
    const [ann, ben, cem] = await Promise.all(people.map((person) => Window.open(set.browser, { person })));
    await ann.button('New group').first().click();
    const dialogue = ann.dialogue('New group');
    await dialogue.getByRole('textbox', { name: 'Name of the group' }).fill('Walkers');
    await dialogue.getByRole('button', { name: 'Ben', exact: true }).click();
    await dialogue.getByRole('button', { name: 'Make the group' }).click();
    await ben.enter('Walkers');
    await ann.say('Welcome');
    await ben.message('Welcome').waitFor();

    await ann.button('Details').click();
    await ann.button('Rename the group').click();
    await ann.page.getByRole('complementary', { name: 'Details' }).getByRole('textbox').fill('Hikers');
    await ann.button('Save').click();
    await ben.row('Hikers').waitFor();
    await ann.page
      .getByLabel('Photo of the group')
      .setInputFiles({ name: 'hills.png', mimeType: 'image/png', buffer: png(200, 200) });
    await ben.row('Hikers').locator('img').waitFor();

    await ann.button('Add people').click();
    const adding = ann.dialogue('Add people');
    await adding.getByRole('button', { name: 'Cem', exact: true }).click();
    await adding.getByRole('button', { name: 'Add', exact: true }).click();
    await cem.enter('Hikers');
    await ann.button('Make Ben an admin').click();
    await ben.button('Details').click();
    await ben.button('Remove Cem').waitFor();
    await ann.picture('group');
    await ben.button('Remove Cem').click();
    await ben
      .dialogue(/Remove Cem/)
      .getByRole('button', { name: 'Remove' })
      .click();
    await cem.row('Hikers').waitFor({ state: 'detached' });
    await cem.page.getByText('No conversations yet').waitFor();

    await ann.button('Leave the group').click();
    await ann.dialogue(/Leave/).getByRole('button', { name: 'Leave' }).click();
    await ann.row('Hikers').waitFor({ state: 'detached' });
    const participants = await eventually(
      'Ben is the owner',
      async () => (await people[1].rest.get('/api/v1/chat/conversations')).data.conversations[0].participants,
      ([first]) => first.role === 'owner',
    );
    assert.equal(participants.length, 1);
    await Promise.all([ann, ben, cem].map((window) => window.close(/40[34]/)));
  });
});
