/**
 * How fast items go into the dead letters and out again, compared with raw appends of the same bytes.
 *
 * Method. 200,000 generated bars in letters of 500, in a new folder under the temporary folder or under the one that
 * DLQ_BENCH_DIR names. Everything has its defaults.
 *
 * - append: four concurrent writers, as in a coordinator, each of which waits until its letter is durable. They share syncs.
 * - one by one: the same with one writer, so that each letter waits for its own sync.
 * - raw: the bytes of one letter after another, appended to one file from an existing buffer with `fdatasync` after each: the
 *   most that one writer could do if letters cost nothing.
 * - replay: all of these letters into a sink that accepts everything immediately; a letter is removed durably once it is written.
 *
 * The ways alternate for three rounds; the numbers are medians, and the ratio is that of `one by one` to `raw` within a round.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, of } from 'rxjs';
import type { Bar, Sink } from 'sluice';
import { type DeadLetterQueue, openDeadLetters, replayDeadLetters } from 'sluice/dead-letters';
import { syntheticBars } from 'sluice/sources';
import { median, printTable, rounded } from './report/table.js';

const BARS = 200_000;
const BATCH = 500;
const WRITERS = 4;
const TURNS = 3;

const bars = [...syntheticBars({ symbols: 500, count: BARS, seed: 7 })];
const batches = Array.from({ length: BARS / BATCH }, (_, i) => bars.slice(i * BATCH, (i + 1) * BATCH));
const error = Object.assign(new Error('value out of range'), { code: '22003' });

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = process.hrtime.bigint();
  await work();
  return BARS / (Number(process.hrtime.bigint() - startedAt) / 1e9);
}

async function appendAll(queue: DeadLetterQueue<Bar>, writers: number): Promise<void> {
  let next = 0;
  const writer = async () => {
    while (next < batches.length) {
      const items = batches[next++]!;
      const letter = { items, stage: 'bars.write', reason: 'exhausted', error, attempts: 5 };
      await lastValueFrom(queue.append(letter), { defaultValue: undefined });
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
}

async function appendRaw(folder: string, lines: readonly Uint8Array[]): Promise<void> {
  const file = await open(join(folder, 'raw'), 'wx');
  for (const line of lines) {
    await file.write(line);
    await file.datasync();
  }
  await file.close();
}

function linesIn(folder: string): Uint8Array[] {
  const segments = readdirSync(folder).filter((file) => file.endsWith('.ndjson'));
  return segments.flatMap((file) => {
    const bytes = readFileSync(join(folder, file));
    const lines: Uint8Array[] = [];
    for (let start = 0; start < bytes.length; ) {
      const end = bytes.indexOf(0x0a, start) + 1;
      lines.push(bytes.subarray(start, end));
      start = end;
    }
    return lines;
  });
}

interface Turn {
  readonly append: number;
  readonly single: number;
  readonly raw: number;
  readonly replay: number;
}

async function turn(root: string): Promise<Turn> {
  const folder = mkdtempSync(join(root, 'turn-'));
  let count = 0;
  const nowhere: Sink<Bar> = {
    name: 'nowhere',
    write(batch) {
      count += batch.length;
      return of({ rows: batch.length });
    },
  };
  const shared = await openDeadLetters<Bar>(join(folder, 'shared'), { pipeline: 'bench' });
  const append = await timed(() => appendAll(shared, WRITERS));
  const alone = await openDeadLetters<Bar>(join(folder, 'alone'), { pipeline: 'bench' });
  const single = await timed(() => appendAll(alone, 1));
  const lines = linesIn(join(folder, 'alone'));
  const raw = await timed(() => appendRaw(folder, lines));
  const replay = await timed(async () => {
    const { removed: _, ...last } = await lastValueFrom(replayDeadLetters(shared, { sink: nowhere }));
    if (last.written !== BARS || last.remaining !== 0) throw new Error(`the replay says ${JSON.stringify(last)}`);
  });
  const { open: left } = shared.stats();
  if (count !== BARS || left.letters !== 0)
    throw new Error(`${count} bars came back, ${left.letters} letters are left`);
  await shared.close();
  await alone.close();
  rmSync(folder, { recursive: true });
  return { append, single, raw, replay };
}

async function main(): Promise<void> {
  const root = mkdtempSync(join(process.env.DLQ_BENCH_DIR ?? tmpdir(), 'sluice-dead-letters-'));
  try {
    const turns: Turn[] = [];
    for (let i = 0; i < TURNS; i++) turns.push(await turn(root));
    const of = (way: keyof Turn) => median(turns.map((one) => one[way]));
    const ratio = median(turns.map((one) => one.single / one.raw));
    const row = (name: string, perSec: number) => [name, Math.round(perSec).toLocaleString('en')];
    console.log(`${BARS} bars in letters of ${BATCH}, median of ${TURNS} turns`);
    printTable(
      ['way', 'items/s'],
      [
        row(`append, ${WRITERS} writers`, of('append')),
        row('append, one by one', of('single')),
        row('raw appends of the same bytes, one by one', of('raw')),
        row('replay, one letter at a time', of('replay')),
      ],
    );
    console.log(`one by one against raw: ${ratio.toFixed(3)}`);
    console.log(
      JSON.stringify({
        appendPerSec: Math.round(of('append')),
        replayPerSec: Math.round(of('replay')),
        ratioRaw: rounded(ratio, 3),
      }),
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

await main();
