import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncScheduler, VirtualTimeScheduler } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diskError, type FaultyDisk, faultyDisk } from '../../../test/support/faultyDisk.js';
import { positionFormat, type SourcePosition } from '../../../test/support/positionFormat.js';
import type { Entry, Position } from './entryFormat.js';
import type { LogProblem } from './logCommon.js';
import { openSegmentLog, type SegmentLog, type SegmentLogConfig } from './segmentLog.js';

let folder: string;
let disk: FaultyDisk;
let problems: LogProblem[];
const logs = new Set<SegmentLog<SourcePosition>>();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-log-'));
  disk = faultyDisk();
  problems = [];
});
afterEach(async () => {
  for (const log of logs) await log.close();
  logs.clear();
  rmSync(folder, { recursive: true, force: true });
});

async function open(config: Partial<SegmentLogConfig<SourcePosition>> = {}): Promise<SegmentLog<SourcePosition>> {
  const log = await openSegmentLog<SourcePosition>({
    disk,
    folder,
    format: positionFormat,
    segmentBytes: 200,
    maxEntryBytes: 100,
    scheduler: asyncScheduler,
    now: () => 1_000,
    onProblem: (problem) => problems.push(problem),
    ...config,
  });
  logs.add(log);
  return log;
}

async function reopen(log: SegmentLog<SourcePosition>): Promise<SegmentLog<SourcePosition>> {
  await log.close();
  logs.delete(log);
  return open();
}

const positions = (...offsets: number[]): SourcePosition[] => offsets.map((offset) => ({ source: 's', offset }));

async function entriesOf(log: SegmentLog<SourcePosition>, from?: Position): Promise<Entry<SourcePosition>[]> {
  const entries: Entry<SourcePosition>[] = [];
  for await (const entry of log.read(from)) entries.push(entry);
  return entries;
}
const offsetsOf = async (log: SegmentLog<SourcePosition>, from?: Position): Promise<number[]> =>
  (await entriesOf(log, from)).map(({ value }) => value.offset);
const files = (): string[] => readdirSync(folder).filter((file) => !file.startsWith('.lock'));

