import { type ClientRequest, type IncomingMessage, STATUS_CODES } from 'node:http';
import { WebSocket } from 'ws';
import { socketFailure } from '../failures/errno.js';
import { messageOf } from '../primitives/messageOf.js';
import {
  checked,
  duration,
  integer,
  listOf,
  type OptionsOf,
  readOptions,
  reject,
  text,
} from '../primitives/options.js';
import { httpFailure } from './httpFailure.js';
import type { Connect, ConnectionEvents } from './provider.js';
import { ConnectionLost, PacingViolation, type ProviderError } from './providerErrors.js';
import { maskCut, maskedStart, maskSecrets } from './stream/streamErrors.js';

export interface WebSocketConnectConfig {
  /** The provider, as errors name it. */
  readonly name: string;
  /** `wss://…`, or `ws://…` for a server of one's own. */
  readonly url: string;
  /** Of the handshake. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The subprotocols that are offered. Default: none. */
  readonly protocols?: readonly string[];
  /** The largest message that is taken, in bytes. Integer of at least 1, default 16 MiB. */
  readonly maxFrameBytes?: number;
  /** How long the handshake may be without progress, in milliseconds. At least 1, default 10,000. */
  readonly handshakeTimeoutMs?: number;
  /** What must not appear in an error. */
  readonly secrets?: readonly string[];
}

const HEADERS = checked('an object of strings', (value): value is object => {
  return typeof value === 'object' && value !== null && Object.values(value).every((one) => typeof one === 'string');
});

const OPTIONS = {
  name: text().required(),
  url: text().required(),
  headers: HEADERS,
  protocols: listOf(text()).default([]),
  maxFrameBytes: integer({ min: 1 }).default(16 * 1024 * 1024),
  handshakeTimeoutMs: duration({ min: 1 }).default(10_000),
  secrets: listOf(text()).default([]),
} satisfies OptionsOf<WebSocketConnectConfig>;

/** How long to stay away where a server asks that without saying how long. */
const COOLDOWN_MS = 60_000;

/** How much of a refusal is read. */
const MAX_REFUSAL = 2_048;

/**
 * The transport of a provider over a WebSocket: text messages arrive as strings, binary ones as bytes. Compression is off, because
 * it delays messages. The other side's pings are answered; they, and the pongs to ours, are signs of life.
 *
 * Each connection ends with one error that says why: the host cannot be reached, or its certificate is not valid; the handshake was
 * refused, with an HTTP status; the close code with the vendor's reason; a message that is larger than `maxFrameBytes`, or
 * text that is not UTF-8. Neither the headers nor what follows the path of the URL appear in it.
 */
export function webSocketConnect(config: WebSocketConnectConfig): Connect {
  const options = readOptions('webSocketConnect', config, OPTIONS);
  const url = URL.canParse(options.url) ? new URL(options.url) : undefined;
  if (!url || !/^wss?:$/.test(url.protocol) || url.hash !== '') {
    reject('webSocketConnect', 'url', 'a ws:// or wss:// address', maskSecrets(options.url, options.secrets));
  }
  const { name, headers, protocols, maxFrameBytes, handshakeTimeoutMs, secrets } = options;

  return (events) => {
    const socket = new WebSocket(url, [...protocols], {
      ...(headers && { headers: { ...headers } }),
      maxPayload: maxFrameBytes,
      handshakeTimeout: handshakeTimeoutMs,
      perMessageDeflate: false,
    });
    const about = { name, place: url.host, maxFrameBytes, secrets };
    const ending = new Ending(socket, events);
    socket.on('open', () => events.opened());
    socket.on('message', (data: Buffer, isBinary: boolean) => events.frame(isBinary ? data : data.toString()));
    socket.on('ping', () => events.alive());
    socket.on('pong', () => events.alive());
    socket.on('unexpected-response', (request: ClientRequest, response: IncomingMessage) => {
      readRefusal(response, (body, isCut) => {
        request.destroy();
        ending.with(refusalOf(response, isCut ? maskCut(body, secrets) : body, about));
      });
    });
    socket.on('error', (error) => ending.with(failureOf(error, about)));
    socket.on('close', (code: number, reason: Buffer) => ending.with(closingOf(code, reason.toString(), about)));
    return {
      send: (frame) => socket.send(frame),
      close: () => ending.release(),
      ping: () => {
        if (socket.readyState === WebSocket.OPEN) socket.ping();
      },
    };
  };
}

