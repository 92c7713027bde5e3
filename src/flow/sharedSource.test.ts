import { Subject, share, takeUntil } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { record } from '../../test/support/record.js';
import { naturals } from '../../test/support/sources.js';
import { boundedBuffer } from '../operators/boundedBuffer.js';
import { withGate } from '../testing/index.js';
import { Gate } from './gate.js';

describe('a source that others share', () => {
  it('goes on as soon as the stage at whose gate it waits takes nothing more, though that still holds items', () => {
    const gate = new Gate('closed');
    const stop = new Subject<void>();
    const shared$ = naturals(100).pipe(share());
    const full = record(shared$.pipe(takeUntil(stop), boundedBuffer({ capacity: 4 }), withGate(gate)));
    const other = record(shared$);
    stop.next();
    expect(full.completed).toBe(false);
    expect(other.completed).toBe(true);
    gate.open();
    expect(full.values.length).toBeLessThan(10);
    expect(full.completed).toBe(true);
  });

  it('goes on when that stage is unsubscribed', () => {
    const shared$ = naturals(100).pipe(share());
    const full = record(shared$.pipe(boundedBuffer({ capacity: 4 }), withGate(new Gate('closed'))));
    const other = record(shared$);
    full.subscription.unsubscribe();
    expect(other.completed).toBe(true);
  });
});
