import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { OPERATOR_RULES, PROVIDER_RULES, SINK_RULES } from '../../../src/testing/index.js';

const guide = readFileSync(new URL('../../../docs/testing.md', import.meta.url), 'utf8');

it.each([
  ['operators', 'OP', OPERATOR_RULES],
  ['sinks', 'SK', SINK_RULES],
  ['providers', 'PR', PROVIDER_RULES],
])('the guide lists every rule of %s, as it is called, in order', (_, prefix, rules) => {
  const rows = guide.matchAll(new RegExp(`^\\| (${prefix}-\\d+\\.\\d+) \\| (.+) \\|$`, 'gm'));
  expect([...rows].map(([, id, title]) => ({ id, title }))).toEqual(rules);
});
