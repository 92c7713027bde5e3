import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AsyncCodecError, codecOption, decoderOf, Refusal } from '../../contracts/codec.js';
import { describeProblem } from '../../contracts/decodeProblems.js';
import type { DeadLetters } from '../../contracts/diversion.js';
import { type SourceConfig, sourceOptions } from '../../flow/sourceOptions.js';
import type { Bar } from '../../market/bar.js';
import { InstantReader } from '../../market/instantReader.js';
import { EPOCH_UNITS } from '../../market/parseInstant.js';
import {
  isRecordKind,
  KINDS,
  type MarketEvent,
  RECORD_KINDS,
  type RecordKind,
  type RecordOf,
} from '../../market/recordKinds.js';
import { messageOf } from '../../primitives/messageOf.js';
import {
  allUnchecked,
  boolean,
  checked,
  func,
  having,
  integer,
  listOf,
  nested,
  number,
  type OptionsOf,
  oneOf,
  type Read,
  readArgument,
  readOptions,
  reject,
  unchecked,
} from '../../primitives/options.js';
import { BAR_FIELDS, type BarDefaults, type BarField, BarReader } from './barReader.js';
import { encodingOf } from './containers/textEncoding.js';
import { duplicateOf } from './csvHeader.js';
import { type FileFormat, formatOfName, isArchiveName } from './fileFormat.js';
import { type BadRow, type FileRecord, RowProblem } from './fileRecord.js';
import { NumberReader } from './numbers.js';
import type { FileSettings } from './recordParser.js';
import { mayBeDefault, RecordReader } from './recordReader.js';
import type {
  RecordConfig,
  ReplayBarsConfig,
  ReplayDecodedConfig,
  ReplayFileConfig,
  ReplayItemsConfig,
  ReplayRecordsConfig,
} from './replayConfig.js';
import { trimmed } from './trimmed.js';

const OWNER = 'replayFile';

const isText = (value: unknown): value is string => typeof value === 'string';
const isDelimiter = (value: unknown): value is string => isText(value) && /^[^"\r\n]$/.test(value);

const isComment = (value: unknown): value is string => isText(value) && /^[^\r\n]+$/.test(value);

const isEncoding = (value: unknown): value is string => isText(value) && encodingOf(value) !== undefined;

const FILE_OPTIONS = {
  format: oneOf(['csv', 'ndjson']),
  gzip: boolean(),
  encoding: checked('a label of an encoding that TextDecoder knows, such as utf-16le', isEncoding),
  entry: checked('the name of a file in a zip archive', (value): value is string => isText(value) && value !== ''),
  delimiter: checked('one character', isDelimiter),
  header: listOf(checked('a column name', isText), { min: 1 }),
  skipLines: integer({ min: 0 }).default(0),
  comment: checked('a text that is not empty, without line ends', isComment).or(false),
  maxRecordBytes: integer({ min: 1, max: 256 * 1024 * 1024 }).default(1024 * 1024),
  onBadRow: func(),
  badRows: having('append'),
  speed: number({ above: 0, max: Number.MAX_VALUE }).or('max').default('max'),
  ...sourceOptions(OWNER),
};

const COLUMN = checked('a column name', isText);

/** A time may be in several columns. */
const TS_COLUMNS = checked(
  'a column name, or an array of column names',
  (value): value is string | readonly string[] =>
    isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText)),
);

/** Each is checked with the bar that it goes into. */
const ANY = unchecked();
const DEFAULTS = { vendor: ANY, symbol: ANY, timeframe: ANY, volume: ANY } satisfies OptionsOf<BarDefaults>;

/** How values are read. */
const VALUE_OPTIONS = {
  timeUnit: oneOf(EPOCH_UNITS),
  decimal: oneOf(['.', ',']),
  // The reader of times checks them.
  ...allUnchecked('timeZone', 'dateOrder', 'repeatedHour', 'minYear', 'maxYear'),
  seqFrom: integer({ min: 0 }).or('mtime').default(0),
};

