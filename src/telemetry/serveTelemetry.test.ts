import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Gate } from '../flow/gate.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { pipelineTelemetry } from './pipelineTelemetry.js';
import type { DeadLetterCounts } from './pipelineView.js';
import type { PageServer } from './servePages.js';
import { type ServeTelemetryConfig, serveTelemetry } from './serveTelemetry.js';
import { isTelemetryError, type TelemetryError } from './telemetryError.js';

const letters = (count: number) => ({ letters: count, items: count });

const deadLetters = (holding: object | undefined): DeadLetterCounts => ({
  holding,
  stats: () => ({ open: letters(3), parked: letters(0), appended: letters(3), replayed: letters(0), quarantined: 0 }),
});

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function serve(config: ServeTelemetryConfig = {}) {
  const telemetry = pipelineTelemetry();
  ends.push(() => telemetry.close());
  const server = await serveTelemetry(telemetry, { port: 0, ...config });
  ends.push(() => server.close());
  return { telemetry, server };
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** Without an agent: a connection a request. */
function ask(
  server: PageServer,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string; agent?: Agent } = {},
) {
  const { method = 'GET', headers = {}, body, agent = false } = options;
  return new Promise<Reply>((resolve, reject) => {
    const sent = request({ host: server.host, port: server.port, path, method, headers, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** What the server answers to these bytes before it ends the connection. */
async function raw(server: PageServer, bytes: string): Promise<string> {
  const socket = connect(server.port, server.host);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {});
  socket.write(bytes);
  await once(socket, 'close');
  return text;
}

describe('/metrics', () => {
  it('is text for those who do not say, and OpenMetrics for those who ask for it', async () => {
    const { server } = await serve();
    const text = await ask(server, '/metrics');
    expect(text.status).toBe(200);
    expect(text.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text.body).toContain('# TYPE mds_coord_items_submitted_total counter');
    expect(text.body).not.toContain('# EOF');

    const open = await ask(server, '/metrics', {
      headers: { accept: 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5' },
    });
    expect(open.headers['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(open.body).toContain('# TYPE mds_coord_items_submitted counter');
    expect(open.body.endsWith('\n# EOF\n')).toBe(true);
    expect(open.headers.vary).toBe('accept');

    // The one has not changed the other.
    expect((await ask(server, '/metrics?x=1')).body).toContain('# TYPE mds_coord_items_submitted_total counter');
  });

  it('says what went wrong where a number cannot be read, without its secrets', async () => {
    const { server, telemetry } = await serve();
    const broken: DeadLetterCounts = {
      holding: undefined,
      stats() {
        throw new Error('cannot read postgres://me:hunter2@db');
      },
    };
    telemetry.bind(new PipelineMonitor(), { deadLetters: broken });
    expect(await ask(server, '/metrics')).toMatchObject({
      status: 500,
      body: 'cannot read postgres://me:***@db\n',
    });
    expect((await ask(server, '/healthz')).status).toBe(200);
  });
});

describe('/healthz', () => {
  it('says that the program is alive, since when, and how late its event loop is', async () => {
    const clock = { now: 5_000 };
    const { server } = await serve({ now: () => clock.now });
    clock.now = 7_500;
    const { status, headers, body } = await ask(server, '/healthz');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(body)).toEqual({
      status: 'alive',
      uptimeSeconds: 2.5,
      eventLoopDelaySeconds: { mean: expect.any(Number), p99: expect.any(Number), max: expect.any(Number) },
    });
  });
});

describe('/readyz', () => {
  it('is 200 while nothing is in the way', async () => {
    const { server, telemetry } = await serve({ sinkCheck: async () => {} });
    telemetry.bind(new PipelineMonitor(), { deadLetters: deadLetters(undefined) });
    const { status, body } = await ask(server, '/readyz');
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({
      ready: true,
      checks: ['sink', 'draining', 'breaker', 'deadLetters'].map((name) => ({ name, ok: true })),
      feeds: [],
    });
  });

  it('is 503 with everything that is in the way', async () => {
    const { server, telemetry } = await serve({
      sinkCheck: () => Promise.reject(new Error('connect ECONNREFUSED; was postgres://me:hunter2@db')),
    });
    const monitor = new PipelineMonitor();
    telemetry.bind(monitor, {
      pipeline: 'bars',
      deadLetters: deadLetters({ sinceMs: 5 }),
    });
    const writer = monitor.register({ kind: 'writeTo', name: 'bars', role: 'writer' }).stage;
    writer.observer?.guarded?.(writer, { state: 'open', onChange: () => () => {} });
    telemetry.draining();
    const { status, body } = await ask(server, '/readyz');
    expect(status).toBe(503);
    expect(JSON.parse(body)).toEqual({
      ready: false,
      checks: [
        { name: 'sink', ok: false, reason: 'connect ECONNREFUSED; was postgres://me:***@db' },
        { name: 'draining', ok: false, reason: 'the program is draining' },
        { name: 'breaker', ok: false, reason: 'open: bars' },
        { name: 'deadLetters', ok: false, reason: 'cannot be stored: bars' },
      ],
      feeds: [],
    });
  });

  it('asks the sink once for all who ask at the same time, and again when the answer is old', async () => {
    const clock = { now: 0 };
    let asked = 0;
    const answers: (() => void)[] = [];
    const { server } = await serve({
      now: () => clock.now,
      sinkCheckCacheMs: 100,
      sinkCheck: () => {
        asked += 1;
        return new Promise<void>((resolve) => answers.push(resolve));
      },
    });
    const both = [ask(server, '/readyz'), ask(server, '/readyz')];
    while (answers.length === 0) await new Promise((resolve) => setImmediate(resolve));
    // Both are there: a third request is answered behind them.
    await ask(server, '/healthz');
    answers[0]?.();
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200]);
    clock.now = 99;
    expect((await ask(server, '/readyz')).status).toBe(200);
    expect(asked).toBe(1);
    clock.now = 100;
    const again = ask(server, '/readyz');
    while (answers.length === 1) await new Promise((resolve) => setImmediate(resolve));
    answers[1]?.();
    expect((await again).status).toBe(200);
    expect(asked).toBe(2);
  });

  it('does not wait for a sink that does not answer, and tells it to stop', async () => {
    let signal: AbortSignal | undefined;
    const { server } = await serve({
      sinkCheckTimeoutMs: 5,
      sinkCheck: (given) => {
        signal = given;
        return new Promise(() => {});
      },
    });
    const { status, body } = await ask(server, '/readyz');
    expect(status).toBe(503);
    expect(JSON.parse(body).checks[0]).toEqual({ name: 'sink', ok: false, reason: 'no answer within 5 ms' });
    expect(signal?.aborted).toBe(true);
  });

  it('takes a check that throws for one that fails', async () => {
    const { server } = await serve({
      sinkCheck: () => {
        throw new TypeError('x'.repeat(1_000));
      },
    });
    const { status, body } = await ask(server, '/readyz');
    expect(status).toBe(503);
    expect(JSON.parse(body).checks[0]).toEqual({ name: 'sink', ok: false, reason: `${'x'.repeat(199)}…` });
  });
});

describe('/topology', () => {
  it('shows stages, edges, gates and counts of every pipeline', async () => {
    const { server, telemetry } = await serve();
    const monitor = new PipelineMonitor();
    const gate = new Gate('closed');
    const writer = monitor.register({
      kind: 'writeTo',
      name: 'w',
      role: 'writer',
      gate,
      group: 'bars',
      worker: 1,
    }).stage;
    const lanes = monitor.register({ kind: 'lanes' }).stage;
    monitor.register({ kind: 'lane', name: 'lanes[0]', feeds: writer, branchOf: lanes, gate });
    const source = monitor.register({ kind: 'src', role: 'source', feeds: lanes });
    const outside = new PipelineMonitor().register({ kind: 'outside' }).stage;
    monitor.register({ kind: 'stray', feeds: outside }).drop('late', 2);
    source.out = 5;
    telemetry.bind(monitor, { pipeline: 'bars' });
    const { body } = await ask(server, '/topology');
    const [pipeline] = JSON.parse(body).pipelines;
    expect(pipeline.pipeline).toBe('bars');
    expect(pipeline.account).toMatchObject({ received: 5, written: 0 });
    expect(pipeline.stages.map(({ id }: { id: string }) => id)).toEqual(['stray', 'src', 'lanes[0]', 'lanes', 'w']);
    expect(pipeline.stages[0]).toMatchObject({ kind: 'stray', gate: null, closedSeconds: null, dropped: { late: 2 } });
    expect(pipeline.stages[1]).toMatchObject({ role: 'source', out: 5, isLive: true, group: null, worker: null });
    expect(pipeline.stages[2]).toMatchObject({ gate: 'closed', closedSeconds: null });
    expect(pipeline.stages[4]).toMatchObject({
      group: 'bars',
      worker: 1,
      gate: 'closed',
      closedSeconds: expect.any(Number),
    });
    expect(pipeline.edges).toEqual([
      { from: 'src', to: 'lanes', carries: 'items' },
      { from: 'lanes', to: 'lanes[0]', carries: 'items' },
      { from: 'lanes[0]', to: 'w', carries: 'items' },
    ]);
  });
});

describe('a page of the program', () => {
  it('is served beside those of telemetry, by the same rules', async () => {
    const { server } = await serve({
      pages: {
        '/version': ({ query, headers }) => ({
          status: 200,
          contentType: 'text/plain; charset=utf-8',
          body: `1.2.3 ${query.get('x')} ${headers.accept}`,
        }),
        '/broken': () => {
          throw new Error('no password=hunter2 here');
        },
      },
    });
    const reply = await ask(server, '/version?x=1', { headers: { accept: 'text/plain' } });
    expect(reply).toMatchObject({ status: 200, body: '1.2.3 1 text/plain' });
    expect(reply.headers['cache-control']).toBe('no-store');
    expect((await ask(server, '/version', { method: 'POST' })).status).toBe(405);
    const broken = await ask(server, '/broken');
    expect(broken.status).toBe(500);
    expect(broken.body).not.toContain('hunter2');
    expect((await ask(server, '/metrics')).status).toBe(200);
  });

  it.each<[string, unknown]>([
    ['no answer', undefined],
    ['a body that is no text', { status: 200, contentType: 'text/plain' }],
    ['a header with a line break', { status: 200, contentType: 'text/plain\nx: y', body: '' }],
  ])('that gives %s is a 500 rather than the end of the program', async (_, answer) => {
    const { server } = await serve({ pages: { '/broken': () => answer as never } });
    expect((await ask(server, '/broken')).status).toBe(500);
    expect((await ask(server, '/healthz')).status).toBe(200);
  });
});

describe('the server', () => {
  it('answers HEAD as GET, without the body', async () => {
    const { server } = await serve();
    for (const path of ['/metrics', '/healthz', '/readyz', '/topology']) {
      const head = await ask(server, path, { method: 'HEAD' });
      expect(head).toMatchObject({ status: 200, body: '' });
      expect(Number(head.headers['content-length'])).toBeGreaterThan(10);
    }
  });

  it('knows no other methods', async () => {
    const { server } = await serve();
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const reply = await ask(server, '/metrics', { method, body: method === 'POST' ? 'a=1' : '' });
      expect(reply.status).toBe(405);
      expect(reply.headers.allow).toBe('GET, HEAD');
    }
  });

  it.each([
    '/',
    '/metrics/',
    '/metrics/..',
    '/Metrics',
    '//metrics',
    '/constructor',
    '/%2e%2e/etc/passwd',
    '/favicon.ico',
  ])('has nothing at %s', async (path) => {
    const { server } = await serve();
    const reply = await ask(server, path);
    expect(reply).toMatchObject({ status: 404, body: 'Not found. Pages: /metrics, /healthz, /readyz, /topology\n' });
  });

  it('lets no page of another origin read it', async () => {
    const { server } = await serve();
    const { headers } = await ask(server, '/metrics', { headers: { origin: 'https://example.org' } });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });

  it('refuses headers that are too long', async () => {
    const { server } = await serve();
    expect(await raw(server, `GET /metrics HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(9_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431 /,
    );
  });

  it('ends the connection of a request with a body, which it does not read', async () => {
    const { server } = await serve();
    const reply = await raw(server, 'GET /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n');
    expect(reply).toMatch(/^HTTP\/1.1 200 /);
    expect(reply).toMatch(/connection: close/i);
  });

  it('listens on this machine only by default', async () => {
    const { server } = await serve();
    expect(server.host).toBe('127.0.0.1');
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    expect(await fetch(`${server.url}/healthz`)).toMatchObject({ status: 200 });
  });

  it('says what to do about a port that is taken', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    ends.push(() => other.close());
    const { port } = other.address() as { port: number };
    const error = await serve({ port }).catch((thrown: unknown) => thrown);
    expect(isTelemetryError(error)).toBe(true);
    expect(error).toMatchObject({ code: 'SLUICE_TELEMETRY_PORT_IN_USE', cause: { code: 'EADDRINUSE' } });
    expect((error as TelemetryError).message).toBe(
      `port ${port} of 127.0.0.1 is in use by another program: set MDS_METRICS_PORT or the option port to a free port (0 picks one)`,
    );
  });

  it('says what to do about an address that is not of this machine', async () => {
    await expect(serve({ host: '192.0.2.1' })).rejects.toMatchObject({
      code: 'SLUICE_TELEMETRY_LISTEN_FAILED',
      message: expect.stringContaining('this machine has no such address'),
    });
  });

  it('closes immediately when it is idle, and frees its port', async () => {
    const { server } = await serve();
    const idle = connect(server.port, server.host);
    await once(idle, 'connect');
    const gone = once(idle, 'close');
    // The time that connections may take at most never comes here.
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    ends.push(() => vi.useRealTimers());
    await server.close();
    await server.close();
    await gone;
    await expect(ask(server, '/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const next = await serve({ port: server.port });
    expect(next.server.port).toBe(server.port);
  });

  it('finishes what it is answering before it closes', async () => {
    let answer: (() => void) | undefined;
    const { server } = await serve({
      sinkCheck: () =>
        new Promise<void>((resolve) => {
          answer = resolve;
        }),
    });
    const agent = new Agent({ keepAlive: true });
    ends.push(() => agent.destroy());
    const reply = ask(server, '/readyz', { agent });
    while (!answer) await new Promise((resolve) => setImmediate(resolve));
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    ends.push(() => vi.useRealTimers());
    const closed = server.close();
    answer();
    expect((await reply).status).toBe(200);
    // The connection would be kept, for a request that does not come.
    await closed;
  });

  it.each([
    [{ port: -1 }, /port must be an integer from 0 to 65535, got -1/],
    [{ port: 70_000 }, /port/],
    [{ host: '' }, /host must be a string that is not empty/],
    [{ sinkCheckTimeoutMs: 0 }, /sinkCheckTimeoutMs/],
    [{ sinkCheckCacheMs: -1 }, /sinkCheckCacheMs/],
    [{ prot: 1 }, /unknown option "prot"/],
    [{ pages: { '/metrics': () => ({}) } }, /a path must be one that begins with "\/", other than .*, got "\/metrics"/],
    [{ pages: { version: () => ({}) } }, /got "version"/],
    [{ pages: { '/version': '1.0' } }, /pages: \/version must be a function/],
  ])('refuses %j', async (config, message) => {
    await expect(serve(config as ServeTelemetryConfig)).rejects.toThrow(message);
  });
});
