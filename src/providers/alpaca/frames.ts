import { Decoder, decodeTimestampToTimeSpec, EXT_TIMESTAMP, ExtensionCodec, encode } from '@msgpack/msgpack';
import { messageOf } from '../../primitives/messageOf.js';
import type { Frame } from '../session.js';

export type AlpacaEncoding = 'json' | 'msgpack';

/** Announces the encoding when the connection is made. */
export const CONTENT_TYPES: Readonly<Record<AlpacaEncoding, string>> = {
  json: 'application/json',
  msgpack: 'application/msgpack',
};

export function encodeFrame(message: object, encoding: AlpacaEncoding): Frame {
  return encoding === 'json' ? JSON.stringify(message) : encode(message);
}

/** The elements of a frame, or in words why it has none. */
export type DecodedFrame = readonly unknown[] | string;

/**
 * Reads frames: text is JSON, and bytes are what the encoding says. Elements of both encodings look the same to a normaliser: times
 * are RFC 3339, and an integer that a number cannot hold is a text in JSON and a `bigint` in MessagePack.
 */
export function frameDecoder(encoding: AlpacaEncoding): (frame: Frame) => DecodedFrame {
  const msgpack = new Decoder({ extensionCodec: timestamps(), useBigInt64: true, ...LIMITS });
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  const read = (frame: Frame): unknown => {
    if (typeof frame === 'string') return parseJson(frame);
    return encoding === 'json' ? parseJson(utf8.decode(frame)) : msgpack.decode(frame);
  };
  return (frame) => {
    try {
      const message = read(frame);
      return Array.isArray(message) ? message : `a frame is not an array but ${typeOf(message)}`;
    } catch (error) {
      return `a frame cannot be read: ${messageOf(error)}`;
    }
  };
}

/** The decoder allocates what a header announces before it sees whether that follows. */
const LIMITS = {
  maxArrayLength: 100_000,
  maxMapLength: 1_000,
  maxStrLength: 1_000_000,
  maxBinLength: 1_000_000,
  maxExtLength: 1_000,
};

/** Identifiers of crypto trades have 19 digits, which `JSON.parse` would round. */
const LONG_ID = /("(?:i|oi|ci)":\s*)(\d{16,})(?=\s*[,}])/g;
const HAS_LONG_NUMBER = /:\s*\d{16}/;

/** Keeps all digits of identifiers. */
export function parseJson(text: string): unknown {
  return JSON.parse(HAS_LONG_NUMBER.test(text) ? text.replace(LONG_ID, '$1"$2"') : text);
}

function timestamps(): ExtensionCodec {
  const codec = new ExtensionCodec();
  codec.register({
    type: EXT_TIMESTAMP,
    encode: () => null,
    decode: (data) => {
      const { sec, nsec } = decodeTimestampToTimeSpec(data);
      return rfc3339(sec, nsec);
    },
  });
  return codec;
}

/** The second that was written last: feeds send many times of one second. */
let lastSecond = Number.NaN;
let lastText = '';

const MAX_SECONDS = 8.64e12;

/** The normaliser says what is wrong with a time that is none. */
function rfc3339(seconds: number, nanos: number): string {
  if (seconds !== lastSecond) {
    if (!(Math.abs(seconds) <= MAX_SECONDS)) return `${seconds} seconds`;
    lastText = new Date(seconds * 1_000).toISOString().slice(0, -5);
    lastSecond = seconds;
  }
  return nanos === 0 ? `${lastText}Z` : `${lastText}.${String(nanos).padStart(9, '0')}Z`;
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