const BAR_OPTIONS = {
  ...FILE_OPTIONS,
  ...VALUE_OPTIONS,
  kind: oneOf(['bar']),
  columns: nested({
    ...(Object.fromEntries(BAR_FIELDS.map((field) => [field, COLUMN])) as Readonly<Record<BarField, typeof COLUMN>>),
    ts: TS_COLUMNS,
  }).default({}),
  defaults: nested(DEFAULTS).default({}),
  ohlcTolerance: number({ min: 0, max: 0.01 }).default(0),
} satisfies OptionsOf<ReplayBarsConfig>;

/** Of a kind of record. A default is checked with the record that it goes into. */
function recordOptions<K extends RecordKind>(kind: K): OptionsOf<ReplayRecordsConfig<K>> {
  const fields = Object.keys(RECORD_KINDS[kind].fields).filter((field) => field !== 'kind');
  return {
    ...FILE_OPTIONS,
    ...VALUE_OPTIONS,
    kind: oneOf([kind]),
    columns: nested(Object.fromEntries(fields.map((field) => [field, TS_COLUMNS]))).default({}),
    defaults: nested(Object.fromEntries(fields.filter(mayBeDefault).map((field) => [field, ANY]))).default({}),
  } as unknown as OptionsOf<ReplayRecordsConfig<K>>;
}

const ITEM_OPTIONS = {
  ...FILE_OPTIONS,
  toItem: func(),
  codec: codecOption(),
  timeOf: func(),
} satisfies OptionsOf<Partial<ReplayItemsConfig<unknown> & ReplayDecodedConfig<unknown>>>;

/** Makes items of the records of one file. */
export interface ItemReader<T> {
  read(record: FileRecord, line: number): T | RowProblem;
  /** The time of an item in milliseconds. */
  timeOf(item: T): number;
}

/**
 * Makes the reader of a CSV file with these columns; throws if one is missing. Without columns, of NDJSON, each of whose records has
 * its own.
 */
export type ReaderFor<T> = (columns: readonly string[] | undefined) => ItemReader<T>;

export interface ReplaySettings<T> extends FileSettings, Required<SourceConfig> {
  readonly onBadRow: ((row: BadRow) => void) | undefined;
  readonly speed: 'max' | number;
  readonly badRows: DeadLetters<unknown> | undefined;
  /** Called when the file is opened. */
  open(): ReaderFor<T>;
}

/** Checks the configuration, and fills in the defaults. */
export function requireReplay<T>(path: string | URL, config: ReplayFileConfig<T>): ReplaySettings<T | MarketEvent> {
  const file = path instanceof URL ? fileURLToPath(path) : readArgument(OWNER, 'path', path, PATH);
  const { header, format, ...settings } = hasItems(config)
    ? itemSettings(file, config)
    : isOfBars(config)
      ? barSettings(file, config)
      : recordSettings(file, config.kind, config);
  const twice = header && duplicateOf(header);
  if (twice !== undefined) reject(OWNER, 'header', 'an array that names no column twice', twice);
  return { ...settings, file, header, format: format ?? formatOf(file, settings.entry) };
}

const PATH = checked('a path or a file URL', (value): value is string => isText(value) && value !== '');

type ItemsConfig<T> = ReplayItemsConfig<T> | ReplayDecodedConfig<T>;

function hasItems<T>(config: ReplayFileConfig<T>): config is ItemsConfig<T> {
  const given: Partial<ReplayItemsConfig<T> & ReplayDecodedConfig<T>> | undefined = config;
  return given?.toItem !== undefined || given?.codec !== undefined;
}

function isOfBars(config: ReplayBarsConfig | ReplayRecordsConfig<RecordKind>): config is ReplayBarsConfig {
  const { kind } = config;
  if (kind !== undefined && !isRecordKind(kind)) reject(OWNER, 'kind', `one of ${KINDS.join(', ')}`, kind);
  return kind === undefined || kind === 'bar';
}

