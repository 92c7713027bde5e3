import { type ObservableInput, of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { letterBox } from '../../../test/support/diversions.js';
import { coded, refused } from '../../../test/support/errors.js';
import { record } from '../../../test/support/record.js';
import type { Sink, WriteReceipt } from '../../contracts/sink.js';
import { PipelineMonitor } from '../../flow/monitor.js';
import { withContext } from '../../flow/withContext.js';
import { fromIterable } from '../../sources/fromIterable.js';
import { batch } from '../batch.js';
import { dedupe } from '../dedupe.js';
import { writeTo } from '../writeTo.js';

interface Item {
  readonly n: number;
  readonly seq?: number;
}

/** Writes ten items of which 3 comes twice, in batches of five, and says which of them ended how. */
function play(write: (items: readonly Item[]) => ObservableInput<WriteReceipt>) {
  const given: readonly Item[] = [0, 1, 2, 3, 3, 4, 5, 6, 7, 8].map((n) => ({ n }));
  const fates: [stage: string, fate: string, reason: string | undefined, items: readonly unknown[]][] = [];
  const { deadLetters } = letterBox();
  const sink: Sink<Item> = { name: 'items', stamp: (items) => items.map((item, seq) => ({ ...item, seq })), write };
  const monitor = new PipelineMonitor({
    observer: { fate: (stage, fate, reason, items) => fates.push([stage.name, fate, reason, items]) },
  });
  record(
    fromIterable(given).pipe(
      dedupe({ by: ({ n }) => n, maxKeys: 100 }),
      batch({ size: 5 }),
      writeTo(sink, { deadLetters: deadLetters as never }),
      withContext({ monitor }),
    ),
  );
  const named = fates.flatMap(([, , , items]) => items as Item[]);
  expect(new Set(named)).toEqual(new Set(given));
  expect(named).toHaveLength(given.length);
  expect(named.every((item) => given.includes(item))).toBe(true);
  return fates.map(([stage, fate, reason, items]) => [stage, fate, reason, items.map((item) => (item as Item).n)]);
}

describe('an observer of fates hears of every item once, as it was given', () => {
  it('what is written, and what a stage above dropped', () => {
    expect(play((items) => of({ rows: items.length }))).toEqual([
      ['dedupe', 'dropped', 'duplicate', [3]],
      ['writeTo', 'written', undefined, [0, 1, 2, 3, 4]],
      ['writeTo', 'written', undefined, [5, 6, 7, 8]],
    ]);
  });

  it('what is isolated and what is written around it', () => {
    const write = (items: readonly Item[]) =>
      items.some(({ n }) => n === 6) ? throwError(() => coded('22P02')) : of({ rows: items.length });
    const fates = play(write);
    expect(fates.filter(([, fate]) => fate === 'diverted')).toEqual([['writeTo', 'diverted', 'poison', [6]]]);
  });

  it('what is given up', () => {
    const fates = play((items) => (items[0]?.n === 0 ? throwError(refused) : of({ rows: items.length })));
    expect(fates.filter(([, fate]) => fate === 'diverted')).toEqual([
      ['writeTo', 'diverted', 'exhausted', [0, 1, 2, 3, 4]],
    ]);
  });
});
