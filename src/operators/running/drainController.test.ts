import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { record } from '../../../test/support/record.js';
import type { DrainTiming } from '../../policies/drain.js';
import { DrainController } from './drainController.js';

/** A drain whose steps are noted, with when they came. */
function bench(timing: DrainTiming) {
  const scheduler = new VirtualTimeScheduler();
  const steps: string[] = [];
  const note = (step: string) => steps.push(`${step} at ${scheduler.now()}`);
  const drain = new DrainController({
    ...timing,
    scheduler,
    onDraining: () => note('draining'),
    onDeadline: () => note('deadline'),
  });
  const stopping = record(drain.stopping);
  const expired = record(drain.expired);
  const passMs = (ms: number) => {
    scheduler.maxFrames = scheduler.frame + ms;
    scheduler.flush();
    scheduler.frame = scheduler.maxFrames;
  };
  const isQuiet = () => scheduler.actions.every((action) => action.closed);
  return { drain, steps, stopping, expired, passMs, isQuiet };
}

describe('DrainController', () => {
  it('stops sources, ends the writing a second before the end, and is over when its time is', () => {
    const { drain, steps, stopping, expired, passMs, isQuiet } = bench({ timeoutMs: 5_000 });
    drain.request();
    expect(steps).toEqual(['draining at 0']);
    expect(stopping).toMatchObject({ values: [undefined], completed: true });
    passMs(3_999);
    expect(expired.values).toEqual([]);
    passMs(1);
    expect(expired.values).toEqual([undefined]);
    passMs(999);
    expect(steps).toHaveLength(1);
    passMs(1);
    expect(steps).toEqual(['draining at 0', 'deadline at 5000']);
    expect(isQuiet()).toBe(true);
  });

  it('tells writers which failure they give up for', () => {
    const { drain, expired } = bench({ timeoutMs: 5_000, expireAfterMs: 0 });
    const failure = new Error('no table');
    drain.abort(failure);
    expect(expired.values).toEqual([failure]);
  });

  it('leaves no timer when the third request ends it', () => {
    const { drain, steps, passMs, isQuiet } = bench({ timeoutMs: 5_000 });
    for (const effect of ['drain', 'hurry', 'end']) {
      expect(drain.effect).toBe(effect);
      drain.request();
      passMs(500);
    }
    expect(steps).toEqual(['draining at 0', 'deadline at 1000']);
    expect(isQuiet()).toBe(true);
    expect(drain.effect).toBe('none');
  });

  it('has no writer give up where the pipeline is over as soon as its sources have stopped', () => {
    const { drain, steps, expired, isQuiet } = bench({ timeoutMs: 5_000, expireAfterMs: 0 });
    drain.stopping.subscribe(() => drain.close());
    drain.request();
    expect(steps).toEqual(['draining at 0']);
    expect(expired.values).toEqual([]);
    expect(isQuiet()).toBe(true);
  });

  it('does nothing more once it is closed', () => {
    const { drain, steps, stopping, passMs } = bench({ timeoutMs: 5_000 });
    drain.close();
    drain.request();
    drain.abort(new Error('late'));
    passMs(10_000);
    expect(steps).toEqual([]);
    expect(stopping.values).toEqual([]);
    expect(drain.machine.failure).toBeUndefined();
  });
});
