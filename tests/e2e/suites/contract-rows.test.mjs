// The list of the contract's rows is true: each is shown by a test that exists.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { complaints, listedRows, nameOf, testTitles } from '../contract-rows.mjs';

describe('rows of the contract', () => {
  it('every row names tests that exist, or the capability that it waits for', () => {
    assert.deepEqual(complaints(), []);
  });

  it('the list and the titles are read, not empty', () => {
    const names = listedRows().map(nameOf);
    assert.ok(names.includes('talentbridge in message:send') && names.includes('POST /api/messages'));
    assert.ok(testTitles().length > 100);
  });
});
