import { share } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Gate } from '../../../src/flow/gate.js';
import { gatedSource } from '../../../src/flow/gatedSource.js';
import { withContext } from '../../../src/flow/withContext.js';
import { boundedBuffer } from '../../../src/operators/boundedBuffer.js';

describe('a source that is shared', () => {
  it('does not wait for ever at the gate of a subscriber that has gone', () => {
    const shared$ = gatedSource<number>({ name: 'hundred' }, (outlet) => {
      let n = 0;
      outlet.pump(() => (n < 100 ? outlet.next(n++) : outlet.complete()));
    }).pipe(share());
    const closed = new Gate('closed');
    const first = shared$.pipe(boundedBuffer({ capacity: 10 }), withContext({ gate: closed })).subscribe();
    const seen: number[] = [];
    let completed = false;
    shared$.subscribe({
      next: (n) => seen.push(n),
      complete: () => {
        completed = true;
      },
    });
    expect(seen).toEqual([]);
    first.unsubscribe();
    expect(seen).toEqual(Array.from({ length: 92 }, (_, i) => i + 8));
    expect(completed).toBe(true);
    expect(closed.waiting).toBe(0);
  });
});
