import { expect, it } from 'vitest';
import { readFiles } from './repository.js';

/** The faults of an earlier system of this kind, by their names: the minimum of what must not come back. */
const FAULTS = [
  'workers starve for good after a lull longer than the flush interval',
  'a worker dies with its batch when retries run out and nothing restarts it',
  'the dead letters are never called by the worker',
  'connection refused is not recognised as transient',
  'every poll of an open breaker burns an attempt',
  'half-open admits everyone',
  'a late success closes an open breaker',
  'the drain discards what the queue still holds',
  'a slow backpressure listener blocks the queue',
  'replay re-reads without removing',
  'two writers put an older bar over a newer',
  'one duplicate key aborts a whole COPY batch',
  'settings are loaded and never applied',
];

/** Titles of tests and of groups of them, such as `it('…'`, `describe("…"` and `it.each(…)(\n'…'`. */
const TITLE = /^\s*(?:(?:it|describe)\(\s*)?(['"`])(.*)\1,/gm;

const titles = [...readFiles(['src', 'test', 'marble-tests'], ['.test.ts'])]
  .filter(([path]) => path !== 'test/conventions/regressions.test.ts')
  .flatMap(([, text]) => [...text.matchAll(TITLE)].map(([, , title]) => title!));

it.each(FAULTS)('a test is named after a fault of an earlier system: %s', (fault) => {
  expect(titles.filter((title) => title.includes(fault))).not.toEqual([]);
});
