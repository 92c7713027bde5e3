import { of } from 'rxjs';
import { delay } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { boundedBuffer } from '../src/operators/boundedBuffer.js';
import { boundedMergeMap } from '../src/operators/boundedMergeMap.js';
import { marbles } from '../src/testing/marbles.js';
import { probeGate } from '../src/testing/probeGate.js';
import { withGate } from '../src/testing/withGate.js';

describe('boundedBuffer', () => {
  it(
    'holds while downstream is closed, and closes its gate in the frame of the high watermark',
    marbles(({ hot, gate, expectObservable, expectSubscriptions }) => {
      const items = hot('      abcde-------f-|');
      const subscribed = '     ^-------------!';
      const downstream = gate('oc----o--------');
      const expected = '       a-----(bcde)f-|';
      const upstream = '       o---c-o        ';
      const probe = probeGate<string>();
      const buffer = boundedBuffer<string>({ capacity: 5, highWatermark: 0.8, lowWatermark: 0.4 });
      expectObservable(items.pipe(probe, buffer, withGate(downstream))).toBe(expected);
      expectObservable(probe.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'pauses a source that obeys the gate, for as long as it is closed',
    marbles(({ gated, gate, expectObservable, expectSubscriptions }) => {
      const items = gated('    a-b-c--------d-|   ');
      const subscribed = '     ^-----------------!';
      const downstream = gate('c------o           ');
      const expected = '       -------(abc)----d-|';
      const upstream = '       o---c--o           ';
      const buffer = boundedBuffer<string>({ capacity: 4, highWatermark: 0.75, lowWatermark: 0.25 });
      expectObservable(items.pipe(buffer, withGate(downstream))).toBe(expected);
      expectObservable(items.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'opens only at the low watermark (hysteresis): one item leaves every two frames',
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const items = hot(' (abcd)---|');
      const subscribed = '^--------!';
      const expected = '  --a-b-c-d|';
      const upstream = '  (oc)o     ';
      const probe = probeGate<string>();
      const buffer = boundedBuffer<string>({ capacity: 4, highWatermark: 0.75, lowWatermark: 0.25 });
      const slow = boundedMergeMap((item: string) => of(item).pipe(delay(2)), { concurrency: 1 });
      expectObservable(items.pipe(probe, buffer, slow)).toBe(expected);
      expectObservable(probe.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'keeps the newest, and tells of each victim in its frame',
    marbles(({ hot, gate, scheduler, expectObservable, expectSubscriptions, flush }) => {
      const items = hot('      abcd-----e|');
      const subscribed = '     ^---------!';
      const downstream = gate('c---o      ');
      const expected = '       ----(cd)-e|';
      const victims: string[] = [];
      const onDrop = (item: string) => victims.push(`${item}@${scheduler.now()}`);
      const buffer = boundedBuffer({ capacity: 2, overflow: 'dropOldest', onDrop });
      expectObservable(items.pipe(buffer, withGate(downstream))).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
      flush();
      expect(victims).toEqual(['a@2', 'b@3']);
    }),
  );

  it(
    'lets completion and an error wait behind what is held',
    marbles(({ hot, gate, expectObservable, expectSubscriptions }) => {
      const completing = hot(' ab|     ');
      const failing = hot('    ab#     ');
      const subscribed = '     ^-!     ';
      const downstream = gate('c----o  ');
      expectObservable(completing.pipe(boundedBuffer(), withGate(downstream))).toBe('-----(ab|)');
      expectObservable(failing.pipe(boundedBuffer(), withGate(downstream))).toBe('   -----(ab#)');
      expectSubscriptions(completing.subscriptions).toBe(subscribed);
      expectSubscriptions(failing.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'tells its level in the frames in which it changes',
    marbles(({ hot, gate, expectObservable, expectSubscriptions }) => {
      const items = hot('      -abcd------');
      const downstream = gate('c-------o--');
      const levels = '         a-bc----(ba)';
      const buffer = boundedBuffer<string>({
        capacity: 3,
        highWatermark: 0.6,
        lowWatermark: 0.3,
        overflow: 'dropIncoming',
      });
      const unsubscribed = '   ^---------!';
      expectObservable(buffer.level$).toBe(levels, { a: 'ok', b: 'soft', c: 'hard' });
      expectObservable(items.pipe(buffer, withGate(downstream)), unsubscribed).toBe('--------(abc)');
      expectSubscriptions(items.subscriptions).toBe(unsubscribed);
    }),
  );

  it(
    'emits nothing after it was unsubscribed, and lets go of its source',
    marbles(({ hot, gate, expectObservable, expectSubscriptions }) => {
      const items = hot('      ab-----');
      const downstream = gate('c----o-');
      const unsubscribed = '   ^--!   ';
      expectObservable(items.pipe(boundedBuffer(), withGate(downstream)), unsubscribed).toBe('-------');
      expectSubscriptions(items.subscriptions).toBe('^--!');
    }),
  );
});
