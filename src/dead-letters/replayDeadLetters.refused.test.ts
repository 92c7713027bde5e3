import { lastValueFrom, of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { append, deadLetterFolder } from '../../test/support/deadLetterFolder.js';
import { coded } from '../../test/support/errors.js';
import type { Sink } from '../contracts/sink.js';
import { SinkError } from '../contracts/sinkError.js';
import { replayDeadLetters } from './index.js';

const folder = deadLetterFolder();

describe('a replay of rows that a rule of the table refuses, and nothing else', () => {
  it('comes to an end, with each of them in a letter again', async () => {
    const queue = await folder.open();
    for (let n = 0; n < 30; n++) await append(queue, [n, n + 100]);
    const refusal = Object.assign(coded('23514'), { constraint: 'price_range' });
    const sink: Sink<unknown> = { name: 'bars', write: () => throwError(() => refusal) };
    const progress = await lastValueFrom(replayDeadLetters(queue, { sink, policies: { breaker: {} } }));
    expect(progress).toMatchObject({ items: 60, written: 0, failedAgain: 60 });
    const letters = await folder.letters();
    expect(letters.reduce((count, { items }) => count + items.length, 0)).toBe(60);
    await queue.close();
  });
});

describe('a pause that a sink asks for during a replay', () => {
  it('holds the writes of all its letters', async () => {
    const queue = await folder.open();
    for (let n = 0; n < 40; n++) await append(queue, [n]);
    let refused = 0;
    let early = 0;
    let isOver = false;
    const sink: Sink<unknown> = {
      name: 'api',
      write(items) {
        if (refused > 0 && !isOver) early += 1;
        if (refused++ > 0) return of({ rows: items.length });
        setTimeout(() => {
          isOver = true;
        }, 150);
        return throwError(() => new SinkError('busy', { failureClass: 'transient', retryAfterMs: 200 }));
      },
    };
    const policies = { retry: { maxAttempts: 5 } };
    const progress = await lastValueFrom(replayDeadLetters(queue, { sink, policies }));
    expect(early).toBe(0);
    expect(progress).toMatchObject({ written: 40, remaining: 0 });
    await queue.close();
  });
});
