import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { Folder } from '../../test/support/folder.js';
import type { Connection } from './provider.js';
import type { ProviderError } from './providerErrors.js';
import type { Frame } from './session.js';
import { type WebSocketConnectConfig, webSocketConnect } from './webSocketConnect.js';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const releases: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

/** A server on loopback; `onSocket` plays the vendor. */
async function serve(onSocket: (socket: WebSocket, request: { headers: object }) => void): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  releases.push(() => {
    for (const client of server.clients) client.terminate();
    return new Promise((resolve) => server.close(resolve));
  });
  server.on('connection', onSocket);
  await new Promise((resolve) => server.once('listening', resolve));
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/feed?key=s3cret`;
}

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket));
  releases.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

interface Seen {
  readonly connection: Connection;
  readonly frames: Frame[];
  /** Waits for something to be told. */
  readonly told: (what: 'opened' | 'frame' | 'alive') => Promise<void>;
  readonly closed: Promise<ProviderError>;
}

function open(url: string, config: Partial<WebSocketConnectConfig> = {}): Seen {
  const frames: Frame[] = [];
  const waiting = new Map<string, () => void>();
  const happened = new Set<string>();
  const tell = (what: string) => {
    happened.add(what);
    waiting.get(what)?.();
  };
  let close: (error: ProviderError) => void = () => {};
  const closed = new Promise<ProviderError>((resolve) => {
    close = resolve;
  });
  const connect = webSocketConnect({ name: 'toy', url, secrets: ['s3cret'], ...config });
  const connection = connect({
    opened: () => tell('opened'),
    frame(frame) {
      frames.push(frame);
      tell('frame');
    },
    alive: () => tell('alive'),
    closed: (error) => close(error as ProviderError),
  });
  releases.push(() => connection.close());
  const told = (what: string) =>
    happened.has(what) ? Promise.resolve() : new Promise<void>((resolve) => waiting.set(what, resolve));
  return { connection, frames, told, closed };
}

describe('a connection', () => {
  it('takes text as strings and binary messages as bytes, and sends both', async () => {
    const got: unknown[] = [];
    const url = await serve((socket) => {
      socket.on('message', (data: Buffer, isBinary) => {
        got.push(isBinary ? [...data] : data.toString());
        if (got.length === 2) {
          socket.send('héllo');
          socket.send(Buffer.from([1, 2]));
          socket.close(1001, 'bye');
        }
      });
    });
    const { connection, frames, told, closed } = open(url);
    await told('opened');
    connection.send('hi');
    connection.send(new Uint8Array([7]));
    await closed;
    expect(got).toEqual(['hi', [7]]);
    expect(frames[0]).toBe('héllo');
    expect([...(frames[1] as Uint8Array)]).toEqual([1, 2]);
  });

  it('is alive by pings of either side', async () => {
    const url = await serve((socket) => socket.ping());
    const pinged = open(url);
    await pinged.told('alive');
    const quiet = open(await serve(() => {}));
    await quiet.told('opened');
    quiet.connection.ping?.();
    await quiet.told('alive');
  });

  it('sends the headers and the subprotocols of its config', async () => {
    const headers = new Promise<object>((resolve) => {
      void serve((_, request) => resolve(request.headers)).then((url) =>
        open(url, { headers: { authorization: 'Bearer s3cret' }, protocols: ['v1'] }),
      );
    });
    expect(await headers).toMatchObject({ authorization: 'Bearer s3cret', 'sec-websocket-protocol': 'v1' });
  });

  it('tells nothing after close(), whatever the other side does', async () => {
    const url = await serve((socket) => socket.send('late'));
    const { connection, frames, closed } = open(url);
    connection.close();
    connection.close();
    let told: unknown;
    void closed.then((error) => {
      told = error;
    });
    const other = open(url);
    await other.told('frame');
    expect([frames, told]).toEqual([[], undefined]);
  });
});

describe('the end of a connection says why:', () => {
  const messageOf = async (url: string, config?: Partial<WebSocketConnectConfig>) => {
    const error = await open(url, config).closed;
    expect(`${error.message} ${JSON.stringify(error.cause)} ${error.stack}`).not.toContain('s3cret');
    return error;
  };

  it('nobody listens', async () => {
    const port = await listen(createTcpServer());
    await releases.pop()?.();
    const error = await messageOf(`ws://127.0.0.1:${port}/?key=s3cret`);
    expect(error).toMatchObject({ code: 'SLUICE_CONNECTION_LOST', retryable: true });
    expect(error.message).toBe(`toy: could not connect to 127.0.0.1:${port}: connection refused (ECONNREFUSED)`);
  });

  it.each([
    ['words that are cut', 404, `${'x'.repeat(197)}s3cret`],
    ['words of a failure that are cut', 500, `${'x'.repeat(297)}s3cret`],
    [
      'a refusal that is not read to its end',
      500,
      ['<i ', 'x'.repeat(900), '><i ', 'x'.repeat(900), '>', ' '.repeat(237), 's3cret', ' '.repeat(9_000)].join(''),
    ],
  ])('the handshake is refused with the key in %s', async (_, status, body) => {
    const port = await listen(
      createTcpServer((socket) => {
        socket.on('error', () => {});
        // In two parts: the first has what is read, and ends within the key.
        socket.write(`HTTP/1.1 ${status} No\r\ncontent-length: ${body.length}\r\n\r\n`);
        const cut = Math.min(body.length, body.indexOf('s3cret') + 3);
        socket.write(body.slice(0, cut));
        if (body.length < 2_048) socket.end(body.slice(cut));
      }),
    );
    const { message } = await messageOf(`ws://127.0.0.1:${port}/`);
    expect(message).toContain(`was answered with HTTP ${status}`);
    expect(message).not.toContain('s3c');
  });

  it('no such host', async () => {
    const error = await messageOf('ws://sluice.invalid/?key=s3cret');
    expect(error.message).toMatch(/^toy: could not connect to sluice\.invalid: (no such host|the name of the host)/);
  });

  it('the server does not speak TLS', async () => {
    const port = await listen(createTcpServer((socket) => socket.end('hello\n').on('error', () => {})));
    expect((await messageOf(`wss://127.0.0.1:${port}/`)).message).toMatch(/does not speak TLS|reset the connection/);
  });

  it.skipIf(!hasOpenssl)('a certificate that nobody vouches for', async () => {
    const folder = new Folder();
    releases.push(() => folder.remove());
    const [key, cert] = [folder.path('key.pem'), folder.path('cert.pem')];
    const made = spawnSync('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
      ...['-keyout', key, '-out', cert],
    ]);
    expect(made.status).toBe(0);
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => socket.destroy());
    const error = await messageOf(`wss://127.0.0.1:${await listen(server)}/?key=s3cret`);
    expect(error.message).toMatch(/^toy: the certificate of 127\.0\.0\.1:\d+ is not valid: /);
  });

  it.each([
    [401, 'BadCredentials', false, undefined],
    [403, 'NotEntitled', false, undefined],
    [429, 'PacingViolation', true, 7_000],
    [451, 'NotEntitled', false, undefined],
    [404, 'ConnectionLost', true, undefined],
    [503, 'ConnectionLost', true, 7_000],
  ])('the handshake is answered with HTTP %i', async (status, name, retryable, retryAfterMs) => {
    const server = createServer().on('upgrade', (_, socket) => {
      const body = '{"error":"no, not with s3cret"}';
      socket.end(`HTTP/1.1 ${status} No\r\nRetry-After: 7\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
    const error = await messageOf(`ws://127.0.0.1:${await listen(server)}/`);
    expect({ ...error, message: error.message }).toMatchObject({ name, retryable, retryAfterMs });
    expect(error.message).toContain(`HTTP ${status}`);
    expect(error.message).toContain('no, not with ***');
  });

  it('the handshake is not answered', async () => {
    const port = await listen(createTcpServer((socket) => socket.on('error', () => {})));
    const error = await messageOf(`ws://127.0.0.1:${port}/`, { handshakeTimeoutMs: 20 });
    expect(error.message).toContain('Opening handshake has timed out');
  });

  it.each<[string, (socket: WebSocket) => void, string]>([
    [
      'a close code',
      (socket) => socket.close(1008, 'limit of s3cret'),
      'with code 1008 (policy violation): limit of ***',
    ],
    ['no close frame', (socket) => socket.terminate(), 'dropped the connection without a close frame'],
    ['a code of the vendor', (socket) => socket.close(4001), 'closed the connection with code 4001'],
    [
      'a message that is too large',
      (socket) => socket.send('x'.repeat(2_000)),
      'larger than maxFrameBytes, 1000 bytes',
    ],
    ['text that is not UTF-8', (socket) => socket.send(Buffer.from([0xff, 0xfe]), { binary: false }), 'not UTF-8'],
  ])('%s', async (_, act, words) => {
    const url = await serve(act);
    const error = await messageOf(url, { maxFrameBytes: 1_000 });
    expect(error).toMatchObject({ code: 'SLUICE_CONNECTION_LOST', provider: 'toy' });
    expect(error.message).toContain(words);
  });

  it('the server has too many clients', async () => {
    const error = await messageOf(await serve((socket) => socket.close(1013)));
    expect(error).toMatchObject({ code: 'SLUICE_PACING_VIOLATION', retryAfterMs: 60_000 });
  });
});

describe('a config that is wrong', () => {
  it.each(['http://x', 'nonsense', 'ws://x/#part'])('an address like %s', (url) => {
    expect(() => webSocketConnect({ name: 'toy', url })).toThrow(RangeError);
  });

  it('quotes no secret', () => {
    expect(() => webSocketConnect({ name: 'toy', url: 'http://x/s3cret', secrets: ['s3cret'] })).toThrow(
      '"http://x/***"',
    );
  });
});
