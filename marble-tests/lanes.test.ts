import type { Observable } from 'rxjs';
import { delay } from 'rxjs/operators';
import { describe, it } from 'vitest';
import { lanes } from '../src/operators/lanes.js';
import { hashKey } from '../src/primitives/hashKey.js';
import { marbles } from '../src/testing/marbles.js';
import { withGate } from '../src/testing/withGate.js';

/** Of two lanes, a and A are in the first, b and B in the second. */
const keys = [0, 1].map((lane) => [...Array(50).keys()].find((key) => hashKey(key) % 2 === lane)!);
const by = (item: string) => (item.toLowerCase() === 'a' ? keys[0]! : keys[1]!);

describe('lanes', () => {
  it(
    'closes its gate while an item waits for its lane, and those behind it wait too',
    marbles(({ gated, gate, expectObservable, expectSubscriptions }) => {
      const items = gated(' b-a-b-a-|    ');
      const subscribed = '  ^-----------!';
      const lane0 = gate('  o-c---o      ');
      const expected = '    b-----a-b-a-|';
      const upstream = '    o-c---o      ';
      const project = (lane$: Observable<string>, index: number) => (index === 0 ? lane$.pipe(withGate(lane0)) : lane$);
      expectObservable(items.pipe(lanes({ count: 2, by }, project))).toBe(expected);
      expectObservable(items.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'passes over a closed lane where there is no key, and closes its gate when all are',
    marbles(({ gated, gate, expectObservable, expectSubscriptions }) => {
      const items = gated('a-b-c-d-|  ');
      const subscribed = ' ^---------!';
      const lane0 = gate(' c--------- ');
      const lane1 = gate(' o---c-o--- ');
      const expected = '  a-b---c-d-|';
      const upstream = '  o---c-o    ';
      const project = (lane$: Observable<string>, index: number) => lane$.pipe(withGate(index === 0 ? lane0 : lane1));
      expectObservable(items.pipe(lanes({ count: 2 }, project))).toBe(expected);
      expectObservable(items.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'completes when the slowest lane has, and lets an error of its source wait for it',
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const items = hot('  ab|    ');
      const failing = hot('ab#    ');
      const project = (lane$: Observable<string>, index: number) => (index === 0 ? lane$.pipe(delay(4)) : lane$);
      expectObservable(items.pipe(lanes({ count: 2, by }, project))).toBe('  -b--(a|)');
      expectObservable(failing.pipe(lanes({ count: 2, by }, project))).toBe('-b--(a#)');
      expectSubscriptions(items.subscriptions).toBe('^-!');
    }),
  );

  it(
    'unsubscribes its lanes when it is unsubscribed',
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const items = hot('    ab------');
      const unsubscribed = ' ^--!    ';
      expectObservable(items.pipe(lanes({ count: 2 }, (lane$) => lane$.pipe(delay(4)))), unsubscribed).toBe('--------');
      expectSubscriptions(items.subscriptions).toBe(unsubscribed);
    }),
  );
});
