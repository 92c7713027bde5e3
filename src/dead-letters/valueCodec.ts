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

/** Encodes a value within another one; `step` is its place there. */
type EncodeInner = (value: unknown, step: string) => Json;

/** A class whose instances have a mark of its name. */
interface MarkedClass<V> {
  readonly prototype: object;
  readonly encode: (value: V, inner: EncodeInner) => Json;
  readonly decode: (of: unknown) => unknown;
}

const DATE: MarkedClass<Date> = {
  prototype: Date.prototype,
  encode: (date) => (Number.isNaN(date.getTime()) ? null : date.getTime()),
  decode: (of) => new Date(of === null ? Number.NaN : Number(of)),
};

const MAP: MarkedClass<Map<unknown, unknown>> = {
  prototype: Map.prototype,
  encode: (map, inner) =>
    [...map].map(([key, value], i) => [
      inner(key, `.keys()[${i}]`),
      inner(value, `.get(${typeof key === 'string' ? JSON.stringify(key) : i})`),
    ]),
  decode: (of) => new Map(pairsOf(of).map(([key, value]) => [decodeValue(key), decodeValue(value)])),
};

const SET: MarkedClass<Set<unknown>> = {
  prototype: Set.prototype,
  encode: (set, inner) => [...set].map((value, i) => inner(value, `.values()[${i}]`)),
  decode: (of) => new Set(listOf(of).map(decodeValue)),
};

/** `make` gets memory of its own: a Buffer is a view into a pool, whose offset may not suit wider elements. */
function bytes<V extends ArrayBuffer | NodeJS.ArrayBufferView>(
  prototype: V,
  make: (buffer: ArrayBuffer) => V,
): MarkedClass<V> {
  return {
    prototype,
    encode: (value) => {
      const { buffer, byteOffset, byteLength } = ArrayBuffer.isView(value) ? value : new Uint8Array(value);
      return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('base64');
    },
    decode: (of) => make(new Uint8Array(Buffer.from(textOf(of), 'base64')).buffer),
  };
}

const ARRAYS = [
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
  DataView,
] as const;

type ViewClass = { readonly prototype: NodeJS.ArrayBufferView; new (buffer: ArrayBuffer): NodeJS.ArrayBufferView };

const CLASSES: ReadonlyMap<string, MarkedClass<never>> = new Map<string, MarkedClass<never>>([
  ['Date', DATE],
  ['Map', MAP],
  ['Set', SET],
  ['ArrayBuffer', bytes(ArrayBuffer.prototype, (buffer) => buffer)],
  ['Buffer', bytes(Buffer.prototype, (buffer) => Buffer.from(buffer))],
  ...ARRAYS.map(
    (View: ViewClass) => [nameOf(View.prototype), bytes(View.prototype, (buffer) => new View(buffer))] as const,
  ),
]);

/** Whether JSON restores the value exactly, and nothing in it looks like a mark. */
export function isPlain(value: unknown, depth = 0): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number') return Number.isFinite(value) && (value !== 0 || !Object.is(value, -0));
  if (typeof value !== 'object' || depth > MAX_DEPTH) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value)) {
    if (prototype !== Array.prototype || Object.keys(value).length !== value.length) return false;
    for (const one of value) if (!isPlain(one, depth + 1)) return false;
    return true;
  }
  if (prototype !== Object.prototype || Object.getOwnPropertySymbols(value).length > 0) return false;
  for (const key of Object.keys(value)) {
    if (key === MARK || !isPlain((value as Record<string, unknown>)[key], depth + 1)) return false;
  }
  return true;
}

/**
 * The JSON of a value. Throws a `DeadLetterError` that names the path of what has none. `around` are the objects that contain
 * the value.
 */
export function encodeValue(value: unknown, path: string, around: readonly object[] = []): Json {
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
      break;
    default:
      throw unfit(path, `a ${typeof value}`);
  }
  if (value === null) return null;
  if (around.includes(value)) throw unfit(path, 'a reference to an object that contains it');
  if (around.length > MAX_DEPTH) throw unfit(path, `nested more than ${MAX_DEPTH} deep`);
  const within = [...around, value];
  return encodeObject(value, path, (inner, step) => encodeValue(inner, `${path}${step}`, within));
}