/** Ends a socket once, by either side. */
class Ending {
  readonly #socket: WebSocket;
  readonly #events: ConnectionEvents;
  #isOver = false;

  constructor(socket: WebSocket, events: ConnectionEvents) {
    this.#socket = socket;
    this.#events = events;
  }

  with(error: ProviderError): void {
    if (this.#isOver) return;
    this.release();
    this.#events.closed(error);
  }

  release(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket.removeAllListeners();
    // A socket that is terminated while it connects reports an error all the same.
    this.#socket.on('error', () => {});
    this.#socket.terminate();
  }
}

interface About {
  readonly name: string;
  readonly place: string;
  readonly maxFrameBytes: number;
  readonly secrets: readonly string[];
}

function readRefusal(response: IncomingMessage, onRead: (body: string, isCut: boolean) => void): void {
  let body = '';
  const done = (isCut: boolean) => {
    response.removeAllListeners();
    response.on('error', () => {});
    onRead(body, isCut);
  };
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    body += chunk;
    if (body.length >= MAX_REFUSAL) done(true);
  });
  response.on('end', () => done(false));
  response.on('close', () => done(true));
  response.on('error', () => done(true));
}

function refusalOf(response: IncomingMessage, body: string, { name, place, secrets }: About): ProviderError {
  const status = response.statusCode ?? 0;
  const what = `the WebSocket handshake with ${place}`;
  const answer = { status, statusText: STATUS_CODES[status], retryAfter: response.headers['retry-after'], body };
  if (status === 400 || status === 404 || status === 410 || status === 422) {
    const words = maskedStart(body.trim(), 200, secrets) || (STATUS_CODES[status] ?? '');
    return new ConnectionLost(name, `${what} was answered with HTTP ${status}: ${words}; check the address`);
  }
  return httpFailure(answer, { name, what, now: Date.now(), cooldownMs: COOLDOWN_MS, secrets });
}

/** Codes of Node and OpenSSL for a certificate that is not accepted. */
const CERTIFICATE = /CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|SELF_SIGNED/;

function failureOf(error: Error, { name, place, maxFrameBytes, secrets }: About): ProviderError {
  const code = String((error as { readonly code?: unknown }).code ?? '');
  const words = maskSecrets(messageOf(error), secrets);
  const lost = (message: string) => new ConnectionLost(name, message, { cause: error });
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
    return lost(`${place} sent a message that is larger than maxFrameBytes, ${maxFrameBytes} bytes`);
  }
  if (code === 'WS_ERR_INVALID_UTF8') return lost(`${place} sent text that is not UTF-8`);
  if (code.startsWith('WS_ERR_')) return lost(`${place} broke the WebSocket protocol: ${words}`);
  const reason = socketFailure(error);
  if (reason !== undefined) return lost(`could not connect to ${place}: ${reason} (${code})`);
  if (CERTIFICATE.test(code)) return lost(`the certificate of ${place} is not valid: ${words}`);
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return lost(`${place} does not speak TLS: ${words}`);
  if (code === 'ECONNRESET') return lost(`${place} reset the connection`);
  return lost(`the connection to ${place} failed: ${words}`);
}

/** What a server means by a close code (RFC 6455, section 7.4.1, and the registry of IANA). */
const CLOSE_CODES: Readonly<Record<number, string>> = {
  1000: 'normal closure',
  1001: 'going away',
  1002: 'protocol error',
  1003: 'unsupported data',
  1005: 'no code',
  1006: 'no close frame',
  1007: 'invalid data',
  1008: 'policy violation',
  1009: 'message too big',
  1010: 'extension missing',
  1011: 'internal error',
  1012: 'service restart',
  1013: 'try again later',
  1014: 'bad gateway',
};

function closingOf(code: number, reason: string, { name, place, secrets }: About): ProviderError {
  if (code === 1006) return new ConnectionLost(name, `${place} dropped the connection without a close frame`);
  const words = CLOSE_CODES[code];
  const said = reason === '' ? '' : `: ${maskSecrets(reason, secrets)}`;
  const message = `${place} closed the connection with code ${code}${words === undefined ? '' : ` (${words})`}${said}`;
  const cause = { cause: reason === '' ? code : maskSecrets(reason, secrets) };
  // "Try again later" is what a server says that has too many clients.
  if (code === 1013) return new PacingViolation(name, message, { ...cause, retryAfterMs: COOLDOWN_MS });
  return new ConnectionLost(name, message, cause);
}
