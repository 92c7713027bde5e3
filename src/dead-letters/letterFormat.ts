import { isUtf8 } from 'node:buffer';
import * as Schema from 'effect/Schema';
import type { SinkTarget } from '../contracts/sinkTarget.js';
import type { EncodedEntry, EntryFormat, ParsedEntry } from '../disk/log/entryFormat.js';
import { messageOf } from '../primitives/messageOf.js';
import type { DeadLetter } from './deadLetter.js';
import type { ErrorRecord } from './errorRecord.js';
import { headOf, lineHead, ordinalOf } from './letterLine.js';
import { decodeValue } from './valueCodec.js';

/** A version of the envelope that exists on disks. */
export interface LetterVersion {
  readonly v: number;
  /** Checks an envelope of this version and returns it; throws what is wrong with it. */
  readonly decode: (envelope: unknown) => unknown;
  /** Converts it to the next version. Only the newest version has none. */
  readonly toNext?: (envelope: never) => unknown;
}

const ErrorSchema: Schema.Codec<ErrorRecord> = Schema.Struct({
  name: Schema.String,
  message: Schema.String,
  code: Schema.optionalKey(Schema.String),
  sqlState: Schema.optionalKey(Schema.String),
  cause: Schema.optionalKey(Schema.suspend((): Schema.Codec<ErrorRecord> => ErrorSchema)),
});

const Sink: Schema.Codec<SinkTarget> = Schema.Struct({
  name: Schema.String,
  table: Schema.optionalKey(Schema.String),
  schema: Schema.optionalKey(Schema.String),
  records: Schema.optionalKey(Schema.String),
});

const Envelope = Schema.Struct({
  v: Schema.Literal(1),
  id: Schema.String,
  count: Schema.Int,
  at: Schema.Finite,
  pipeline: Schema.String,
  stage: Schema.String,
  reason: Schema.String,
  error: Schema.NullOr(ErrorSchema),
  attempts: Schema.Int,
  replays: Schema.Int,
  previous: Schema.optionalKey(Schema.String),
  // Letters of earlier versions have none.
  sink: Schema.optionalKey(Sink),
  kind: Schema.NullOr(Schema.String),
  values: Schema.Literals(['json', 'marked']),
  items: Schema.Array(Schema.Unknown),
});

/** The envelope that is written: `values` says whether the items are plain JSON or hold marks. */
export type Envelope = typeof Envelope.Type;

const V1: LetterVersion = { v: 1, decode: Schema.decodeUnknownSync(Envelope) };

/** How letters stand in the lines of a log: written in the newest version, read in any that there has been. */
export class LetterFormat implements EntryFormat<DeadLetter, EncodedEntry> {
  readonly head = lineHead;
  readonly headOf = headOf;
  readonly #versions: ReadonlyMap<number, LetterVersion>;

  constructor(versions: readonly LetterVersion[] = [V1]) {
    this.#versions = new Map(versions.map((version) => [version.v, version]));
  }

  /** Letters are encoded before they are appended, so that an item that cannot be one fails early. */
  encode(letter: EncodedEntry): EncodedEntry {
    return letter;
  }

  parse(line: Uint8Array): ParsedEntry<DeadLetter> {
    // A decoder would replace what is no text, and a damaged letter would look whole.
    if (!isUtf8(line)) return corrupt('it is not UTF-8');
    let json: unknown;
    try {
      json = JSON.parse(Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString());
    } catch {
      return corrupt('it is not JSON');
    }
    const v = typeof json === 'object' && json !== null ? (json as { v?: unknown }).v : undefined;
    if (typeof v !== 'number' || !Number.isInteger(v)) return corrupt('it has no version');
    let version = this.#versions.get(v);
    if (!version) return { is: 'unknownVersion', version: v };
    try {
      let envelope = version.decode(json);
      while (version?.toNext) {
        envelope = version.toNext(envelope as never);
        version = this.#versions.get((envelope as { v: number }).v);
        envelope = version?.decode(envelope);
      }
      const value = letterOf(envelope as Envelope);
      return { is: 'entry', ordinal: ordinalOf(value.id), weight: value.items.length, value };
    } catch (error) {
      return corrupt(messageOf(error));
    }
  }
}

function letterOf({ v: _, count, values, ...letter }: Envelope): DeadLetter {
  if (letter.items.length !== count) throw new TypeError(`it has ${letter.items.length} items instead of ${count}`);
  return values === 'json' ? letter : { ...letter, items: letter.items.map(decodeValue) };
}

function corrupt(reason: string): ParsedEntry<DeadLetter> {
  return { is: 'corrupt', reason };
}
