import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type PageServer, servePages } from './servePages.js';

/** As many connections as the server keeps. */
const MAX = 64;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function serve(pages: Parameters<typeof servePages>[0]['pages'] = {}) {
  const healthz = () => ({ status: 200, contentType: 'text/plain', body: 'alive' });
  const server = await servePages({ host: '127.0.0.1', port: 0, pages: { '/healthz': healthz, ...pages } });
  ends.push(() => server.close());
  return server;
}

/** A client that sends these bytes and keeps its connection; `until` is resolved when it has received anything. */
async function client(server: PageServer, bytes = ''): Promise<{ socket: Socket; until: Promise<unknown> }> {
  const socket = connect(server.port, server.host);
  ends.push(() => socket.destroy());
  socket.on('error', () => {});
  const until = Promise.race([once(socket, 'data'), once(socket, 'close')]);
  until.catch(() => {});
  await once(socket, 'connect');
  socket.write(bytes);
  return { socket, until };
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;
const clients = (server: PageServer, bytes?: string) =>
  Promise.all(Array.from({ length: MAX }, () => client(server, bytes)));

async function probe(server: PageServer): Promise<number> {
  return (await fetch(`${server.url}/healthz`, { headers: { connection: 'close' } })).status;
}

describe('a probe is answered', () => {
  it('beside clients that keep their connection and ask for nothing more', async () => {
    const server = await serve();
    for (const { until } of await clients(server, get('/healthz'))) await until;
    for (let n = 0; n < 3; n++) expect(await probe(server)).toBe(200);
  });

  it('beside clients that never ask, or never finish their question', async () => {
    const server = await serve();
    await clients(server);
    expect(await probe(server)).toBe(200);
    await clients(server, 'GET /healthz HTTP/1.1\r\nhost:');
    expect(await probe(server)).toBe(200);
  });

  it('beside pages that never answer', async () => {
    let asked = 0;
    const hangs = () => {
      asked += 1;
      return new Promise<never>(() => {});
    };
    const server = await serve({ '/hangs': hangs });
    await clients(server, get('/hangs'));
    while (asked < MAX) await turn();
    expect(await probe(server)).toBe(200);
  });

  it('beside clients that do not read their answer', async () => {
    let asked = 0;
    const body = 'x'.repeat(1 << 20);
    const long = () => {
      asked += 1;
      return { status: 200, contentType: 'text/plain', body };
    };
    const server = await serve({ '/long': long });
    for (const { socket } of await clients(server)) socket.pause().write(get('/long').repeat(4));
    while (asked < MAX) await turn();
    expect(await probe(server)).toBe(200);
  });
});

describe('a connection makes room for another', () => {
  it('where nothing was asked for longest, rather than one that is being answered', async () => {
    let answer = () => {};
    const slow = () =>
      new Promise<{ status: number; contentType: string; body: string }>((resolve) => {
        answer = () => resolve({ status: 200, contentType: 'text/plain', body: 'slow' });
      });
    const server = await serve({ '/slow': slow });
    const busy = await client(server, get('/slow'));
    const idle = await client(server, get('/healthz'));
    await idle.until;
    const used = await client(server, get('/healthz'));
    await used.until;
    const others = await Promise.all(Array.from({ length: MAX - 3 }, () => client(server, get('/healthz'))));
    for (const { until } of others) await until;
    const gone = once(idle.socket, 'close');
    expect(await probe(server)).toBe(200);
    await gone;
    expect([busy, used, ...others].filter(({ socket }) => socket.closed)).toEqual([]);
    answer();
    expect(String(await busy.until)).toContain('slow');
  });
});
