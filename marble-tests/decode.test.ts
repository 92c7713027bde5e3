import * as t from 'io-ts';
import { describe, it } from 'vitest';
import { decode } from '../src/operators/decode.js';
import { marbles, probeGate, withGate } from '../src/testing/index.js';

/** x is what the codec refuses. */
const values = { a: 'a', b: 'b', c: 'c', x: 7 };

describe('decode', () => {
  it(
    'diverts in the same frame where the diversion takes no time',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('  -axb|', values);
      const subscribed = '  ^---!';
      const expected = '    -a-b|';
      expectObservable(items.pipe(decode(t.string, { divertTo: () => {} }))).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'is closed from the frame of the rejected item to that in which its diversion completes',
    marbles(({ gated, cold, expectObservable, expectSubscriptions }) => {
      const items = gated(' -a-x-b-|', values);
      const letter = cold('    ---|');
      const subscribed = '  ^---------!';
      const lettered = '    ---^--!    ';
      const expected = '    -a------b-|';
      const upstream = '    o--c--o----';
      expectObservable(items.pipe(decode(t.string, { divertTo: () => letter }))).toBe(expected);
      expectObservable(items.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
      expectSubscriptions(letter.subscriptions).toBe(lettered);
    }),
  );

  it(
    'has what arrives during a diversion wait, and diverts one at a time',
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const items = hot('   -axbxc-----|', values);
      const letter = cold('   ---|');
      const lettered = ['   --^--!', '-----^--!'];
      const expected = '    -a---b--c--|';
      const upstream = '    o-c-----o---';
      const probe = probeGate<unknown>();
      expectObservable(items.pipe(probe, decode(t.string, { divertTo: () => letter }))).toBe(expected);
      expectObservable(probe.gateLog$).toBe(upstream);
      expectSubscriptions(letter.subscriptions).toBe(lettered);
    }),
  );

  it(
    'obeys downstream',
    marbles(({ hot, gate, expectObservable, expectSubscriptions }) => {
      const items = hot('      -abxc------|', values);
      const subscribed = '     ^----------!';
      const downstream = gate('o-c---o-----');
      const expected = '       -a----(bc)-|';
      const upstream = '       o-c---o-----';
      const probe = probeGate<unknown>();
      const operator = decode(t.string, { divertTo: () => {} });
      expectObservable(items.pipe(probe, operator, withGate(downstream))).toBe(expected);
      expectObservable(probe.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'completes and fails after the diversion under way',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const letter = cold('     ----|');
      const completing = cold(' -x|', values);
      const failing = cold('    -xa#', values);
      const operator = decode(t.string, { divertTo: () => letter });
      expectObservable(completing.pipe(operator)).toBe('-----|');
      expectObservable(failing.pipe(operator)).toBe('  -----(a#)');
      expectSubscriptions(completing.subscriptions).toBe('^-!');
      expectSubscriptions(failing.subscriptions).toBe('^--!');
      expectSubscriptions(letter.subscriptions).toBe(['-^---!', '-^---!']);
    }),
  );

  it(
    'fails in the frame in which a diversion fails',
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const items = hot('   -ax-b----', values);
      const letter = cold('   --#');
      const subscribed = '  ^---!';
      const expected = '    -a--#';
      expectObservable(items.pipe(decode(t.string, { divertTo: () => letter }))).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'unsubscribes the source and the diversion together',
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const items = hot('   -ax-b----', values);
      const letter = cold('   -----|');
      const unsubscribe = ' -----!';
      const subscribed = '  ^----!';
      const lettered = '    --^--!';
      const expected = '    -a----';
      expectObservable(items.pipe(decode(t.string, { divertTo: () => letter })), unsubscribe).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
      expectSubscriptions(letter.subscriptions).toBe(lettered);
    }),
  );
});
