import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { asyncScheduler, type SchedulerAction, type SchedulerLike } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDeadLetters } from '../../src/dead-letters/openDeadLetters.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { run } from '../../src/pipelines/run.js';
import { captureFrames } from '../../src/providers/frames/captureFrames.js';
import { findProvider } from '../../src/providers/registry.js';
import { createLogger } from '../../src/telemetry/createLogger.js';
import { logPipeline } from '../../src/telemetry/logPipeline.js';
import { pipelineTelemetry } from '../../src/telemetry/pipelineTelemetry.js';
import type { FakeVenue } from '../../src/testing/venues/fakeVenue.js';
import { Folder } from '../support/folder.js';
import { type RegisteredVenue, recordsOf, SECRET, VENUES } from '../support/venues.js';

let folder: Folder;
let venue: FakeVenue;
beforeEach(() => {
  folder = new Folder();
});
afterEach(async () => {
  await venue?.close();
  folder.remove();
});

/** Every way in which a secret could be spelled. */
const SPELLINGS = [SECRET, encodeURIComponent(SECRET), Buffer.from(SECRET).toString('base64').replace(/=+$/, '')];

/** A part of the secret that no other text has, as it is or in base64: what a cut leaves. */
const PARTS = [SECRET.slice(0, 8), SECRET.slice(-8), Buffer.from(SECRET).toString('base64').slice(0, 10)];

function expectNoSecret(what: string, text: string): void {
  for (const one of [...SPELLINGS, ...PARTS]) expect(text.includes(one), `${what} has the secret`).toBe(false);
}

