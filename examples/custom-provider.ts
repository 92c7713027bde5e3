/**
 * A provider of your own: the session and the normaliser of a vendor, Acme, against a fake of its server on loopback. A session is
 * captured, and replayed as fast as it is read: the records are the same.
 *
 * Run it: npm run example -- custom-provider
 */
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { lastValueFrom, take, toArray } from 'rxjs';
import {
  BadCredentials,
  ConnectionLost,
  captureFrames,
  defineProvider,
  type Frame,
  type Normalise,
  type Provider,
  type ProviderSession,
  type ProviderStreamConfig,
  replayFrames,
  type Series,
  type SessionStep,
  Unreadable,
  webSocketConnect,
} from 'sluice/providers';
import { WebSocketServer } from 'ws';

interface AcmeConfig extends ProviderStreamConfig {
  readonly url: string;
  readonly key: string;
}

/** What Acme sends: `{"hello":true}`, `{"refused":"why"}`, `{"subscribed":["AAPL"]}`, `{"trades":[["AAPL",1767623400000,"1",227.5,100]]}`. */
interface AcmeFrame {
  readonly hello?: true;
  readonly refused?: string;
  readonly subscribed?: readonly string[];
  readonly trades?: readonly unknown[];
}

/** What to say when: it has no socket and no clock, and never throws at what the vendor sends. */
class AcmeSession implements ProviderSession {
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  opened(): SessionStep {
    return { send: [JSON.stringify({ login: { apiKey: this.#key } })] };
  }

  frame(frame: Frame): SessionStep {
    const said = parse(frame);
    if (!said) return { fail: new ConnectionLost('acme', 'a frame is no JSON object') };
    const { hello, refused, subscribed, trades } = said;
    if (refused !== undefined) return { fail: new BadCredentials('acme', refused, { cause: refused }) };
    return {
      isReady: hello === true,
      ...(Array.isArray(subscribed) && { confirmed: subscribed.map((symbol) => ({ of: 'trade', symbol })) }),
      ...(Array.isArray(trades) && { elements: trades }),
    };
  }

  timer(): SessionStep {
    return {};
  }

  subscribe(series: readonly Series[]): SessionStep {
    return { send: [JSON.stringify({ subscribe: series.map(({ symbol }) => symbol) })] };
  }

  unsubscribe(series: readonly Series[]): SessionStep {
    return { send: [JSON.stringify({ unsubscribe: series.map(({ symbol }) => symbol) })] };
  }
}

function parse(frame: Frame): AcmeFrame | undefined {
  try {
    const value: unknown = JSON.parse(String(frame));
    return typeof value === 'object' && value !== null ? (value as AcmeFrame) : undefined;
  } catch {
    return undefined;
  }
}

/** One element to one record. What it cannot read is diverted as it came, and its neighbours pass. */
const normalise: Normalise = (element) => {
  const [symbol, ts, id, price, size] = Array.isArray(element) ? element : [];
  if (typeof symbol !== 'string' || typeof ts !== 'number' || typeof id !== 'string') return new Unreadable('no trade');
  if (typeof price !== 'number' || typeof size !== 'number') return new Unreadable('a price or size is no number');
  return { kind: 'trade', vendor: 'acme', symbol, ts, id, price, size };
};

function acme({ url, key, ...stream }: AcmeConfig): Provider {
  const secrets = [key];
  return defineProvider(
    {
      name: 'acme',
      kinds: ['trade'],
      // Acme closes connections that send more.
      pacing: { messages: { windows: [{ limit: 5, perMs: 1_000 }] } },
      session: () => new AcmeSession(key),
      normalise,
      connect: webSocketConnect({ name: 'acme', url, secrets }),
      secrets,
    },
    stream,
  );
}

/** Acme on this machine: accepts one key, and sends 1,000 trades of each symbol, one of which cannot be read. */
function startFakeAcme(key: string) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) => {
    const say = (said: AcmeFrame) => socket.send(JSON.stringify(said));
    socket.on('message', (data) => {
      const { login, subscribe = [] } = JSON.parse(String(data));
      if (login) say(login.apiKey === key ? { hello: true } : { refused: 'unknown key' });
      if (subscribe.length === 0) return;
      say({ subscribed: subscribe });
      for (let n = 0; n < 1_000; n += 1) {
        const ts = 1_767_623_400_000 + n;
        say({ trades: subscribe.map((symbol: string) => [symbol, ts, String(n), n === 500 ? 'n/a' : 100 + n, 10]) });
      }
    });
  });
  return server;
}

const key = 'a-key-that-no-capture-has';
const server = startFakeAcme(key);
const folder = mkdtempSync(join(tmpdir(), 'sluice-example-'));
try {
  if (!server.address()) await new Promise((resolve) => server.once('listening', resolve));
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const request = { kinds: ['trade'], symbols: ['AAPL', 'MSFT'] } as const;

  const capture = captureFrames(folder);
  let unreadable = 0;
  const onRejected = () => {
    unreadable += 1;
  };
  const live = acme({ url, key, wrapConnect: capture.wrapConnect, onRejected });
  const trades = await lastValueFrom(live.stream(request).pipe(take(1_998), toArray()), { defaultValue: [] });
  await capture.close();
  const { frames, files } = capture.counts;
  console.log(`${trades.length} trades live, ${unreadable} elements unreadable; ${frames} frames in ${files} file`);

  const replay = replayFrames(folder, { speed: 'max' });
  const replayed = acme({ url, key: 'unused', ...replay.config }).stream(request);
  const again = await lastValueFrom(replayed.pipe(toArray()), { defaultValue: [] });
  const isSame = isDeepStrictEqual(again, trades);
  console.log(`${again.length} trades replayed, ${isSame ? 'the same' : 'OTHERS'}`);
  if (!isSame) process.exitCode = 1;

  const wrong = acme({ url, key: 'wrong' }).stream(request);
  await lastValueFrom(wrong, { defaultValue: undefined }).catch((error: unknown) => console.log(String(error)));
} finally {
  server.close();
  rmSync(folder, { recursive: true });
}
