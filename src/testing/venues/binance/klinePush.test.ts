import { VirtualTimeScheduler } from 'rxjs';
import { expect, it } from 'vitest';
import { KlinePush } from './klinePush.js';

function pushing() {
  const scheduler = new VirtualTimeScheduler();
  const sent: string[] = [];
  const push = new KlinePush(scheduler, (frame) => sent.push(`${scheduler.now()} ${frame}`));
  const at = (ms: number, work: () => void) => scheduler.schedule(work, ms);
  return { scheduler, sent, push, at };
}

it('sends the newest update of a stream, at most one in two seconds, and a closed kline at once', () => {
  const { scheduler, sent, push, at } = pushing();
  at(0, () => push.push('a', 'a1', false, 2_000));
  at(500, () => push.push('a', 'a2', false, 2_000));
  at(600, () => push.push('b', 'b1', false, 1_000));
  at(1_500, () => push.push('a', 'a3', false, 2_000));
  at(2_500, () => push.push('a', 'a4', false, 2_000));
  at(3_000, () => push.push('a', 'a5 closed', true, 2_000));
  at(9_000, () => push.push('a', 'a6', false, 2_000));
  scheduler.flush();
  expect(sent).toEqual(['0 a1', '600 b1', '2000 a3', '3000 a5 closed', '9000 a6']);
});

it('sends nothing more once it is cancelled', () => {
  const { scheduler, sent, push, at } = pushing();
  at(0, () => push.push('a', 'a1', false, 2_000));
  at(500, () => push.push('a', 'a2', false, 2_000));
  at(600, () => push.cancel());
  scheduler.flush();
  expect(sent).toEqual(['0 a1']);
});
