import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { lastValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  type DeadLetterQueue,
  openDeadLetters,
  readDeadLetters,
  type StoredLetter,
} from '../../src/dead-letters/index.js';

interface Item {
  readonly n: number;
  readonly pad: string;
}

type Step =
  | { readonly kind: 'append'; readonly stage: string; readonly items: number; readonly pad: number }
  | { readonly kind: 'purge' | 'park' | 'unpark'; readonly pick: number; readonly many: number }
  | { readonly kind: 'reopen' }
  | { readonly kind: 'crash'; readonly cut: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      stage: fc.constantFrom('a', 'b'),
      items: fc.integer({ min: 1, max: 5 }),
      pad: fc.integer({ min: 0, max: 300 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('purge' as const, 'park' as const, 'unpark' as const),
      pick: fc.nat(),
      many: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('crash' as const), cut: fc.nat() }) },
);

const contentOf = (letters: readonly StoredLetter<Item>[]) =>
  letters.map(({ items }) => items.map(({ n }) => n)).sort(byFirst);
const byFirst = (a: readonly number[], b: readonly number[]) => a[0]! - b[0]!;

async function all<V>(values: AsyncIterable<V>): Promise<V[]> {
  const list: V[] = [];
  for await (const value of values) list.push(value);
  return list;
}

/** Letters by their first item, as the naive model holds them. */
class Model {
  readonly open = new Map<number, number[]>();
  readonly parked = new Map<number, number[]>();

  of(state: 'open' | 'parked'): number[][] {
    return [...this[state].values()].sort(byFirst);
  }
}

class Subject {
  readonly root: string;
  folder: string;
  queue: DeadLetterQueue<Item> | undefined;
  #generation = 0;

  constructor() {
    this.root = mkdtempSync(join(tmpdir(), 'sluice-segments-'));
    this.folder = join(this.root, '0');
  }

  async open(): Promise<DeadLetterQueue<Item>> {
    this.queue = await openDeadLetters<Item>(this.folder, { pipeline: 'p', segmentBytes: 1_024 });
    return this.queue;
  }

  /** What a crash leaves: the folder as it is on the disk, with the file that was written to last cut anywhere behind `keep`. */
  crash(cut: number, keep: ReadonlyMap<string, number>): void {
    this.#generation += 1;
    const to = join(this.root, String(this.#generation));
    copyFolder(this.folder, to);
    const newest = readdirSync(to)
      .filter((file) => file.endsWith('.ndjson'))
      .sort()
      .at(-1);
    if (newest !== undefined) {
      const size = readFileSync(join(to, newest)).length;
      const least = Math.min(size, keep.get(newest) ?? 0);
      truncateSync(join(to, newest), least + (cut % (size - least + 1)));
    }
    this.folder = to;
  }
}

function copyFolder(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isDirectory()) copyFolder(join(from, entry.name), join(to, entry.name));
    else if (entry.isFile()) copyFileSync(join(from, entry.name), join(to, entry.name));
  }
}

describe('the segments of dead letters', () => {
  it('hold what a plain list would, through appends, removals, rotation, reopening and torn tails', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const subject = new Subject();
        const model = new Model();
        let n = 0;
        try {
          let queue = await subject.open();
          for (const step of steps) {
            if (step.kind === 'append') {
              const items = Array.from({ length: step.items }, () => ({ n: n++, pad: 'x'.repeat(step.pad) }));
              const letter = { items, stage: step.stage, reason: 'poison', error: undefined, attempts: 1 };
              await lastValueFrom(queue.append(letter), { defaultValue: undefined });
              model.open.set(
                items[0]!.n,
                items.map((item) => item.n),
              );
            } else if (step.kind === 'reopen') {
              await queue.close();
              queue = await subject.open();
            } else if (step.kind === 'crash') {
              // A letter that never became durable is cut off anywhere; those before it stay.
              const keep = sizesOf(subject.folder);
              const half = {
                items: [{ n: -1, pad: 'lost' }],
                stage: 'a',
                reason: 'poison',
                error: undefined,
                attempts: 1,
              };
              await lastValueFrom(queue.append(half), { defaultValue: undefined });
              subject.crash(step.cut, keep);
              await queue.close();
              queue = await subject.open();
              await queue.purge({
                ids: (await all(readDeadLetters<Item>(subject.folder))).filter(isLost).map(({ id }) => id),
              });
            } else {
              const from = step.kind === 'unpark' ? 'parked' : 'open';
              const there = await all(readDeadLetters<Item>(subject.folder, { state: from }));
              const picked = there.filter((_, i) => (i + step.pick) % step.many === 0);
              const tally = await queue[step.kind]({ ids: picked.map(({ id }) => id) });
              expect(tally.letters).toBe(picked.length);
              for (const { items } of picked) {
                const first = items[0]!.n;
                const letter = model[from].get(first)!;
                model[from].delete(first);
                if (step.kind === 'park') model.parked.set(first, letter);
                if (step.kind === 'unpark') model.open.set(first, letter);
              }
            }
            for (const state of ['open', 'parked'] as const) {
              const letters = await all(readDeadLetters<Item>(subject.folder, { state }));
              expect(contentOf(letters)).toEqual(model.of(state));
              expect(queue.stats()[state]).toEqual({ letters: letters.length, items: model.of(state).flat().length });
            }
          }
          // What is removed leaves nothing behind but its last, unfinished segment.
          await queue.purge({});
          await queue.purge({ state: 'parked' });
          expect(readdirSync(subject.folder).filter((file) => /\d\.(ndjson|journal)$/.test(file))).toEqual([]);
          if (existsSync(join(subject.folder, 'parked')))
            expect(readdirSync(join(subject.folder, 'parked'))).toEqual([]);
          await queue.close();
        } finally {
          await subject.queue?.close();
          rmSync(subject.root, { recursive: true, force: true });
        }
      }),
      { numRuns: 30, seed: 20_261_125 },
    );
  }, 60_000);
});

const isLost = ({ items }: StoredLetter<Item>) => items[0]!.n === -1;

function sizesOf(folder: string): Map<string, number> {
  return new Map(
    readdirSync(folder)
      .filter((file) => file.endsWith('.ndjson'))
      .map((file) => [file, readFileSync(join(folder, file)).length]),
  );
}
