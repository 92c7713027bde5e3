import { describe, expect, it } from 'vitest';
import { LineLimiter } from './lineLimiter.js';

function bench() {
  const clock = { now: 0 };
  const lines: string[] = [];
  const limiter = new LineLimiter(
    () => clock.now,
    (_, line) => lines.push(`${clock.now}: ${line}`),
  );
  return { clock, lines, limiter };
}

describe('the lines about one subject', () => {
  it('are a few, then a count after ten seconds, and after twice as long each time', () => {
    const { clock, lines, limiter } = bench();
    for (clock.now = 0; clock.now < 60_000; clock.now += 10) {
      limiter.tell('a', () => 'it failed');
      limiter.check();
    }
    limiter.end();
    expect(lines).toEqual([
      '0: it failed',
      '10: it failed',
      '20: it failed',
      '10020: 1,000 more like this: it failed',
      '30020: 2,000 more like this: it failed',
      '60000: 2,997 more like this: it failed',
    ]);
  });

  it('are counted out by a look now and then, also when nothing more happens', () => {
    const { clock, lines, limiter } = bench();
    for (let i = 0; i < 5; i++) limiter.tell('a', () => `no ${i}`);
    clock.now = 9_999;
    limiter.check();
    expect(lines).toHaveLength(3);
    clock.now = 10_000;
    limiter.check();
    expect(lines[3]).toBe('10000: 2 more like this: no 3');
    limiter.end();
    expect(lines).toHaveLength(4);
  });

  it('are as they are where there is one more only', () => {
    const { lines, limiter } = bench();
    for (let i = 0; i < 4; i++) limiter.tell('a', () => `no ${i}`);
    limiter.end();
    expect(lines[3]).toBe('0: no 3');
  });

  it('do not count against those about another, and begin anew after a long silence', () => {
    const { clock, lines, limiter } = bench();
    for (let i = 0; i < 3; i++) limiter.tell('a', () => 'a');
    limiter.tell('b', () => 'b');
    clock.now = 5 * 60_000;
    limiter.tell('a', () => 'again');
    expect(lines.slice(3)).toEqual(['0: b', '300000: again']);
  });

  it('are told before their subject is forgotten for too many others', () => {
    const { lines, limiter } = bench();
    for (let i = 0; i < 5; i++) limiter.tell('a', () => 'a');
    for (let i = 0; i < 256; i++) limiter.tell(`b${i}`, () => `b${i}`);
    expect(lines.filter((line) => line.includes('2 more like this: a'))).toHaveLength(1);
  });
});
