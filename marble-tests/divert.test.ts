import type { Observable } from 'rxjs';
import { describe, it } from 'vitest';
import type { DeadLetters } from '../src/contracts/diversion.js';
import { withContext } from '../src/flow/withContext.js';
import { divert } from '../src/operators/divert.js';
import { marbles, probeGate, withGate } from '../src/testing/index.js';

/** x, y and z are diverted. */
const isBad = (item: string) => item > 'w';

const into = (letter$: Observable<unknown>): DeadLetters<string> => ({ append: () => letter$ });

describe('divert', () => {
  it(
    'lets other items pass while a letter is written',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('  -axb---|');
      const letter = cold('   -----|');
      const subscribed = '  ^------!';
      const lettered = '    --^----!';
      const expected = '    -a-b---|';
      expectObservable(items.pipe(divert({ to: into(letter), when: isBad }))).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
      expectSubscriptions(letter.subscriptions).toBe(lettered);
    }),
  );

  it(
    'is closed while as many diversions as may be are under way',
    marbles(({ gated, cold, expectObservable, expectSubscriptions }) => {
      const items = gated(' -x-ybc|    ');
      const letter = cold('  ----|     ');
      const lettered = ['   -^---!', '---^---!'];
      const expected = '    ------bc|';
      const upstream = '    o--c-o--   ';
      expectObservable(items.pipe(divert({ to: into(letter), when: isBad, concurrency: 2 }))).toBe(expected);
      expectObservable(items.gateLog$).toBe(upstream);
      expectSubscriptions(letter.subscriptions).toBe(lettered);
    }),
  );

  it(
    'has what ignores its gate wait, and begins letters in order',
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const items = hot('   -xaybz--------|');
      const letter = cold('  ---|          ');
      const lettered = ['   -^--!', '----^--!', '-------^--!'];
      const expected = '    ----a--b------|';
      const upstream = '    oc--------o----';
      const probe = probeGate<string>();
      const operator = divert<string>({ to: into(letter), when: isBad, concurrency: 1 });
      expectObservable(items.pipe(probe, operator)).toBe(expected);
      expectObservable(probe.gateLog$).toBe(upstream);
      expectSubscriptions(letter.subscriptions).toBe(lettered);
    }),
  );

  it(
    'obeys downstream, and diverts nothing while that is closed',
    marbles(({ hot, cold, gate, expectObservable, expectSubscriptions }) => {
      const items = hot('      -abxc------|');
      const letter = cold('          --|   ');
      const downstream = gate('o-c---o-----');
      const expected = '       -a----(bc)-|';
      const upstream = '       o-c---o-----';
      const lettered = '       ------^-!';
      const probe = probeGate<string>();
      expectObservable(items.pipe(probe, divert({ to: into(letter), when: isBad }), withGate(downstream))).toBe(
        expected,
      );
      expectObservable(probe.gateLog$).toBe(upstream);
      expectSubscriptions(letter.subscriptions).toBe(lettered);
    }),
  );

  it(
    'completes and fails after the diversions under way',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const letter = cold('      ----|');
      const completing = cold('-xy|');
      const failing = cold('   -xa#');
      const operator = divert<string>({ to: into(letter), when: isBad });
      expectObservable(completing.pipe(operator)).toBe('------|');
      expectObservable(failing.pipe(operator)).toBe('   --a--#');
      expectSubscriptions(completing.subscriptions).toBe('^--!');
      expectSubscriptions(failing.subscriptions).toBe('^--!');
      expectSubscriptions(letter.subscriptions).toBe(['-^---!', '-^---!', '--^---!']);
    }),
  );

  it(
    'fails in the frame in which a letter fails, and lets go of everything',
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const items = hot('   -xa-b---');
      const letter = cold('  --#    ');
      const subscribed = '  ^--!    ';
      const expected = '    --a#    ';
      expectObservable(items.pipe(divert({ to: into(letter), when: isBad }))).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'finishes the letters under way in a drain',
    marbles(({ gated, stopping, expectObservable, expectSubscriptions }) => {
      const items = gated('   -ax-b-----');
      // A source of ours would complete if it heard of the drain.
      const letter = gated('    -----|  ');
      const drain = stopping('---s      ');
      const expected = '      -a-----|  ';
      const subscribed = '    ^--!      ';
      const lettered = '      --^----!  ';
      const chain = items.pipe(divert({ to: into(letter), when: isBad }), withContext({ stopping: drain }));
      expectObservable(chain).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
      expectSubscriptions(letter.subscriptions).toBe(lettered);
    }),
  );

  it(
    'unsubscribes the source and the letters together',
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const items = hot('   -axy-b---');
      const letter = cold('   -----| ');
      const unsubscribe = ' -----!   ';
      const lettered = ['   --^--!', '---^-!'];
      const expected = '    -a---    ';
      expectObservable(items.pipe(divert({ to: into(letter), when: isBad })), unsubscribe).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe('^----!');
      expectSubscriptions(letter.subscriptions).toBe(lettered);
    }),
  );
});