/** The files below a folder, unpacked. */
function textsBelow(path: string): readonly (readonly [string, string])[] {
  return readdirSync(path).flatMap((name) => {
    const inner = join(path, name);
    if (statSync(inner).isDirectory()) return textsBelow(inner);
    const bytes = readFileSync(inner);
    return [[inner, (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1')] as const];
  });
}

/** Everything that a run of a provider leaves: what it says, and how it ended. */
async function runOf(registered: RegisteredVenue, during: () => Promise<void>) {
  const { name, kinds, symbol, timeframe, variables } = registered;
  const said: string[] = [];
  const log: string[] = [];
  const say = (what: unknown) => void said.push(inspect(what, { depth: 10, showHidden: true }));
  const capture = captureFrames(folder.path('captures'));
  const deadLetters = await openDeadLetters<unknown>(folder.path('dlq'), { pipeline: 'secrets' });
  const logger = createLogger({ level: 'trace', destination: { write: (line) => void log.push(line) } });
  const telemetry = pipelineTelemetry();
  const monitor = new PipelineMonitor();
  const stop = new AbortController();
  const stream = {
    ...{ wrapConnect: capture.wrapConnect, deadLetters, initialMs: 5 },
    ...{ onNotice: say, onRefused: say, onRejected: say, onRetry: say },
  };
  const provider = await findProvider(name).entry.create({ url: venue.url, variables, stream });
  say(provider);
  const records$ = provider.stream({ kinds, symbols: [symbol], timeframe });
  const observe = [telemetry.pipeline('secrets', { deadLetters }), logPipeline(logger)];
  const ending = run(records$, { monitor, observe, stop: stop.signal, signals: [] }).then(say, say);
  await Promise.race([during(), ending]);
  for (const feed of monitor.feeds) say(feed);
  said.push((await telemetry.metrics()).body, JSON.stringify(telemetry.topology()));
  stop.abort();
  await ending;
  await capture.close();
  await deadLetters.close();
  telemetry.close();
  return { said, log, counts: capture.counts };
}

/** Where a cut to this length would leave a part of the secret. */
const beforeCut = (length: number) => 'x'.repeat(length - 10);

/** Answers to a request for bars, all of which echo the key. */
const ECHOES: readonly (readonly [what: string, status: number, body: string])[] = [
  ['words of a refusal', 403, JSON.stringify({ status: 'NOT_AUTHORIZED', message: `the key ${SECRET} may not` })],
  ['words that are cut', 403, JSON.stringify({ message: beforeCut(300) + SECRET })],
  ['words about the symbol', 422, JSON.stringify({ message: `invalid symbol: ${SECRET}` })],
  ['words of an answer', 200, JSON.stringify({ status: 'NOT_AUTHORIZED', message: `the key ${SECRET} may not` })],
  ['words of an error', 200, JSON.stringify({ status: 'ERROR', error: `the api key ${SECRET} is wrong` })],
  ['a page of a proxy', 200, `<html>Authorization was: Bearer ${SECRET}</html>`],
  ['a page of a proxy that is cut', 200, beforeCut(80) + SECRET],
  ['JSON that is cut', 200, `{"results":["${SECRET}`],
  ['a row', 200, JSON.stringify({ results: [{ t: SECRET, key: SECRET }], bars: [{ t: SECRET, key: SECRET }] })],
  [
    'a value that is cut',
    200,
    JSON.stringify({ results: [{ t: beforeCut(80) + SECRET }], bars: [{ t: beforeCut(80) + SECRET }] }),
  ],
  ['an answer of another shape', 200, JSON.stringify({ results: { [SECRET]: SECRET }, bars: { [SECRET]: SECRET } })],
  ['an address that is none', 200, JSON.stringify({ results: [], next_url: `no address?apiKey=${SECRET}` })],
  [
    'an address elsewhere',
    200,
    JSON.stringify({ results: [], next_url: `https://${SECRET}.example/?apiKey=${SECRET}` }),
  ],
  ['the name of a page', 200, JSON.stringify({ bars: [], next_page_token: { [SECRET]: SECRET } })],
];

/** Its waits are over at once: those for the vendor's limits and between attempts. The limit of an answer is none. */
function hastyScheduler(): SchedulerLike {
  let now = Date.UTC(2026, 0, 6);
  return {
    now: () => now,
    schedule<S>(work: (this: SchedulerAction<S>, state?: S) => void, delay = 0, state?: S) {
      if (delay === 30_000) return asyncScheduler.schedule(work, delay, state);
      now += delay;
      return asyncScheduler.schedule(work, 0, state);
    },
  };
}

const withSecrets = VENUES.filter(({ variables }) => Object.keys(variables).length > 0);

it('covers every provider of the registry that has a secret', () => {
  expect(withSecrets.map(({ name }) => name)).toEqual(['massive', 'alpaca']);
});

describe.each(withSecrets)('a run of $name shows its secret nowhere', (registered) => {
  const check = ({ said, log }: Awaited<ReturnType<typeof runOf>>) => {
    for (const text of said) expectNoSecret(text.slice(0, 200), text);
    expectNoSecret('the log', log.join('\n'));
    const files = textsBelow(folder.path('.'));
    for (const [path, text] of files) expectNoSecret(path, text);
    return files;
  };

  it('where it works, is broken, and the vendor echoes the secret in data', async () => {
    venue = await registered.start();
    const ran = await runOf(registered, async () => {
      const subscribed = (now: FakeVenue) => now.subscriptions.length >= registered.subscriptions;
      await venue.until(subscribed);
      for (let n = 0; n < 5; n += 1) venue.publish(recordsOf(registered, n));
      venue.publishMalformed(recordsOf(registered, 6), 1);
      // An element that nobody knows, in the form of each vendor.
      venue.send(JSON.stringify([{ ev: 'Zz', T: 'z', sym: SECRET, [SECRET]: [`the key ${SECRET}`] }]));
      // One that is quoted, as far as a person reads.
      venue.send(JSON.stringify([{ ev: beforeCut(80) + SECRET, T: beforeCut(80) + SECRET }]));
      venue.reset();
      await venue.until((now) => now.accepted.length >= 2 && subscribed(now));
    });
    const files = check(ran);
    expect(ran.said.join()).toContain('the key ***');
    // There was something to look at.
    expect(files.filter(([path]) => path.endsWith('.ndjson.gz'))).toHaveLength(1);
    expect(files.some(([path, text]) => path.includes('/dlq/') && text.includes('decode'))).toBe(true);
    expect(ran.log.length).toBeGreaterThan(2);
    const login = files.find(([path]) => path.endsWith('.ndjson.gz'))?.[1];
    expect(login).toMatch(/"is":"out".*\*\*\*/);
  }, 30_000);

  it.each(['credentials', 'entitlement'] as const)(
    'where the login is refused: %s',
    async (why) => {
      venue = await registered.start();
      venue.rejectLogins(why);
      const ran = await runOf(registered, () => new Promise(() => {}));
      check(ran);
      expect(ran.said.join()).toMatch(/BadCredentials|NotEntitled/);
      expect(ran.counts.frames).toBeGreaterThan(1);
    },
    30_000,
  );

  it('where the vendor cannot be reached, and where an option is wrong', async () => {
    venue = await registered.start();
    const { url } = venue;
    await venue.close();
    venue = { ...venue, url, close: async () => {} } as FakeVenue;
    const { name, variables } = registered;
    const stream = { maxAttempts: 1 };
    const provider = await findProvider(name).entry.create({ url, variables, stream });
    const failing = provider.stream({ kinds: ['trade'], symbols: ['AAPL'] }).forEach(() => {});
    const failure: unknown = await failing.catch((error: unknown) => error);
    expectNoSecret('the error', inspect(failure, { depth: 10, showHidden: true }));
    const wrong = findProvider(name).entry.create({ url: `wss://u:${SECRET}@x/?key=${SECRET}#`, variables });
    const mistake: unknown = await wrong.catch((error: unknown) => error);
    expectNoSecret('the mistake', inspect(mistake, { depth: 10, showHidden: true }));
  });

  it.each(ECHOES)('where history is answered with the key in %s', async (_, status, body) => {
    const server = createServer((__, response) => response.writeHead(status).end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { name, variables, symbol } = registered;
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const ask = async (onRejected?: (one: unknown) => void): Promise<unknown> => {
      const stream = { scheduler: hastyScheduler(), ...(onRejected && { onRejected }) };
      const provider = await findProvider(name).entry.create({ url, variables, stream });
      const from = Date.UTC(2026, 0, 5);
      try {
        for await (const page of provider.history!({ of: 'bar', symbol, from, to: from + 3_600_000 }))
          expect(page).toEqual([]);
        return 'the end';
      } catch (error) {
        return error;
      }
    };
    try {
      const rejected: unknown[] = [];
      for (const what of [await ask(), await ask((one) => rejected.push(one)), ...rejected]) {
        const text = inspect(what, { depth: 10, showHidden: true });
        expectNoSecret(text.slice(0, 300), text);
      }
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
