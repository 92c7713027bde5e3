/**
 * A sink of your own, and a server with bad days: it asks for patience (429), is down (503), and refuses one bar (400). The
 * pipeline waits as long as it is asked to, tries again behind a breaker, and puts that bar into the dead letters. When the server
 * has been mended, the program `sluice` replays the letter into the same sink.
 *
 * Run it: npm run example -- http-sink
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type Bar, CircuitBreaker, formatReport, isSettled, run, writeCoordinator } from 'sluice';
import { openDeadLetters } from 'sluice/dead-letters';
import { fromIterable, syntheticBars } from 'sluice/sources';
import { httpSink } from './http-sink/sink.js';

const badDays = [429, 503, 503];
const stored = new Map<string, Bar>();
const requests: { readonly at: number; readonly status: number }[] = [];
let takesAnyVolume = false;

const server = createServer(async (request, response) => {
  const bars = (await json(request)) as Bar[];
  const rejected = bars.flatMap(({ volume }, index) => (volume < 0 && !takesAnyVolume ? [index] : []));
  const status = badDays.shift() ?? (rejected.length > 0 ? 400 : 200);
  requests.push({ at: performance.now(), status });
  if (status === 200) for (const bar of bars) stored.set(`${bar.symbol} ${bar.ts}`, bar);
  response.writeHead(status, status === 429 ? { 'retry-after': '1' } : {}).end(JSON.stringify({ rejected }));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/bars`;

const folder = mkdtempSync(join(tmpdir(), 'sluice-example-'));
try {
  const bars = [...syntheticBars({ symbols: 20, count: 2_000, seed: 7 })];
  bars[1_234] = { ...(bars[1_234] as Bar), volume: -1 };

  const deadLetters = await openDeadLetters<Bar>(folder, { pipeline: 'http' });
  const breaker = new CircuitBreaker({ window: { kind: 'count', size: 3 }, firstOpenMs: 100 });
  const states: string[] = [];
  breaker.onChange((state) => states.push(state));
  const policies = { deadLetters, breaker, retry: { maxAttempts: 5 } };
  const report = await run(fromIterable(bars).pipe(writeCoordinator(httpSink(url), { workers: 1, policies })));
  await deadLetters.close(); // A folder belongs to one process at a time, and the next is the program `sluice`.

  const [first, second] = requests.map(({ at }) => at);
  console.log(`the server answered ${requests.map(({ status }) => status).join(', ')}`);
  console.log(
    `asked to wait 1 s, waited ${((second! - first!) / 1_000).toFixed(2)} s; the breaker: ${states.join(', ')}`,
  );
  console.log(`${formatReport(report)}\n`);

  takesAnyVolume = true;
  const program = fileURLToPath(new URL('dist/cli/main.js', import.meta.resolve('sluice/package.json')));
  const module = fileURLToPath(new URL('http-sink/sink.js', import.meta.url));
  const replay = spawn(process.execPath, [program, 'dlq', 'replay', '--dir', folder, '--sink', module], {
    env: { ...process.env, SINK_URL: url },
    stdio: 'inherit',
  });
  const [code] = await once(replay, 'close');
  console.log(`sluice dlq replay ended with ${code}; the server has ${stored.size} of ${bars.length} bars`);
  if (!isSettled(report) || code !== 0) process.exitCode = 1;
} finally {
  server.close();
  rmSync(folder, { recursive: true, force: true });
}
