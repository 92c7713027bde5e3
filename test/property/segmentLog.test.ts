import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Placed } from '../../src/disk/log/entryFormat.js';
import { openSegmentLog, type SegmentLog } from '../../src/disk/log/segmentLog.js';
import { diskError, faultyDisk } from '../support/faultyDisk.js';
import { positionFormat, type SourcePosition } from '../support/positionFormat.js';

type Step =
  | { readonly kind: 'append'; readonly offsets: readonly number[] }
  | { readonly kind: 'remove' | 'begin' | 'release'; readonly pick: number; readonly many: number }
  | { readonly kind: 'seal' | 'reopen' }
  | { readonly kind: 'crash'; readonly cut: number }
  /** The next steps of the disk fail, so many of them. */
  | { readonly kind: 'fault'; readonly at: 'open' | 'write' | 'datasync' | 'remove'; readonly times: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      offsets: fc.array(fc.nat(99), { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('remove' as const, 'begin' as const, 'release' as const),
      pick: fc.nat(99),
      many: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('seal' as const, 'reopen' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), cut: fc.nat(400) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      at: fc.constantFrom('open' as const, 'write' as const, 'datasync' as const, 'remove' as const),
      times: fc.integer({ min: 1, max: 2 }),
    }),
  },
);

/** Waits for the disk for no time at all. */
const impatientScheduler: SchedulerLike = {
  now: () => 0,
  schedule: (work: (...args: never[]) => void) => asyncScheduler.schedule(() => work()),
};

/** What a log is: a list of what was appended and not removed, and how often each was begun. */
interface Modelled {
  readonly placed: Placed;
  readonly offset: number;
  begun: number;
}

class Subject {
  readonly #root = mkdtempSync(join(tmpdir(), 'sluice-log-'));
  readonly disk = faultyDisk();
  #generation = 0;
  #folder = join(this.#root, '0');
  log!: SegmentLog<SourcePosition>;

  async open(): Promise<void> {
    this.log = await openSegmentLog<SourcePosition>({
      disk: this.disk,
      folder: this.#folder,
      format: positionFormat,
      segmentBytes: 150,
      maxEntryBytes: 100,
      scheduler: impatientScheduler,
      now: () => 1_000,
    });
  }

  fail(at: string, times: number): void {
    let left = times;
    this.disk.before = ({ kind }) => {
      if (kind === at && left-- > 0) throw diskError('ENOSPC');
      return undefined;
    };
  }

  /** What is on the disk when the process dies; behind what is durable, the newest segment may have lost or torn anything. */
  crash(cut: number, durable: ReadonlyMap<string, number>): void {
    this.#generation += 1;
    const to = join(this.#root, String(this.#generation));
    mkdirSync(to, { recursive: true });
    for (const entry of readdirSync(this.#folder, { withFileTypes: true })) {
      if (entry.isFile()) copyFileSync(join(this.#folder, entry.name), join(to, entry.name));
    }
    const newest = readdirSync(to)
      .filter((file) => file.endsWith('.ndjson'))
      .sort()
      .at(-1);
    if (newest !== undefined) {
      const { size } = statSync(join(to, newest));
      const least = Math.min(size, durable.get(newest) ?? 0);
      if (cut % 4 > 0) truncateSync(join(to, newest), least + (cut % (size - least + 1)));
    }
    this.#folder = to;
  }

  sizes(): Map<string, number> {
    const names = readdirSync(this.#folder).filter((file) => file.endsWith('.ndjson'));
    return new Map(names.map((name) => [name, readFileSync(join(this.#folder, name)).length]));
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}

describe('a log of segments, with entries that are no letters', () => {
  it('holds what a plain list would, through appends, marks, rotation, reopening, full disks and crashes', async () => {
    const met = { removed: 0, crashes: 0, unfinished: 0, lost: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const subject = new Subject();
        let model: Modelled[] = [];
        try {
          await subject.open();
          for (const one of steps) {
            if (one.kind === 'append') {
              const placed = await subject.log.append(one.offsets.map((offset) => ({ source: 'é', offset })));
              model.push(...placed.map((position, i) => ({ placed: position, offset: one.offsets[i]!, begun: 0 })));
            } else if (one.kind === 'seal') {
              await subject.log.seal();
            } else if (one.kind === 'reopen') {
              await subject.log.close();
              await subject.open();
            } else if (one.kind === 'fault') {
              subject.fail(one.at, one.times);
            } else if (one.kind === 'crash') {
              met.crashes += 1;
              subject.disk.before = undefined;
              const durable = subject.sizes();
              // In flight when the process dies: it may be there, and if so whole.
              const inFlight = subject.log.append([{ source: 'flight', offset: one.cut }]);
              const ignored = inFlight.catch(() => undefined);
              if (one.cut % 2 === 0) await ignored;
              subject.crash(one.cut, durable);
              await subject.log.close();
              await ignored;
              await subject.open();
              const there: Modelled[] = [];
              for await (const { value, ...entry } of subject.log.read()) {
                const known = model.find(
                  ({ placed }) => placed.segment === entry.segment && placed.ordinal === entry.ordinal,
                );
                if (known) there.push(known);
                else {
                  expect(value).toEqual({ source: 'flight', offset: one.cut });
                  met.unfinished += 1;
                  there.push({ placed: entry, offset: value.offset, begun: 0 });
                }
              }
              expect(there.filter((entry) => model.includes(entry))).toEqual(model);
              model = there;
            } else if ('pick' in one) {
              const start = model.length === 0 ? 0 : one.pick % model.length;
              const picked = model.slice(start, start + one.many);
              const sign = one.kind === 'remove' ? '-' : one.kind === 'begin' ? '+' : '=';
              await subject.log.mark(
                sign,
                picked.map(({ placed }) => placed),
              );
              if (sign === '-') {
                model = model.filter((entry) => !picked.includes(entry));
                met.removed += picked.length;
              } else {
                for (const entry of picked) entry.begun = Math.max(0, entry.begun + (sign === '+' ? 1 : -1));
              }
            }
            const weight = model.reduce((sum, { offset }) => sum + offset, 0);
            expect(subject.log.count).toEqual({ entries: model.length, weight });
            expect(model.map(({ placed }) => subject.log.begun(placed))).toEqual(model.map(({ begun }) => begun));
            const from = model[model.length >> 1]?.placed;
            const offsets: number[] = [];
            for await (const { value } of subject.log.read(from)) offsets.push(value.offset);
            expect(offsets).toEqual(model.slice(model.length >> 1).map(({ offset }) => offset));
          }
          await subject.log.close();
        } finally {
          subject.remove();
        }
      }),
      { seed: 20_261_128, numRuns: 200 },
    );
    // The sequences were not idle.
    expect(met.removed).toBeGreaterThan(100);
    expect(met.crashes).toBeGreaterThan(100);
    expect(met.unfinished).toBeGreaterThan(10);
  }, 120_000);
});
