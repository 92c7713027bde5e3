import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncScheduler } from 'rxjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { nodeDisk } from '../../src/disk/disk.js';
import { openSegmentLog } from '../../src/disk/log/segmentLog.js';
import { Xoshiro128 } from '../../src/primitives/xoshiro128.js';
import { positionFormat } from '../support/positionFormat.js';
import { type CompiledProgram, compileProgram } from './compileProgram.js';

const KILLS = 10;

let program: CompiledProgram;
const folder = mkdtempSync(join(tmpdir(), 'sluice-log-'));
beforeAll(() => {
  program = compileProgram(new URL('./logProgram.ts', import.meta.url));
}, 60_000);
afterAll(() => {
  program?.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the program until it has said so many lines, kills it, and returns what it said to the end. */
async function linesUntilKilled(from: number, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [program.path, folder, String(from)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.split('\n').length > count) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.once('close', resolve));
  return output.split('\n').slice(0, -1);
}

it('a log of positions has what was durable, in order and once, however often its process is killed', async () => {
  const random = Xoshiro128.fromSeed(20_261_128);
  const durable = new Set<number>();
  const uncertain = new Set<number>();
  for (let kills = 0; kills < KILLS; kills += 1) {
    const from = kills * 10_000;
    for (const line of await linesUntilKilled(from, 1 + random.below(150))) {
      const offset = Number(line.slice(1));
      if (line[0] === '+') durable.add(offset);
      // Asked to be removed: whether it is may only be known once that is durable.
      if (line[0] === '?') uncertain.add(offset);
      if (line[0] === '-') uncertain.delete(offset);
      if (line[0] === '-') durable.delete(offset);
    }
    const log = await openSegmentLog({
      disk: nodeDisk,
      folder,
      format: positionFormat,
      segmentBytes: 2_000,
      maxEntryBytes: 1_000,
      scheduler: asyncScheduler,
      now: Date.now,
    });
    const there: number[] = [];
    for await (const { value } of log.read()) there.push(value.offset);
    await log.close();
    expect(there).toEqual([...new Set(there)].sort((a, b) => a - b));
    expect([...durable].filter((offset) => !there.includes(offset) && !uncertain.has(offset))).toEqual([]);
    // What it had not said may be there: the last four that it appended, and what it removed.
    const unsaid = there.filter((offset) => !durable.has(offset));
    expect(unsaid.length).toBeLessThanOrEqual(4);
    for (const offset of unsaid) durable.add(offset);
    for (const offset of uncertain) {
      if (!there.includes(offset)) durable.delete(offset);
    }
    uncertain.clear();
  }
  expect(durable.size).toBeGreaterThan(KILLS);
}, 120_000);
