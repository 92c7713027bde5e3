import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { within } from './within.js';

const never = new Promise<never>(() => {});
const refusal = new Error('refused');

describe('within', () => {
  it('settles as work that is in time does', async () => {
    const scheduler = new VirtualTimeScheduler();
    await expect(within(5, Promise.resolve('done'), undefined, scheduler)).resolves.toBe('done');
    await expect(within(5, Promise.reject(refusal), undefined, scheduler)).rejects.toBe(refusal);
    await expect(within(5, Promise.resolve(), () => 'late', scheduler)).resolves.toBeUndefined();
  });

  it('cancels its timer when the work is in time', async () => {
    const scheduler = new VirtualTimeScheduler();
    await within(5, Promise.resolve(), undefined, scheduler);
    scheduler.flush();
    expect(scheduler.frame).toBe(0);
  });

  it.each([
    ['undefined', undefined, { status: 'fulfilled', value: undefined }],
    ['what `late` returns', () => 'late', { status: 'fulfilled', value: 'late' }],
    [
      'what `late` throws',
      () => {
        throw refusal;
      },
      { status: 'rejected', reason: refusal },
    ],
  ])('settles with %s when the time is over', async (_, late, expected) => {
    const scheduler = new VirtualTimeScheduler();
    const settled = Promise.allSettled([within(5, never, late, scheduler)]);
    scheduler.flush();
    expect(await settled).toEqual([expected]);
  });

  it('ignores how late work ends', async () => {
    const scheduler = new VirtualTimeScheduler();
    let refuse: (error: unknown) => void = () => {};
    const work = new Promise((_, reject) => {
      refuse = reject;
    });
    const settled = within(5, work, () => 'late', scheduler);
    scheduler.flush();
    refuse(refusal);
    expect(await settled).toBe('late');
  });
});
