import { tap, VirtualTimeScheduler } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { csv, row, START } from '../../test/support/barFiles.js';
import { observe, settled } from '../../test/support/collect.js';
import { Folder } from '../../test/support/folder.js';
import { Gate } from '../flow/gate.js';
import { replayFile } from './replayFile.js';

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => folder.remove());

describe('replayFile with a speed', () => {
  it('replays at real time times a factor', async () => {
    const path = folder.write('day.csv', csv(row(0), row(1), row(1), row(4), row(3), row(5)));
    const scheduler = new VirtualTimeScheduler();
    const at: [number, number][] = [];
    const seen = observe(
      replayFile(path, { speed: 60, scheduler }).pipe(tap((bar) => at.push([scheduler.now(), bar.ts - START]))),
    );
    await seen.count(1);
    await playOut(scheduler, seen);
    // A minute of the file is a second here; what comes out of order comes at once.
    expect(at).toEqual([
      [0, 0],
      [1_000, 60_000],
      [1_000, 60_000],
      [4_000, 240_000],
      [4_000, 180_000],
      [5_000, 300_000],
    ]);
  });

  it('lets the clock of speed stand still while the gate is closed', async () => {
    const path = folder.write('pause.csv', csv(row(0), row(1), row(2)));
    const scheduler = new VirtualTimeScheduler();
    const gate = new Gate();
    const at: number[] = [];
    const seen = observe(replayFile(path, { speed: 60, scheduler }).pipe(tap(() => at.push(scheduler.now()))), gate);
    scheduler.schedule(() => gate.close(), 500);
    scheduler.schedule(() => gate.open(), 7_000);
    await seen.count(1);
    await playOut(scheduler, seen);
    expect(at).toEqual([0, 7_000, 8_000]);
  });

  it('waits longer than a timer can', async () => {
    const path = folder.write('rare.csv', csv(row(0), row(60_000)));
    const scheduler = new VirtualTimeScheduler();
    const delays: number[] = [];
    const recording = {
      now: () => scheduler.now(),
      schedule: ((work, delay = 0, state) => {
        delays.push(delay);
        return scheduler.schedule(work, delay, state);
      }) as typeof scheduler.schedule,
    };
    const seen = observe(replayFile(path, { speed: 1, scheduler: recording }));
    await seen.count(1);
    await playOut(scheduler, seen);
    expect(scheduler.now()).toBe(3_600_000_000);
    expect(delays).toEqual([2 ** 31 - 1, 3_600_000_000 - (2 ** 31 - 1)]);
  });

  it('replays items of any kind by their timeOf, and refuses one that gives none', async () => {
    const path = folder.write('ticks.ndjson', '{"at":5}\n{"at":8}\n{"at":null}');
    const scheduler = new VirtualTimeScheduler();
    const seen = observe(
      replayFile(path, {
        toItem: (record) => record.at as number,
        timeOf: (at) => at ?? Number.NaN,
        speed: 1,
        scheduler,
      }),
    );
    await seen.count(1);
    await playOut(scheduler, seen);
    expect(seen.items).toEqual([5, 8]);
    expect(seen.end).toMatchObject({ error: { message: 'replayFile: timeOf must give a finite number, got NaN' } });
  });
});

/** Lets virtual time run to the end of a source whose input comes in real time. */
async function playOut(scheduler: VirtualTimeScheduler, seen: { readonly end: unknown }): Promise<void> {
  while (!seen.end) {
    await settled(2);
    scheduler.flush();
  }
}
