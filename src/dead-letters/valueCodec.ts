import { DeadLetterError } from './deadLetterError.js';

/**
 * Values to JSON and back, exactly: what JSON cannot express is an object `{ "$": name, "of": … }`. Most items need none,
 * because they are JSON already; {@link isPlain} says which.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Marks what JSON cannot express. An object of a user that has this key is written as its entries. */
const MARK = '$';

/** How deep values may be nested; deeper ones would overflow the stack. */
const MAX_DEPTH = 512;

const ARRAYS = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
} as const;

/** Whether JSON restores the value exactly, and nothing in it looks like a mark. */
export function isPlain(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && (value !== 0 || !Object.is(value, -0));
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) return isPlainArray(value, depth);
  if (Object.getPrototypeOf(value) !== Object.prototype || Object.getOwnPropertySymbols(value).length > 0) return false;
  for (const key of Object.keys(value)) {
    if (key === MARK || !isPlain((value as Record<string, unknown>)[key], depth + 1)) return false;
  }
  return true;
}

function isPlainArray(value: readonly unknown[], depth: number): boolean {
  if (Object.getPrototypeOf(value) !== Array.prototype || Object.keys(value).length !== value.length) return false;
  for (const one of value) if (!isPlain(one, depth + 1)) return false;
  return true;
}

/** The JSON of a value. Throws a `DeadLetterError` that names the path of what has none. */
export function encodeValue(value: unknown, path: string): Json {
  return new Encoder().encode(value, path);
}

class Encoder {
  /** The objects around the current value. */
  readonly #around: object[] = [];

  encode(value: unknown, path: string): Json {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value;
      case 'number':
        if (Object.is(value, -0)) return mark('-0');
        return Number.isFinite(value) ? value : mark(String(value));
      case 'undefined':
        return mark('undefined');
      case 'bigint':
        return mark('bigint', String(value));
      case 'object':
        return value === null ? null : this.#encodeObject(value, path);
      default:
        throw unfit(path, `a ${typeof value}`);
    }
  }

  #encodeObject(value: object, path: string): Json {
    if (this.#around.includes(value)) throw unfit(path, 'a reference to an object that contains it');
    if (this.#around.length > MAX_DEPTH) throw unfit(path, `nested more than ${MAX_DEPTH} deep`);
    this.#around.push(value);
    try {
      return this.#encodeKnown(value, path);
    } finally {
      this.#around.pop();
    }
  }

  #encodeKnown(value: object, path: string): Json {
    if (Object.getOwnPropertySymbols(value).length > 0) throw unfit(path, 'an object with a symbol as a key');
    const prototype: unknown = Object.getPrototypeOf(value);
    if (Array.isArray(value) && prototype === Array.prototype) return this.#encodeArray(value, path);
    if (prototype === Object.prototype) return this.#encodeRecord(value, path);
    if (prototype === null) return mark('bare', this.#encodeEntries(Object.entries(value), path));
    if (!(ArrayBuffer.isView(value) || hasNoKeys(value)))
      throw unfit(path, `a ${nameOf(prototype)} with keys of its own`);
    if (prototype === Date.prototype) {
      const ms = (value as Date).getTime();
      return mark('Date', Number.isNaN(ms) ? null : ms);
    }
    if (prototype === Map.prototype) {
      const pairs = [...(value as Map<unknown, unknown>)];
      return mark(
        'Map',
        pairs.map(([key, one], i) => [
          this.encode(key, `${path}.keys()[${i}]`),
          this.encode(one, `${path}.get(${typeof key === 'string' ? JSON.stringify(key) : i})`),
        ]),
      );
    }
    if (prototype === Set.prototype) {
      return mark(
        'Set',
        [...(value as Set<unknown>)].map((one, i) => this.encode(one, `${path}.values()[${i}]`)),
      );
    }
    return encodeBytes(value, prototype) ?? refuse(path, prototype);
  }

  #encodeArray(value: readonly unknown[], path: string): Json {
    const keys = Object.keys(value);
    const indices = keys.filter((key) => isIndex(key, value.length));
    if (indices.length < keys.length) throw unfit(path, 'an array with keys of its own');
    if (indices.length < value.length) {
      const held = indices.map((key) => [Number(key), this.encode(value[Number(key)], `${path}[${key}]`)]);
      return mark('sparse', [value.length, held]);
    }
    return value.map((one, i) => this.encode(one, `${path}[${i}]`));
  }

  #encodeRecord(value: object, path: string): Json {
    if (Object.hasOwn(value, MARK)) return mark('object', this.#encodeEntries(Object.entries(value), path));
    const json: Record<string, Json> = {};
    for (const [key, one] of Object.entries(value)) put(json, key, this.encode(one, `${path}.${key}`));
    return json;
  }

  #encodeEntries(entries: readonly (readonly [string, unknown])[], path: string): Json {
    return entries.map(([key, one]) => [key, this.encode(one, `${path}.${key}`)]);
  }
}

