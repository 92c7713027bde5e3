/** One field of a message. Booleans are 1 and 0, what is missing is empty. */
export type WireField = string | number | boolean | null | undefined;

/** A message of the protocol: its length as four bytes, then its fields, each behind it a zero byte. */
export function encodeMessage(fields: readonly WireField[]): Buffer {
  const body = Buffer.from(fields.map((field) => `${textOf(field)}\u0000`).join(''));
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(body.length);
  return Buffer.concat([prefix, body]);
}

function textOf(field: WireField): string {
  if (typeof field === 'boolean') return field ? '1' : '0';
  return field === null || field === undefined ? '' : String(field);
}

/** The fields of a message that {@link encodeMessage} or a client has made. */
export function decodeMessage(message: Buffer): readonly string[] {
  const fields = message.subarray(4).toString('utf8').split('\u0000');
  // Behind the last zero byte is nothing.
  fields.pop();
  return fields;
}

/** `API`, a zero byte, and the length of the range of versions that follows. */
const GREETING = Buffer.from('API\u0000');
const GREETING_PREFIX = GREETING.length + 4;
const MAX_VERSIONS_BYTES = 64;

/** What a client sends first: the versions that it speaks, and the bytes behind it; `undefined` while it is not complete. */
export function readGreeting(bytes: Buffer): { readonly versions: string; readonly rest: Buffer } | undefined {
  if (bytes.length < GREETING_PREFIX) return undefined;
  const length = bytes.readUInt32BE(GREETING.length);
  if (!bytes.subarray(0, GREETING.length).equals(GREETING) || length > MAX_VERSIONS_BYTES) {
    throw new RangeError('a client that does not greet as clients of TWS do');
  }
  if (bytes.length < GREETING_PREFIX + length) return undefined;
  const versions = bytes.subarray(GREETING_PREFIX, GREETING_PREFIX + length).toString('utf8');
  return { versions, rest: bytes.subarray(GREETING_PREFIX + length) };
}
