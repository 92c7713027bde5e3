import { isProviderError, type ProviderError, providerErrorOf } from '../providerErrors.js';
import type { Frame } from '../session.js';
import { maskSecrets } from '../stream/streamErrors.js';

/** The format of a capture: it changes with what an older reader would misread. */
export const FORMAT_VERSION = 1;

/** The first line of each segment. */
export interface SegmentHeader {
  /** Of the whole capture: `massive-20260105T143000000Z`. */
  readonly capture: string;
  /** The provider, as records have it. */
  readonly provider: string;
  /** From 1. */
  readonly segment: number;
  /** When the capture began, in epoch milliseconds. */
  readonly startedAt: number;
}

/** How a connection ended: enough of a `ProviderError` to make one again, or the message of another error. */
export interface CapturedError {
  readonly message: string;
  readonly code?: string;
  readonly cause?: string;
  readonly retryAfterMs?: number;
}

/** What happened at a connection. Times `t` are epoch milliseconds, connections `c` are numbered from 1. */
export type FrameEvent =
  /** The client begins to connect. */
  | ConnectEvent
  /** The connection is open, it gives a sign of life that is no frame, the client closes it. */
  | { readonly is: 'open' | 'alive' | 'close'; readonly t: number; readonly c: number }
  /** A frame from the vendor, and one to it. */
  | { readonly is: 'in' | 'out'; readonly t: number; readonly c: number; readonly frame: Frame }
  /** The connection ended by itself, or was never made. */
  | { readonly is: 'closed'; readonly t: number; readonly c: number; readonly error: CapturedError }
  /** Frames that were not written because the disk was too slow; the first came at `from`, the last at `t`. */
  | HoleEvent;

export interface ConnectEvent {
  readonly is: 'connect';
  readonly t: number;
  readonly c: number;
}

export interface HoleEvent {
  readonly is: 'hole';
  readonly t: number;
  readonly from: number;
  readonly frames: number;
  readonly bytes: number;
}

/** The last line of a segment that was closed, with the number of lines between it and the header. */
export interface EndLine {
  readonly is: 'end';
  readonly lines: number;
}

export function headerLine({ capture, provider, segment, startedAt }: SegmentHeader): string {
  return JSON.stringify({ sluice: 'frames', version: FORMAT_VERSION, capture, provider, segment, startedAt });
}

/** Text is kept as it is, bytes in base64. */
export function frameLine(is: 'in' | 'out', t: number, c: number, frame: Frame): string {
  const head = `{"is":"${is}","t":${t},"c":${c}`;
  if (typeof frame === 'string') return `${head},"text":${JSON.stringify(frame)}}`;
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  return `${head},"base64":"${bytes.toString('base64')}"}`;
}

export function eventLine(event: Exclude<FrameEvent, { readonly frame: Frame }> | EndLine): string {
  return JSON.stringify(event);
}

/** What the first line says; `undefined` if it is no header. Of another version only that is known. */
export function parseHeader(line: string): (SegmentHeader & { readonly version: unknown }) | undefined {
  const value = parse(line);
  if (value?.sluice !== 'frames') return undefined;
  const { version, capture, provider, segment, startedAt } = value;
  if (version !== FORMAT_VERSION) return { version, capture: '', provider: '', segment: 0, startedAt: 0 };
  const isWhole =
    typeof capture === 'string' && typeof provider === 'string' && isCount(segment) && Number.isFinite(startedAt);
  return isWhole ? { version, capture, provider, segment, startedAt: startedAt as number } : undefined;
}

/** What a later line says; `undefined` if it is not a line of a capture. */
export function parseLine(line: string): FrameEvent | EndLine | undefined {
  const value = parse(line);
  if (!value) return undefined;
  const { is, t, c } = value;
  if (is === 'end') return isCount(value.lines) ? { is, lines: value.lines } : undefined;
  if (typeof t !== 'number' || !Number.isFinite(t)) return undefined;
  if (is === 'hole') {
    const { from, frames, bytes } = value;
    return isCount(frames) && isCount(bytes) && typeof from === 'number' ? { is, t, from, frames, bytes } : undefined;
  }
  if (!isCount(c)) return undefined;
  switch (is) {
    case 'connect':
      return { is, t, c };
    case 'open':
    case 'alive':
    case 'close':
      return { is, t, c };
    case 'in':
    case 'out': {
      const { text, base64 } = value;
      if (typeof text === 'string') return { is, t, c, frame: text };
      // A view of its own: a Buffer would share its memory with others.
      if (typeof base64 === 'string') return { is, t, c, frame: new Uint8Array(Buffer.from(base64, 'base64')) };
      return undefined;
    }
    case 'closed': {
      const error = value.error as CapturedError | null | undefined;
      return typeof error?.message === 'string' ? { is, t, c, error } : undefined;
    }
    default:
      return undefined;
  }
}

export function captureError(error: unknown, secrets: readonly string[]): CapturedError {
  const masked = (text: string) => maskSecrets(text, secrets);
  if (!isProviderError(error)) {
    return { message: masked(error instanceof Error ? error.message : error === undefined ? '' : String(error)) };
  }
  const { code, message, retryAfterMs, cause } = error;
  return {
    message: masked(message),
    code,
    ...(typeof cause === 'string' && { cause: masked(cause) }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** The error as the transport told it. */
export function errorOf(provider: string, captured: CapturedError): ProviderError | Error | undefined {
  const { code, message, cause, retryAfterMs } = captured;
  const prefix = `${provider}: `;
  const words = message.startsWith(prefix) ? message.slice(prefix.length) : message;
  const options = { ...(cause !== undefined && { cause }), ...(typeof retryAfterMs === 'number' && { retryAfterMs }) };
  const known = code === undefined ? undefined : providerErrorOf(code, provider, words, options);
  return known ?? (message === '' ? undefined : new Error(message));
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