function encodeBytes(value: object, prototype: unknown): Json | undefined {
  if (prototype === ArrayBuffer.prototype) return mark('ArrayBuffer', base64(new Uint8Array(value as ArrayBuffer)));
  if (!ArrayBuffer.isView(value)) return undefined;
  const name = nameOf(prototype);
  const isKnown =
    prototype === Buffer.prototype ||
    prototype === DataView.prototype ||
    (name in ARRAYS && ARRAYS[name as keyof typeof ARRAYS].prototype === prototype);
  return isKnown ? mark(name, base64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))) : undefined;
}

/** The value that was encoded. Throws a `TypeError` if the JSON does not come from {@link encodeValue}. */
export function decodeValue(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(decodeValue);
  if (!Object.hasOwn(json, MARK)) {
    const value: Record<string, unknown> = {};
    for (const [key, one] of Object.entries(json)) put(value, key, decodeValue(one));
    return value;
  }
  const { [MARK]: name, of } = json as { [MARK]: unknown; of?: unknown };
  return decodeMarked(String(name), of);
}

function decodeMarked(name: string, of: unknown): unknown {
  switch (name) {
    case 'undefined':
      return undefined;
    case 'NaN':
    case 'Infinity':
    case '-Infinity':
    case '-0':
      return Number(name);
    case 'bigint':
      return BigInt(textOf(of));
    case 'Date':
      return new Date(of === null ? Number.NaN : Number(of));
    case 'Map':
      return new Map(listOf(of).map((pair) => [decodeValue(listOf(pair)[0]), decodeValue(listOf(pair)[1])]));
    case 'Set':
      return new Set(listOf(of).map(decodeValue));
    case 'object':
      return decodeEntries(of, {});
    case 'bare':
      return decodeEntries(of, Object.create(null) as Record<string, unknown>);
    case 'sparse':
      return decodeSparse(listOf(of));
    default:
      return decodeBytes(name, Buffer.from(textOf(of), 'base64'));
  }
}

function decodeEntries(of: unknown, value: Record<string, unknown>): Record<string, unknown> {
  for (const pair of listOf(of)) put(value, textOf(listOf(pair)[0]), decodeValue(listOf(pair)[1]));
  return value;
}

function decodeSparse([length, held]: readonly unknown[]): unknown[] {
  const value = new Array<unknown>(Number(length));
  for (const pair of listOf(held)) value[Number(listOf(pair)[0])] = decodeValue(listOf(pair)[1]);
  return value;
}

function decodeBytes(name: string, bytes: Buffer): unknown {
  if (name === 'Buffer') return bytes;
  // A copy: a Buffer is a view into a pool, whose offset may not suit wider elements.
  const { buffer } = new Uint8Array(bytes);
  if (name === 'ArrayBuffer') return buffer;
  if (name === 'DataView') return new DataView(buffer);
  if (name in ARRAYS) return new ARRAYS[name as keyof typeof ARRAYS](buffer);
  throw new TypeError(`there is no value ${JSON.stringify(name)}`);
}

/** Sets an own property: an assignment to `__proto__` would set the prototype. */
function put<V>(record: Record<string, V>, key: string, value: V): void {
  if (key === '__proto__') {
    Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    record[key] = value;
  }
}

function mark(name: string, of?: Json): Json {
  return of === undefined ? { [MARK]: name } : { [MARK]: name, of };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function hasNoKeys(value: object): boolean {
  for (const key in value) if (Object.hasOwn(value, key)) return false;
  return true;
}

function isIndex(key: string, length: number): boolean {
  const index = Number(key);
  return Number.isInteger(index) && index >= 0 && index < length && String(index) === key;
}

function listOf(json: unknown): readonly unknown[] {
  if (!Array.isArray(json)) throw new TypeError('a list is missing');
  return json;
}

function textOf(json: unknown): string {
  if (typeof json !== 'string') throw new TypeError('a text is missing');
  return json;
}

function nameOf(prototype: unknown): string {
  const name: unknown = (prototype as { constructor?: { name?: unknown } } | null)?.constructor?.name;
  return typeof name === 'string' && name !== '' ? name : 'object of a class';
}

function refuse(path: string, prototype: unknown): never {
  throw unfit(path, `a ${nameOf(prototype)}`);
}

function unfit(path: string, what: string): DeadLetterError {
  return new DeadLetterError(
    'SLUICE_DEAD_LETTERS_VALUE',
    `${path} is ${what}, which a dead letter cannot hold: map it to plain data before the write`,
  );
}
