import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../primitives/messageOf.js';
import { printableLines } from '../primitives/printable.js';
import { redactText } from '../primitives/redact.js';
import { Connections } from './connections.js';
import { TelemetryError } from './telemetryError.js';

/** What a page answers. */
export interface PageAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** As much of a request as a page may look at: it is a `GET` or a `HEAD`, and its body is not read. */
export interface PageRequest {
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** Makes the answer to one request. What it throws is answered with the status 500 and the message, without secrets. */
export type Page = (request: PageRequest) => PageAnswer | Promise<PageAnswer>;

export interface ServePagesConfig {
  readonly port: number;
  readonly host: string;
  /** The pages by their exact path, such as `/metrics`. */
  readonly pages: Readonly<Record<string, Page>>;
}

/** A server of telemetry that listens. */
export interface PageServer {
  readonly host: string;
  readonly port: number;
  /** Where it answers, such as `http://127.0.0.1:9000`. */
  readonly url: string;
  /** Stops listening, and ends open connections once they are answered. */
  close(): Promise<void>;
}

/** Far more than a scraper needs, and too little to do harm. */
const LIMITS = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
};
/** Beyond this many, the one that has been of no use for longest makes room: a probe always finds a place. */
const MAX_CONNECTIONS = 64;

/** How long an answer in progress may take when the server is closed. */
const CLOSE_MS = 1_000;

/**
 * A small HTTP server for pages that are read: it answers `GET` and `HEAD`, keeps requests small and connections few, and shows no answer to
 * pages of other origins. Rejects with a {@link TelemetryError} if it cannot listen.
 */
export async function servePages({ port, host, pages }: ServePagesConfig): Promise<PageServer> {
  const answer = async ({ url = '', method, headers }: IncomingMessage): Promise<PageAnswer> => {
    const [path = '', query] = url.split('?', 2);
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (!page) return text(404, `Not found. Pages: ${Object.keys(pages).join(', ')}`);
    if (method !== 'GET' && method !== 'HEAD') return text(405, 'Method not allowed. Use GET or HEAD.');
    try {
      return await page({ query: new URLSearchParams(query), headers });
    } catch (error) {
      return text(500, redactText(messageOf(error)));
    }
  };

  const connections = new Connections(MAX_CONNECTIONS);
  let inProgress = 0;
  let onIdle: (() => void) | undefined;
  const server = createServer(LIMITS, async (request, response) => {
    const { socket } = request;
    inProgress += 1;
    connections.began(socket);
    response.once('close', () => {
      inProgress -= 1;
      connections.answered(socket);
      if (inProgress === 0) onIdle?.();
    });
    const given = await answer(request);
    try {
      send(request, response, given);
    } catch (error) {
      // A page may answer with what cannot be sent: no answer at all, or a header with a line break.
      send(request, response, text(500, redactText(messageOf(error))));
    }
  });
  server.on('connection', (socket) => connections.add(socket));
  try {
    await once(server.listen({ host, port }), 'listening');
  } catch (cause) {
    throw listenError(cause as NodeJS.ErrnoException, host, port);
  }
  // A connection that cannot be accepted is the client's problem, and must not end the pipeline.
  server.on('error', () => {});
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
        // Idle connections that wait for a next request would keep the server open for as long as they like.
        if (inProgress === 0) end();
        else onIdle = end;
      });
      return closed;
    },
  };
}

export function json(status: number, value: unknown): PageAnswer {
  return { status, contentType: 'application/json; charset=utf-8', body: `${printableLines(JSON.stringify(value))}\n` };
}

function text(status: number, body: string): PageAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${printableLines(body)}\n` };
}

function send(request: IncomingMessage, response: ServerResponse, { status, contentType, body }: PageAnswer): void {
  if (status === 405) response.setHeader('allow', 'GET, HEAD');
  // A body is not read, so whatever follows it on this connection cannot be told apart from it.
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

const NO_ADDRESS = 'this machine has no such address: use 127.0.0.1, or 0.0.0.0 for all of its addresses';
const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: 'ports below 1024 need root: choose a higher one',
  EADDRNOTAVAIL: NO_ADDRESS,
  ENOTFOUND: NO_ADDRESS,
};

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): TelemetryError {
  if (cause.code === 'EADDRINUSE') {
    const remedy = 'set MDS_METRICS_PORT or the option port to a free port (0 picks one)';
    const message = `port ${port} of ${host} is in use by another program: ${remedy}`;
    return new TelemetryError('SLUICE_TELEMETRY_PORT_IN_USE', message, { cause });
  }
  const remedy = REMEDIES[cause.code ?? ''] ?? cause.message;
  return new TelemetryError('SLUICE_TELEMETRY_LISTEN_FAILED', `cannot listen on ${host}:${port}: ${remedy}`, { cause });
}
