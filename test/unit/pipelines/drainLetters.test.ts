import { NEVER, type SchedulerLike, Subject, timer, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { DeadLetters } from '../../../src/contracts/diversion.js';
import type { Sink } from '../../../src/contracts/sink.js';
import { writeCoordinator } from '../../../src/operators/writeCoordinator.js';
import { run } from '../../../src/pipelines/run.js';
import { signals } from '../../support/runBench.js';
import { naturals } from '../../support/sources.js';

const hangs: Sink<number> = { name: 'hangs', write: () => NEVER };

/** Runs until the buffer is full, and is then asked to stop at these times. */
async function stoppedAt(times: readonly number[], wall: SchedulerLike, clock: VirtualTimeScheduler, letterMs: number) {
  const { emitter, send } = signals();
  const letters: number[] = [];
  const deadLetters: DeadLetters<number> = {
    append({ items }) {
      const letter = new Subject<void>();
      timer(letterMs, wall).subscribe(() => {
        letters.push(...items);
        letter.complete();
      });
      return letter;
    },
  };
  const write = writeCoordinator(hangs, {
    capacity: 10_000,
    workers: 4,
    batchSize: 100,
    policies: { scheduler: wall, deadLetters },
  });
  const promise = run(naturals().pipe(write), { scheduler: wall, emitter });
  for (const at of times) clock.schedule(() => send('SIGINT'), at);
  clock.flush();
  return { report: await promise, letters };
}

describe('a drain that a second signal cuts short', () => {
  it('gives up writing at once, and leaves the dead letters their second', async () => {
    const clock = new VirtualTimeScheduler();
    const { report, letters } = await stoppedAt([10, 600], clock, clock, 450);
    expect(report.received).toBeGreaterThan(8_000);
    expect(report).toMatchObject({ outcome: 'drained', held: 0, conservation: 0, diverted: report.received });
    expect(letters).toHaveLength(report.received);
    expect(report.durationMs).toBeLessThanOrEqual(1_600);
  });

  it('leaves it to them though the event loop is busy with something else', async () => {
    const clock = new VirtualTimeScheduler();
    // A turn of the event loop takes 400 ms.
    const wall: SchedulerLike = {
      now: () => clock.now(),
      schedule: (work, delay = 0, state) => clock.schedule(work as never, Math.ceil((delay + 1) / 400) * 400, state),
    };
    const { report, letters } = await stoppedAt([10, 600], wall, clock, 2_000);
    expect(report).toMatchObject({ outcome: 'drained', held: 0, conservation: 0, diverted: report.received });
    expect(letters).toHaveLength(report.received);
  });

  it('ends, whatever the dead letters wait for', async () => {
    const clock = new VirtualTimeScheduler();
    const { report } = await stoppedAt([10, 600], clock, clock, 1_500);
    expect(report).toMatchObject({ outcome: 'deadline', durationMs: 1_600, conservation: 0, held: report.received });
  });
});