function encodeObject(value: object, path: string, inner: EncodeInner): Json {
  if (Object.getOwnPropertySymbols(value).length > 0) throw unfit(path, 'an object with a symbol as a key');
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value) && prototype === Array.prototype) return encodeArray(value, path, inner);
  if (prototype === Object.prototype || prototype === null) {
    const entries = Object.entries(value).map(([key, one]) => [key, inner(one, `.${key}`)] as const);
    if (prototype === null) return mark('bare', entries);
    return Object.hasOwn(value, MARK) ? mark('object', entries) : Object.fromEntries(entries);
  }
  const name = nameOf(prototype);
  if (!ArrayBuffer.isView(value) && Object.keys(value).length > 0) throw unfit(path, `a ${name} with keys of its own`);
  const known = CLASSES.get(name);
  if (!known || known.prototype !== prototype) throw unfit(path, `a ${name}`);
  return mark(name, known.encode(value as never, inner));
}

function encodeArray(value: readonly unknown[], path: string, inner: EncodeInner): Json {
  const keys = Object.keys(value);
  const indices = keys.filter((key) => String(Number(key) >>> 0) === key && Number(key) < value.length);
  if (indices.length < keys.length) throw unfit(path, 'an array with keys of its own');
  if (indices.length === value.length) return value.map((one, i) => inner(one, `[${i}]`));
  return mark('sparse', [value.length, indices.map((key) => [Number(key), inner(value[Number(key)], `[${key}]`)])]);
}

/** The value that was encoded. Throws a `TypeError` if the JSON does not come from {@link encodeValue}. */
export function decodeValue(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(decodeValue);
  if (!Object.hasOwn(json, MARK)) return decodeRecord(Object.entries(json));
  const { [MARK]: name, of } = json as { [MARK]: unknown; of?: unknown };
  const decode = DECODERS.get(String(name)) ?? CLASSES.get(String(name))?.decode;
  if (!decode) throw new TypeError(`there is no value ${JSON.stringify(String(name))}`);
  return decode(of);
}

/** How the marks that name no class are decoded. */
const DECODERS = new Map<string, MarkedClass<never>['decode']>([
  ['undefined', () => undefined],
  ...['NaN', 'Infinity', '-Infinity', '-0'].map((name) => [name, () => Number(name)] as const),
  ['bigint', (of) => BigInt(textOf(of))],
  ['object', decodeRecord],
  // Without a prototype, an assignment to `__proto__` is like any other.
  ['bare', (of) => Object.assign(Object.create(null) as object, decodeRecord(of))],
  ['sparse', decodeSparse],
]);

/** `fromEntries` defines own properties: an assignment to `__proto__` would set the prototype. */
function decodeRecord(pairs: unknown): Record<string, unknown> {
  return Object.fromEntries(pairsOf(pairs).map(([key, value]) => [textOf(key), decodeValue(value)]));
}

function decodeSparse(of: unknown): unknown[] {
  const [length, held] = listOf(of);
  const value = new Array<unknown>(Number(length));
  for (const [index, one] of pairsOf(held)) value[Number(index)] = decodeValue(one);
  return value;
}

function mark(name: string, of?: Json): Json {
  return of === undefined ? { [MARK]: name } : { [MARK]: name, of };
}

function pairsOf(json: unknown): (readonly unknown[])[] {
  return listOf(json).map(listOf);
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

/** How much of a path a message quotes from each end. */
const MAX_PATH_END = 60;

function shortened(path: string): string {
  if (path.length <= 2 * MAX_PATH_END) return path;
  return `${path.slice(0, MAX_PATH_END)}…${path.slice(-MAX_PATH_END)}`;
}

function unfit(path: string, what: string): DeadLetterError {
  return new DeadLetterError(
    'SLUICE_DEAD_LETTERS_VALUE',
    `${shortened(path)} is ${what}, which a dead letter cannot hold: map it to plain data before the write`,
  );
}
