import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { showProgress } from './progress.js';
import { outputOf } from './terminal.js';

/** A terminal that remembers what was written, escape sequences included. */
function screen(isTTY: boolean) {
  const said: string[] = [];
  const stream = new Writable({
    write(chunk, _, done) {
      said.push(String(chunk));
      done();
    },
  });
  const methods = { isTTY, columns: 120, cursorTo: () => true, clearLine: () => true, moveCursor: () => true };
  return { output: outputOf(Object.assign(stream, methods)), text: () => said.join('') };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('progress', () => {
  it('is a bar once it has taken a while, with what was done before', () => {
    const { output, text } = screen(true);
    const progress = showProgress(output, 200);
    progress.update(50, 3);
    vi.advanceTimersByTime(400);
    expect(text()).toBe('');
    vi.advanceTimersByTime(200);
    expect(text()).toMatch(/25% {2}50 of 200 items {2}3 failed again/);
    progress.update(200, 4);
    progress.stop();
    expect(text()).toMatch(/100% {2}200 of 200 items {2}4 failed again/);
    // The cursor was never away.
    expect(text()).not.toContain('\u001b[?25');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('shows nothing of what is soon over', () => {
    const { output, text } = screen(true);
    const progress = showProgress(output, 200);
    progress.update(200, 0);
    progress.stop();
    vi.advanceTimersByTime(1_000);
    expect(text()).toBe('');
  });

  it('shows no bar where there is no terminal, and says what is to be said', () => {
    const { output, text } = screen(false);
    const progress = showProgress(output, 200);
    vi.advanceTimersByTime(1_000);
    progress.update(50, 0);
    progress.say('stopping');
    progress.stop();
    expect(text()).toBe('stopping\n');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is a line now and then where there is no terminal, from two seconds on, with what is waited for', () => {
    const { output, text } = screen(false);
    let note = '';
    const progress = showProgress(output, 200, () => note);
    progress.update(50, 1);
    vi.advanceTimersByTime(1_999);
    expect(text()).toBe('');
    vi.advanceTimersByTime(1);
    expect(text()).toBe('50 of 200 items replayed, 1 failed again\n');
    note = '; waiting';
    vi.advanceTimersByTime(4_000);
    expect(text()).toContain('50 of 200 items replayed, 1 failed again; waiting\n');
    vi.advanceTimersByTime(60 * 60_000);
    // Twice a minute at most.
    expect(text().split('\n').length).toBeLessThan(125);
    progress.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not listen for signals in the place of the pipeline', () => {
    const before = process.listenerCount('SIGINT');
    const { output } = screen(true);
    const progress = showProgress(output, 200);
    vi.advanceTimersByTime(600);
    expect(process.listenerCount('SIGINT')).toBe(before);
    progress.stop();
  });
});
