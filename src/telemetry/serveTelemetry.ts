import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { redactText } from '../primitives/redact.js';
import {
  requireDuration,
  requireFunction,
  requireInteger,
  requireKnownOptions,
  requireText,
} from '../primitives/validate.js';
import { negotiate } from './negotiate.js';
import type { PipelineTelemetry } from './pipelineTelemetry.js';
import { Readiness, type SinkCheck } from './readiness.js';
import { TelemetryError } from './telemetryError.js';

export interface ServeTelemetryConfig {
  /** The port, from 0 to 65,535; 0 for any that is free. Default 9000. */
  readonly port?: number;
  /** The address to listen on. Default `127.0.0.1`, which only this machine reaches; `0.0.0.0` for every network. */
  readonly host?: string;
  /** Whether the sink can be reached: resolves if so. Default: nobody is asked. */
  readonly sinkCheck?: SinkCheck;
  /** How long `sinkCheck` may take, in milliseconds, more than 0. Default 2,000. */
  readonly sinkCheckTimeoutMs?: number;
  /** How long an answer of `sinkCheck` holds, in milliseconds, 0 or more. Default 5,000. */
  readonly sinkCheckCacheMs?: number;
  /** The clock, in milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

export interface TelemetryServer {
  readonly host: string;
  readonly port: number;
  /** Where it answers: `http://127.0.0.1:9000`. */
  readonly url: string;
  /** Stops listening, and ends the connections there are once they are answered. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const OPTIONS = ['port', 'host', 'sinkCheck', 'sinkCheckTimeoutMs', 'sinkCheckCacheMs', 'now'];

/** Far more than a scraper needs, and less than would do harm. */
const LIMITS = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
};
const MAX_CONNECTIONS = 64;

/** How long an answer that is under way may take when the server is closed. */
const CLOSE_MS = 1_000;

/**
 * A small HTTP server for those who watch a program: `/metrics` for Prometheus, `/healthz` (it is alive), `/readyz` (it can
 * take work; 503 and the reason, if not), `/topology` (stages, edges, gates and counts).
 *
 * It answers `GET` and `HEAD`, to anybody who reaches the port: it listens on this machine alone unless told otherwise.
 * The promise rejects with a {@link TelemetryError} if it cannot listen.
 *
 * @example
 * ```ts
 * import { PipelineMonitor, pipelineTelemetry, serveTelemetry } from 'sluice';
 *
 * const telemetry = pipelineTelemetry();
 * telemetry.bind(new PipelineMonitor({ observer: telemetry.observer }));
 * const server = await serveTelemetry(telemetry, { port: 0 });
 * console.log((await fetch(`${server.url}/healthz`)).status);
 * await server.close();
 * telemetry.close();
 * ```
 */
export async function serveTelemetry(
  telemetry: PipelineTelemetry,
  config: ServeTelemetryConfig = {},
): Promise<TelemetryServer> {
  const owner = 'serveTelemetry';
  requireKnownOptions(owner, config, OPTIONS);
  const port = requireInteger(owner, 'port', config.port ?? 9_000, 0, 65_535);
  const host = requireText(owner, 'host', config.host ?? '127.0.0.1');
  const now = requireFunction(owner, 'now', config.now ?? Date.now);
  const readiness = new Readiness({
    check: config.sinkCheck && requireFunction(owner, 'sinkCheck', config.sinkCheck),
    timeoutMs: requireDuration(owner, 'sinkCheckTimeoutMs', config.sinkCheckTimeoutMs ?? 2_000, 1),
    cacheMs: requireDuration(owner, 'sinkCheckCacheMs', config.sinkCheckCacheMs ?? 5_000),
    now,
  });
  const startedAt = now();

  const pages: Readonly<Record<string, (request: IncomingMessage) => Promise<Answer>>> = {
    async '/metrics'({ headers }) {
      return { status: 200, ...(await telemetry.metrics(negotiate(headers.accept))) };
    },
    async '/healthz'() {
      const uptimeSeconds = Math.max(0, now() - startedAt) / 1_000;
      return json(200, { status: 'alive', uptimeSeconds, eventLoopDelaySeconds: telemetry.eventLoopDelay() });
    },
    async '/readyz'() {
      const report = await readiness.report(telemetry.obstacles());
      return json(report.ready ? 200 : 503, report);
    },
    async '/topology'() {
      return json(200, { pipelines: telemetry.topology() });
    },
  };

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (!page) return text(404, `There is ${Object.keys(pages).join(', ')}.`);
    if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'GET or HEAD.');
    try {
      return await page(request);
    } catch (error) {
      return text(500, redactText(error instanceof Error ? error.message : String(error)));
    }
  };

  let underWay = 0;
  let onIdle: (() => void) | undefined;
  const server = createServer(LIMITS, async (request, response) => {
    underWay += 1;
    response.once('close', () => {
      underWay -= 1;
      if (underWay === 0) onIdle?.();
    });
    send(request, response, await answer(request));
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, host, port);
  const bound = (server.address() as AddressInfo).port;
  let closed: Promise<void> | undefined;
  return {
    host,
    port: bound,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close() {
      closed ??= new Promise((resolve) => {
        const end = () => server.closeAllConnections();
        const force = setTimeout(end, CLOSE_MS);
        server.close(() => {
          clearTimeout(force);
          resolve();
        });
        // Connections that wait for a next request would keep it open for as long as they like.
        if (underWay === 0) end();
        else onIdle = end;
      });
      return closed;
    },
  };
}

function json(status: number, value: unknown): Answer {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` };
}

function text(status: number, body: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${body}\n` };
}

function send(request: IncomingMessage, response: ServerResponse, { status, contentType, body }: Answer): void {
  if (status === 405) response.setHeader('allow', 'GET, HEAD');
  // A body is not read: what follows on such a connection could not be told from it.
  const { headers } = request;
  if (headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0') {
    response.setHeader('connection', 'close');
  }
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    vary: 'accept',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(explain(cause, host, port)));
    server.listen({ host, port }, () => {
      server.removeAllListeners('error');
      // A connection that could not be accepted is the client's trouble, and must not end the pipeline.
      server.on('error', () => {});
      resolve();
    });
  });
}

function explain(cause: NodeJS.ErrnoException, host: string, port: number): TelemetryError {
  if (cause.code === 'EADDRINUSE') {
    return new TelemetryError(
      'SLUICE_TELEMETRY_PORT_IN_USE',
      `port ${port} of ${host} is in use by another program: set MDS_METRICS_PORT, or the option port, to a free one (0 takes any)`,
      { cause },
    );
  }
  const remedy =
    cause.code === 'EACCES'
      ? 'ports below 1024 are for root: take a higher one'
      : cause.code === 'EADDRNOTAVAIL' || cause.code === 'ENOTFOUND'
        ? 'this machine has no such address: take 127.0.0.1, or 0.0.0.0 for all of its own'
        : cause.message;
  return new TelemetryError('SLUICE_TELEMETRY_LISTEN_FAILED', `cannot listen on ${host}:${port}: ${remedy}`, { cause });
}