function formatOf(file: string, entry: string | undefined): FileFormat | undefined {
  const format = (entry === undefined ? undefined : formatOfName(entry)) ?? formatOfName(file);
  if (format === undefined && !isArchiveName(file))
    reject(OWNER, 'format', 'given for a file name that does not end in .csv, .tsv, .ndjson or .jsonl', file);
  return format;
}

function itemSettings<T>(file: string, config: ItemsConfig<T>) {
  const given: Partial<ReplayItemsConfig<T> & ReplayDecodedConfig<T>> = config;
  const { toItem, codec, timeOf, ...settings } = readOptions(OWNER, given, ITEM_OPTIONS);
  if (toItem !== undefined && codec !== undefined) throw new RangeError(`${OWNER}: give toItem or codec, got both`);
  if (settings.speed !== 'max') readArgument(OWNER, 'timeOf (with speed)', timeOf, func());

  const decode = codec && decoderOf(OWNER, codec);
  const read = (record: FileRecord, line: number): T | RowProblem => {
    try {
      if (!decode) return toItem!(record, { file, line });
      const decoded = decode(record);
      if (!(decoded instanceof Refusal)) return decoded;
      const [problem] = decoded.problems;
      if (!problem) return new RowProblem('the codec refused it without a reason');
      return new RowProblem(describeProblem(problem), problem.path || undefined);
    } catch (error) {
      // No row is to blame for it.
      if (error instanceof AsyncCodecError) throw error;
      return new RowProblem(messageOf(error));
    }
  };
  const reader: ItemReader<T> = { read, timeOf: timeOf ?? (() => 0) };
  return { ...settings, open: () => () => reader };
}

function barSettings(file: string, config: ReplayBarsConfig) {
  const { kind: _, columns, defaults: given, ohlcTolerance, ...rest } = readOptions(OWNER, config, BAR_OPTIONS);
  const defaults = withoutBlanks(given);
  const { toReaders, settings } = readersOf(file, rest);
  const open = (): ReaderFor<Bar> => {
    const reading = { columns, defaults, ohlcTolerance, ...toReaders() };
    return (present) => new BarReader(file, present, reading);
  };
  return { ...settings, open };
}

function recordSettings<K extends RecordKind>(file: string, kind: K, config: ReplayRecordsConfig<K>) {
  const { kind: _, columns, defaults: given, ...rest } = readOptions(OWNER, config, recordOptions(kind));
  const defaults = withoutBlanks(given);
  const { toReaders, settings } = readersOf(file, rest);
  const open = (): ReaderFor<RecordOf<K>> => {
    const reading = { columns, defaults, ...toReaders() };
    return (present) => new RecordReader<K>(file, kind, present, reading);
  };
  return { ...settings, open };
}

/** Blanks around a value are no part of it, wherever it is written. */
function withoutBlanks<D extends object>(defaults: D): D {
  return Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, trimmed(value)])) as D;
}

type Values = Read<RecordConfig, typeof VALUE_OPTIONS>;

/** What reads the values of a file, and the other settings. */
function readersOf<S>(file: string, { timeUnit, decimal, seqFrom, ...rest }: Values & S) {
  const { timeZone, dateOrder, repeatedHour, minYear, maxYear, ...settings } = rest;
  const toTimes = () =>
    new InstantReader({ unit: timeUnit, timeZone, dateOrder, repeatedHour, minYear, maxYear }, OWNER);
  // A wrong option is an error now. Readers remember what they have read, so each subscription has its own.
  toTimes();
  const toReaders = () => ({
    times: toTimes(),
    numbers: new NumberReader({ decimal }),
    seqFrom: seqFrom === 'mtime' ? mtimeOf(file) : seqFrom,
  });
  return { toReaders, settings };
}

/** When a file was modified last, in microseconds; 0 if it cannot be asked, which opening it will report. */
function mtimeOf(file: string): number {
  try {
    return Math.max(0, Number(statSync(file, { bigint: true }).mtimeNs / 1_000n));
  } catch {
    return 0;
  }
}