describe('SegmentLog', () => {
  it('keeps entries in their order, from one opening to the next, and reads them from a position on', async () => {
    let log = await open();
    const placed = await log.append(positions(1, 2, 3, 4, 5, 6, 7, 8));
    expect(placed.map(({ ordinal, weight }) => [ordinal, weight]).slice(0, 2)).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(new Set(placed.map(({ segment }) => segment)).size).toBeGreaterThan(1);
    expect(log.count).toEqual({ entries: 8, weight: 36 });
    log = await reopen(log);
    expect(await offsetsOf(log)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    for (const [i, position] of placed.entries()) {
      expect(await offsetsOf(log, position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].slice(i));
    }
    const [next] = await log.append(positions(9));
    expect(await offsetsOf(log, next)).toEqual([9]);
  });

  it('removes what is marked, deletes a segment of which nothing is left, and remembers what has begun', async () => {
    let log = await open();
    const placed = await log.append(positions(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
    const first = placed.filter(({ segment }) => segment === placed[0]!.segment);
    await log.mark('+', placed.slice(-2));
    await log.mark('+', placed.slice(-1));
    await log.mark('=', placed.slice(-2));
    await log.mark('-', first);
    expect(files()).not.toContain(`${first[0]!.segment}.ndjson`);
    expect(files()).not.toContain(`${first[0]!.segment}.journal`);
    await log.mark('-', [placed[first.length]!, ...first]);
    log = await reopen(log);
    expect(await offsetsOf(log)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].slice(first.length + 1));
    expect(placed.slice(-2).map((position) => log.begun(position))).toEqual([0, 1]);
    expect(log.begun({ segment: '999', ordinal: 1 })).toBe(0);
  });

  it('reads what was there when it began, however much is appended meanwhile', async () => {
    const log = await open();
    await log.append(positions(1, 2));
    const seen: number[] = [];
    for await (const { value } of log.read()) {
      seen.push(value.offset);
      await log.append(positions(value.offset + 10));
    }
    expect(seen).toEqual([1, 2]);
    expect(await offsetsOf(log)).toEqual([1, 2, 11, 12]);
  });

  it('makes what is waiting durable together: one write, one sync', async () => {
    const log = await open();
    await Promise.all(positions(1, 2, 3).map((position) => log.append([position])));
    expect(disk.steps.filter(({ kind }) => kind === 'datasync')).toHaveLength(1);
  });

  it('moves to quarantine what is no entry, and leaves versions that it does not know', async () => {
    let log = await open();
    await log.append(positions(1, 2));
    const [name = ''] = files();
    await log.close();
    logs.delete(log);
    appendFileSync(join(folder, name), `rubbish\n{"v":2,"what":"ever"}\n${'x'.repeat(200)}\n{"n":3,"source":"s","off`);
    log = await open();
    expect(await offsetsOf(log)).toEqual([1, 2]);
    expect(log.unknownVersion).toBe(1);
    expect(problems.map(({ kind }) => kind)).toEqual(['unknownVersion', 'quarantined', 'quarantined']);
    expect(log.common.quarantine.size).toBe(2);
    for (const problem of problems) {
      if (problem.kind === 'quarantined')
        expect(readFileSync(problem.path, 'utf8')).toMatch(/^(rubbish\n|x{200}\n\{"n":3)/);
    }
    await log.mark('-', await entriesOf(log));
    expect(existsSync(join(folder, name))).toBe(true);
    // The same damage is found once.
    problems = [];
    await reopen(log);
    expect(problems.map(({ kind }) => kind)).toEqual(['unknownVersion']);
  });

  it('waits while the disk is full, says so, and goes on when there is room', async () => {
    const scheduler = new VirtualTimeScheduler();
    let held = 0;
    const log = await open({ scheduler, onHold: () => (held += 1) });
    await log.append(positions(1));
    disk.before = ({ kind }) => {
      if (kind === 'datasync') throw diskError('ENOSPC');
      return undefined;
    };
    const work = log.append(positions(2, 3));
    while (!log.hold) await new Promise((resolve) => setImmediate(resolve));
    expect(log.hold).toMatchObject({ error: { code: 'ENOSPC' }, since: 0 });
    expect(log.waiting).toEqual({ entries: 2, weight: 5 });
    expect(held).toBeGreaterThan(0);
    disk.before = undefined;
    scheduler.flush();
    await work;
    expect(log.hold).toBeUndefined();
    expect(await offsetsOf(log)).toEqual([1, 2, 3]);
  });

  it('deletes a segment on a disk that has no room for its journal', async () => {
    const log = await open();
    const placed = await log.append(positions(1, 2));
    await log.seal();
    disk.before = ({ kind }) => {
      if (kind === 'open' || kind === 'write') throw diskError('ENOSPC');
      return undefined;
    };
    await log.mark('-', placed);
    expect(files()).toEqual([]);
    expect(log.count).toEqual({ entries: 0, weight: 0 });
  });

  it('fails what is not durable when it is closed, and frees the folder', async () => {
    const log = await open();
    disk.before = async ({ kind }) => {
      if (kind === 'write') throw diskError('EIO');
      return undefined;
    };
    const work = log.append(positions(1));
    const failed = expect(work).rejects.toThrow('is closed');
    while (!log.hold) await new Promise((resolve) => setImmediate(resolve));
    await expect(open()).rejects.toMatchObject({ code: 'SLUICE_FOLDER_LOCKED' });
    await log.close();
    await failed;
    await expect(log.append(positions(1))).rejects.toThrow('is closed');
    disk.before = undefined;
    expect(await offsetsOf(await open())).toEqual([]);
  });

  it('names segments by the clock, and never as one that there was', async () => {
    mkdirSync(join(folder, 'quarantine'));
    writeFileSync(join(folder, 'quarantine', '0000000005000@0.ndjson'), 'x');
    writeFileSync(join(folder, '0000000006000.journal'), '');
    const log = await open();
    const [placed] = await log.append(positions(1));
    expect(placed!.segment).toBe('0000000006001');
  });

  it('goes on in a new segment when the active one was deleted', async () => {
    const log = await open();
    await log.append(positions(1));
    rmSync(join(folder, files()[0]!));
    await log.append(positions(2));
    expect(await offsetsOf(log)).toEqual([2]);
  });
});
