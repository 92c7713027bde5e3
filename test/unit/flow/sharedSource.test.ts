import { share } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Gate } from '../../../src/flow/gate.js';
import { withContext } from '../../../src/flow/withContext.js';
import { boundedBuffer } from '../../../src/operators/boundedBuffer.js';
import { naturals } from '../../support/sources.js';

describe('a source that is shared', () => {
  it('does not wait for ever at the gate of a subscriber that has gone', () => {
    const shared$ = naturals(100).pipe(share());
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
