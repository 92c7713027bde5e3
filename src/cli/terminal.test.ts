import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { coded } from '../../test/support/errors.js';
import { OutputClosedError, outputOf } from './terminal.js';

/** A stream that takes what is written only when `take()` is called. */
function slowStream() {
  const pending: (() => void)[] = [];
  const stream = new Writable({ highWaterMark: 4, write: (_chunk, _encoding, done) => void pending.push(done) });
  return { stream, take: () => pending.shift()?.() };
}

describe('an output', () => {
  it('is not written faster than it is read', async () => {
    const { stream, take } = slowStream();
    const output = outputOf(stream);
    let written = false;
    const writing = output.write('more than four').then(() => {
      written = true;
    });
    await turn();
    expect(written).toBe(false);
    take();
    await writing;
    expect(written).toBe(true);
  });

  it('that is closed says so to who waits and to who comes later', async () => {
    const { stream } = slowStream();
    const output = outputOf(stream);
    const waiting = output.write('more than four');
    stream.destroy(coded('EPIPE', 'write EPIPE'));
    await expect(waiting).rejects.toBeInstanceOf(OutputClosedError);
    await expect(output.write('x')).rejects.toMatchObject({ cause: { code: 'EPIPE' } });
  });

  it('has the width of its terminal, and none elsewhere', () => {
    expect(outputOf(slowStream().stream)).toMatchObject({ isTTY: false, columns: undefined });
    const terminal = Object.assign(slowStream().stream, { isTTY: true, columns: 120 });
    const output = outputOf(terminal);
    expect(output).toMatchObject({ isTTY: true, columns: 120 });
    terminal.columns = 90;
    expect(output.columns).toBe(90);
  });
});
