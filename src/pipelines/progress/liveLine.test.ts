import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveLine, type ProgressOutput } from './liveLine.js';

/** An output that remembers, and whose width may change. */
function screen(isTTY: boolean, columns = 80) {
  const written: string[] = [];
  const output = { isTTY, columns, write: (text: string) => written.push(text) };
  return { output: output as ProgressOutput & { columns: number }, written, text: () => written.join('') };
}

const texts = (line: () => string) => ({ line, plain: line });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

describe('a live line', () => {
  it('is redrawn in place five times a second, and stays with its last state', () => {
    const { output, written } = screen(true);
    let n = 0;
    const line = new LiveLine(
      output,
      texts(() => `frame ${++n}`),
    );
    vi.advanceTimersByTime(199);
    expect(written).toEqual([]);
    vi.advanceTimersByTime(801);
    expect(written).toHaveLength(5);
    expect(written[4]).toBe('\r\u001b[Kframe 5');
    line.stop();
    line.stop();
    expect(written.slice(5)).toEqual(['\r\u001b[Kframe 6', '\n']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is drawn by what happens where no timer fires, and not more often', () => {
    const { output, written } = screen(true);
    let now = 0;
    const line = new LiveLine(
      output,
      texts(() => `at ${now}`),
      { now: () => now },
    );
    for (now = 0; now < 1_000; now += 10) line.refresh();
    expect(written.map((text) => text.slice(4))).toEqual(['at 200', 'at 400', 'at 600', 'at 800']);
    line.stop();
  });

  it.each([50, 80, 20])('fits a terminal of %i columns, also one that becomes narrower', (columns) => {
    const { output, written } = screen(true, columns);
    const widths: number[] = [];
    const line = new LiveLine(output, {
      line(width) {
        widths.push(width);
        return 'x'.repeat(200);
      },
      plain: () => '',
    });
    vi.advanceTimersByTime(200);
    output.columns = 15;
    vi.advanceTimersByTime(200);
    expect(widths).toEqual([columns - 1, 14]);
    expect(written.map((text) => text.length - 4)).toEqual([columns - 1, 14]);
    line.stop();
  });

  it('stays below what is said meanwhile', () => {
    const { output, written } = screen(true);
    const line = new LiveLine(
      output,
      texts(() => 'live'),
    );
    line.say('before');
    vi.advanceTimersByTime(200);
    line.say('above');
    expect(written).toEqual(['before\n', '\r\u001b[Klive', '\r\u001b[Kabove\n', '\r\u001b[Klive']);
    line.stop();
    line.say('after');
    expect(written.slice(4)).toEqual(['\r\u001b[Klive', '\n', 'after\n']);
  });

  it('never hides the cursor, and shows no colour', () => {
    const { output, text } = screen(true);
    const line = new LiveLine(
      output,
      texts(() => 'live'),
    );
    vi.advanceTimersByTime(2_000);
    line.say('said');
    line.stop();
    expect(text().replaceAll('\u001b[K', '')).not.toContain('\u001b');
  });

  it.each([
    ['there is no terminal', false, undefined],
    ['the terminal is a dumb one', true, 'dumb'],
  ])('is a plain line now and then where %s', (_, isTTY, term) => {
    if (term) vi.stubEnv('TERM', term);
    const { output, text } = screen(isTTY);
    const line = new LiveLine(
      output,
      texts(() => 'so far'),
    );
    vi.advanceTimersByTime(1_999);
    expect(text()).toBe('');
    vi.advanceTimersByTime(201);
    expect(text()).toBe('so far\n');
    vi.advanceTimersByTime(60 * 60_000);
    expect(text().split('\n').length).toBeGreaterThan(100);
    expect(text().split('\n').length).toBeLessThan(130);
    expect(text()).not.toContain('\u001b');
    line.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('survives an output that is gone', () => {
    const line = new LiveLine(
      {
        isTTY: true,
        write() {
          throw new Error('EPIPE');
        },
      },
      texts(() => 'live'),
    );
    expect(() => {
      vi.advanceTimersByTime(1_000);
      line.say('said');
      line.stop();
    }).not.toThrow();
  });
});
