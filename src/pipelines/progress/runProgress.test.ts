import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { concat, map, merge, NEVER, type Observable, of, take, timer } from 'rxjs';
import { afterAll, describe, expect, it } from 'vitest';
import type { Sink } from '../../contracts/sink.js';
import { replayFile } from '../../files/replayFile.js';
import { gatedSource } from '../../flow/gatedSource.js';
import { PipelineMonitor } from '../../flow/monitor.js';
import { withContext } from '../../flow/withContext.js';
import { batch } from '../../operators/batch.js';
import { writeTo } from '../../operators/writeTo.js';
import { fromIterable } from '../../sources/fromIterable.js';
import { synthetic } from '../../sources/synthetic.js';
import { run } from '../run.js';
import { shareOf } from './shareOf.js';

const folder = mkdtempSync(join(tmpdir(), 'sluice-progress-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The share of a chain that stands where its writer holds what it got. */
function shareAt(items$: Observable<unknown>, ready: (monitor: PipelineMonitor) => boolean = () => true) {
  const monitor = new PipelineMonitor();
  const subscription = items$.pipe(withContext({ monitor })).subscribe();
  const share = () => shareOf(monitor.stages, monitor.account());
  return { share, monitor, ready: () => ready(monitor), end: () => subscription.unsubscribe() };
}

const ten = Array.from({ length: 10 }, (_, i) => i);

describe('the share', () => {
  it('is of what is settled rather than of what was read', () => {
    const stuck: Sink<number> = { name: 'stuck', write: (items) => (items[0] === 4 ? NEVER : [{ rows: 1 }]) };
    const { share, monitor, end } = shareAt(fromIterable(ten).pipe(batch({ size: 2 }), writeTo(stuck)));
    expect(monitor.stages.find(({ role }) => role === 'source')?.progress).toEqual({
      done: expect.any(Number),
      total: 10,
      unit: 'items',
    });
    expect(share()).toBeCloseTo(0.4);
    end();
  });

  it.each<[string, () => Observable<unknown>, number | undefined]>([
    ['an array', () => fromIterable(ten).pipe(take(5)), 0.5],
    ['synthetic() with a count', () => synthetic({ count: 8 }).pipe(take(3)), 0.5],
    ['synthetic() without one', () => synthetic({ yieldAfterMs: 0 }).pipe(take(3)), undefined],
    ['a generator', () => fromIterable(ten.values()).pipe(take(5)), undefined],
    ['one after the other', () => concat(fromIterable(ten), fromIterable(ten)).pipe(take(15)), 0.75],
    ['no source of ours', () => of(1, 2), undefined],
    ['an empty array', () => fromIterable([]), 1],
    [
      'two arrays',
      () => merge(fromIterable(ten), fromIterable([1, 2, 3, 4, 5, 6].concat(ten, ten, ten, ten))).pipe(take(28)),
      0.5,
    ],
    ['one that knows and one that does not', () => merge(fromIterable(ten), fromIterable(ten.values())), undefined],
    ['one whose answer is nonsense', () => source(() => ({ done: Number.NaN, total: 5, unit: 'items' })), undefined],
    [
      'one whose answer throws',
      () =>
        source(() => {
          throw new Error('closed');
        }),
      undefined,
    ],
    ['one that has more than it thought', () => source(() => ({ done: 9, total: 5, unit: 'items' })), 0.99],
  ])('of %s', (_, make, expected) => {
    const { share, end } = shareAt(make());
    if (expected === undefined) expect(share()).toBeUndefined();
    else expect(share()).toBeCloseTo(expected, 1);
    end();
  });

  it.each([
    ['bars.csv', (text: string) => Buffer.from(text)],
    ['bars.csv.gz', (text: string) => gzipSync(text)],
  ])('of a file is that of its bytes: %s', async (name, packed) => {
    const path = join(folder, name);
    // Digits that do not compress well.
    let seed = 1;
    const digits = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 1e6 + 1;
    };
    const rows = Array.from({ length: 30_000 }, (_, i) => {
      const price = digits();
      return `v,A,1d,${1_600_000_000_000 + i * 60_000},${price},${price},${price},${price},${Math.floor(digits() * 1e6)}`;
    });
    writeFileSync(path, packed(`vendor,symbol,timeframe,ts,open,high,low,close,volume\n${rows.join('\n')}\n`));
    const shares: number[] = [];
    const monitor = new PipelineMonitor();
    let n = 0;
    const bars$ = replayFile(path).pipe(
      map((bar) => {
        n += 1;
        if (n % 10_000 === 0) shares.push(shareOf(monitor.stages, monitor.account())!);
        return bar;
      }),
    );
    await run(bars$, { monitor, signals: [], log: false });
    expect(shares).toHaveLength(3);
    // A file is read in chunks, a chunk ahead.
    expect(shares[0]).toBeGreaterThan(0.2);
    expect(shares[0]).toBeLessThan(0.6);
    expect(shares[1]).toBeGreaterThan(shares[0]!);
    expect(shareOf(monitor.stages, monitor.account())).toBe(1);
  });
});

function source(progress: () => { done: number; total: number; unit: 'items' }): Observable<number> {
  return gatedSource<number>({ name: 'mine' }, (outlet) => {
    outlet.progress(progress);
    outlet.next(1);
  });
}

describe('the progress of a run', () => {
  const screen = (isTTY: boolean, columns: number) => {
    const written: string[] = [];
    return { written, output: { isTTY, columns, write: (text: string) => written.push(text) } };
  };
  /** Its writes block the event loop, as those of an embedded database do, so that no timer fires. */
  const blocking = (ms: number): Sink<number> => ({
    name: 'blocking',
    write(items) {
      const until = performance.now() + ms;
      while (performance.now() < until);
      return [{ rows: items.length }];
    },
  });

  it.each([50, 80])('is a bar that moves though writes block the event loop, on %i columns', async (columns) => {
    const { written, output } = screen(true, columns);
    const numbers = Array.from({ length: 12_000 }, (_, i) => i);
    const outcomes$ = fromIterable(numbers).pipe(batch({ size: 1_000 }), writeTo(blocking(80)));
    await run(outcomes$, { signals: [], log: false, progress: { output, note: () => 'a note' } });
    const frames = written.filter((text) => text.includes('%'));
    expect(frames.length).toBeGreaterThanOrEqual(4);
    const percents = frames.map((text) => Number(/(\d+)%/.exec(text)![1]));
    expect(percents.some((percent) => percent > 10 && percent < 90)).toBe(true);
    expect(percents.at(-1)).toBe(100);
    expect(frames.at(-1)).toMatch(/█+ 100% {2}12,000 written {2}[\d,]+\/s/);
    expect(frames.some((text) => / s left/.test(text))).toBe(true);
    if (columns === 80) expect(frames.at(-1)).toContain('a note');
    for (const frame of frames) expect([...frame.slice(4)].length).toBeLessThan(columns);
    expect(written.at(-1)).toBe('\n');
  });

  it('is counts where nobody knows the total, and lines of the log come above it', async () => {
    const { written, output } = screen(true, 100);
    let attempts = 0;
    const shop: Sink<number> = {
      name: 'shop',
      write: (items) => {
        attempts += 1;
        if (attempts === 3) throw Object.assign(new Error('closed for lunch'), { code: 'ECONNREFUSED' });
        return timer(100).pipe(map(() => ({ rows: items.length })));
      },
    };
    const items$ = concat(fromIterable(Array.from({ length: 3_000 }, (_, i) => i).values()));
    const outcomes$ = items$.pipe(batch({ size: 500 }), writeTo(shop, { retry: { initialMs: 1 } }));
    await run(outcomes$, { signals: [], progress: { output }, log: (line) => output.write(`${line}\n`) });
    expect(written.some((text) => /[\d,]+ written, [\d,]+\/s, [\d,]+ received, [\d,]+ held/.test(text))).toBe(true);
    expect(written.join('')).not.toContain('%');
    expect(written.join('')).toContain('closed for lunch');
  });

  it('refuses options that it does not know', () => {
    expect(() => run(NEVER, { progress: { outptu: 1 } as never })).toThrow('run: progress: unknown option "outptu"');
    expect(() => run(NEVER, { progress: 'yes' as never })).toThrow(RangeError);
  });
});
