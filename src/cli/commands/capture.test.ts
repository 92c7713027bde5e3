import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fakeTerminal, runSluice } from '../../../test/support/fakeTerminal.js';
import { Folder } from '../../../test/support/folder.js';
import type { Trade } from '../../market/trade.js';
import { replayFrames } from '../../providers/frames/replayFrames.js';
import { startFakeAlpaca } from '../../testing/venues/alpaca/startFakeAlpaca.js';
import type { FakeCoinbase } from '../../testing/venues/coinbase/fakeCoinbase.js';
import { startFakeCoinbase } from '../../testing/venues/coinbase/startFakeCoinbase.js';
import { sluice } from '../program.js';

let folder: Folder;
let venue: FakeCoinbase;
beforeEach(async () => {
  folder = new Folder();
  venue = await startFakeCoinbase();
});
afterEach(async () => {
  folder.remove();
  await venue.close();
});

const ts = 1_767_623_400_000;
const trade: Trade = {
  ...{ kind: 'trade', vendor: 'coinbase', symbol: 'BTC-USD', ts, price: 100, size: 1, id: '1', side: 'buy', seq: 1 },
};
const request = ['--provider', 'coinbase', '--symbols', 'BTC-USD', '--kinds', 'trade', '--to', 'captures'];
const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runSluice(['capture', ...args], { cwd: folder.path('.'), env });
const files = () => readdirSync(folder.path('captures'));

describe('sluice capture', () => {
  it('records until Ctrl-C, and says what', async () => {
    const terminal = fakeTerminal({ cwd: folder.path('.') });
    const running = sluice(['capture', ...request, '--url', venue.url], terminal);
    await venue.until(({ subscriptions }) => subscriptions.length === 2);
    venue.publish([trade]);
    // What the vendor answers to is behind the trade.
    venue.reset();
    await venue.until(({ accepted, subscriptions }) => accepted.length === 2 && subscriptions.length === 2);
    terminal.signals.emit('SIGINT', 'SIGINT');
    expect(await running).toBe(0);
    expect(terminal.said.stderr).toBe('');
    expect(terminal.said.stdout).toMatch(
      /^captured \d+ frames of \d+ bytes over 2 connections, in .*captures \(1 file, \d+ bytes\)\n$/,
    );
    expect(files()).toEqual([expect.stringMatching(/^coinbase-.*\.000001\.ndjson\.gz$/)]);
    expect(replayFrames(folder.path('captures')).provider).toBe('coinbase');
  });

  it('ends by itself after --for, and prints JSON', async () => {
    const { code, stdout } = await run([...request, '--url', venue.url, '--for', '300ms', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      folder: folder.path('captures'),
      connections: 1,
      files: 1,
      lostFrames: 0,
    });
  });

  it('says in one sentence that the vendor cannot be reached', async () => {
    const { url } = venue;
    await venue.close();
    const { code, stderr } = await run([...request, '--url', url]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: coinbase: could not connect to 127\.0\.0\.1:\d+: connection refused \(ECONNREFUSED\)\n$/,
    );
    expect(files()).toEqual([]);
  });

  it('waits as long as the vendor says before it is asked at all, and says so', async () => {
    let asked = 0;
    const server = createServer().on('upgrade', (_, socket) => {
      asked += 1;
      socket.end('HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const terminal = fakeTerminal({ cwd: folder.path('.') });
    const running = sluice(['capture', ...request, '--url', `ws://127.0.0.1:${port}`], terminal);
    await vi.waitFor(() =>
      expect(terminal.said.stderr).toMatch(/^coinbase: .*HTTP 429.*; it is tried again in 7 s\n$/),
    );
    terminal.signals.emit('SIGINT', 'SIGINT');
    expect([await running, asked]).toEqual([0, 1]);
    server.close();
  });

  it("says a rejected key in the vendor's own words, without the key, once", async () => {
    const alpaca = await startFakeAlpaca();
    const args = ['--provider', 'alpaca', '--symbols', 'AAPL', '--to', 'captures', '--url', alpaca.url];
    const env = { ALPACA_KEY_ID: 'wrong-key-1234', APCA_API_SECRET_KEY: 'wrong-secret-5678' };
    const { code, stderr, stdout } = await run(args, env);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: alpaca: .*\n$/);
    expect(alpaca.accepted).toHaveLength(1);
    expect(stderr + stdout).not.toMatch(/wrong-/);
    await alpaca.close();
  });

  it('takes a provider of the module of a user', async () => {
    writeFileSync(
      folder.path('mine.mjs'),
      `export default ({ wrapConnect }) => ({
         name: 'mine', kinds: ['trade'], pacing: {},
         stream: () => { throw new Error('mine was asked, with ' + typeof wrapConnect); },
       });`,
    );
    const { code, stderr } = await run(['--provider', './mine.mjs', '--symbols', 'A', '--to', 'captures']);
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('mine was asked, with function'),
    });
    writeFileSync(folder.path('none.mjs'), 'export default 7;');
    expect(await run(['--provider', './none.mjs', '--symbols', 'A', '--to', 'captures'])).toMatchObject({
      code: 2,
      stderr: 'error: --provider: the default export of ./none.mjs must be a function (config) => Provider\n',
    });
  });

  it.each<[string, readonly string[], RegExp]>([
    ['an unknown provider', ['--provider', 'coinbse'], /no provider "coinbse" \(did you mean coinbase\?/],
    ['a key that is missing', ['--provider', 'alpaca'], /alpaca needs ALPACA_KEY_ID .* and ALPACA_SECRET_KEY/],
    [
      'a kind that the provider has not',
      ['--kinds', 'news'],
      /kinds\[0\] must be one of "bar", "trade", "quote", got "news"/,
    ],
    ['no symbols', ['--symbols', ','], /It must be names with commas between them/],
    ['a time without a unit', ['--for', '60'], /It must be a span of time such as/],
    ['an address that is none', ['--url', 'nonsense'], /nonsense/],
  ])('refuses %s with 2', async (_, args, message) => {
    const ran = await run([...request, ...args]);
    expect(ran.stderr).toMatch(message);
    expect(ran.code).toBe(2);
    expect(() => files()).toThrow(/ENOENT/);
  });
});
