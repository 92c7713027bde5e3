import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { fakeTerminal, runSluice } from '../../../test/support/fakeTerminal.js';
import { sluice } from '../program.js';

describe('sluice sim', () => {
  it('prints the address of each venue and what to type, and ends after its time', async () => {
    const { code, stdout, stderr } = await runSluice(['sim', '--for', '20ms', '--symbols', 'AAPL,IBM']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^alpaca {4}ws:\/\/127\.0\.0\.1:\d+$/m);
    expect(stdout).toMatch(
      /^APCA_API_KEY_ID=\S+ APCA_API_SECRET_KEY=\S+ npm start -- --provider alpaca --url ws:\/\/127\.0\.0\.1:\d+ --symbols AAPL,IBM$/m,
    );
    expect(stdout).toMatch(
      /^npm start -- --provider binance --url ws:\/\/127\.0\.0\.1:\d+ --symbols BTCUSDT,ETHUSDT$/m,
    );
    expect(stdout).toMatch(
      /^npm start -- --provider coinbase --url ws:\/\/127\.0\.0\.1:\d+ --symbols BTC-USD,ETH-USD$/m,
    );
    expect(stdout).toMatch(
      /^MASSIVE_API_KEY=\S+ npm start -- --provider massive --url ws:\/\/127\.0\.0\.1:\d+ --symbols AAPL,IBM$/m,
    );
    expect(stdout).toMatch(/^npm start -- --provider ibkr --url \S+127\.0\.0\.1:\d+ --symbols AAPL,IBM$/m);
    expect(stderr).toMatch(/^the time is over: \d+ events told/m);
  });

  it('starts only the venues that are named, and reports everything in JSON', async () => {
    const args = [
      'sim',
      '--json',
      '--for',
      '1ms',
      '--venues',
      'coinbase',
      '--date',
      '2026-01-05',
      '--from',
      '09:30:30',
    ];
    const { code, stdout } = await runSluice(args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      from: Date.parse('2026-01-05T14:30:30Z'),
      to: Date.parse('2026-01-06T05:00:00Z'),
      shiftMs: 0,
      venues: [
        {
          name: 'coinbase',
          url: expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+$/),
          symbols: ['BTC-USD', 'ETH-USD'],
          env: {},
          command: expect.stringContaining('--provider coinbase'),
        },
      ],
    });
  });

  it('listens on the address of --host, and names the machine where that is all of them', async () => {
    const url = async (host: string) => {
      const { stdout } = await runSluice([
        'sim',
        '--json',
        '--for',
        '1ms',
        '--venues',
        'coinbase,ibkr',
        '--host',
        host,
      ]);
      return JSON.parse(stdout).venues.map((venue: { readonly url: string }) => venue.url.replace(/\d+$/, ''));
    };
    expect(await url('127.0.0.2')).toEqual(['ws://127.0.0.2:', 'tcp://127.0.0.2:']);
    expect(await url('0.0.0.0')).toEqual([`ws://${hostname()}:`, `tcp://${hostname()}:`]);
    expect(await runSluice(['sim', '--host', 'everywhere'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('It must be an IP address of this machine'),
    });
    expect(await runSluice(['sim', '--host', '192.0.2.1', '--for', '1ms'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^error: --host: cannot listen on 192\.0\.2\.1: [^\n]+\n$/),
    });
  });

  it('moves the day to now, by whole minutes', async () => {
    const { stdout } = await runSluice(['sim', '--json', '--for', '1ms', '--venues', 'coinbase']);
    const { from, shiftMs } = JSON.parse(stdout) as { readonly from: number; readonly shiftMs: number };
    expect(shiftMs % 60_000).toBe(0);
    expect(Math.abs(from - Date.now())).toBeLessThan(60_000);
  });

  it.each(['SIGINT', 'SIGTERM'])('ends at %s, and listens no longer', async (signal) => {
    const terminal = fakeTerminal();
    const ended = sluice(['sim', '--venues', 'alpaca'], terminal);
    while (terminal.signals.listenerCount(signal) === 0) await new Promise((resolve) => setImmediate(resolve));
    terminal.signals.emit(signal, signal);
    expect(await ended).toBe(0);
    expect(terminal.said.stderr).toMatch(/^stopped: /);
    expect(terminal.signals.eventNames().flatMap((name) => terminal.signals.listeners(name))).toEqual([]);
  });

  it('ends when the day is over', async () => {
    const args = ['sim', '--venues', 'coinbase', '--crypto', 'BTC-USD', '--from', '23:59:50', '--speed', '100000'];
    const { code, stderr } = await runSluice(args);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^the day is over: [1-9]\d+ events told/m);
  });

  it.each([
    [['--venues', 'nasdaq'], 'There is no "nasdaq", only alpaca, binance'],
    [['--faults', 'kick'], 'It must be a span of time such as 5s, 2m or 1h.'],
    [['--faults', 'rain=5s'], 'There is no fault "rain", only kick, mute, outage and malformed'],
    [['--faults', 'malformed=2'], 'The share of malformed messages must be at most 1.'],
    [['--for', '5'], 'It must be a span of time such as 5s'],
    [['--from', '9:30'], 'It must be a time of the day in New York, such as 09:30.'],
    [['--date', '2026-02-30'], 'date must be a date such as "2026-01-05", got "2026-02-30"'],
    [['--symbols', 'AAPL,AAPL'], 'each named once, got "AAPL"'],
    [['--symbols', 'AAPL,,IBM'], 'It must be names with commas between them.'],
    [['--rate', '0'], 'It must be a number above 0.'],
  ])('refuses %j as wrong usage', async (args, message) => {
    const { code, stdout, stderr } = await runSluice(['sim', ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});
