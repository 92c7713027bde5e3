import { fileURLToPath } from 'node:url';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Decoder } from 'io-ts';
import type { SchedulerLike } from 'rxjs';
import { decodeProblems } from '../../contracts/decodeProblems.js';
import type { Bar } from '../../market/bar.js';
import { EPOCH_UNITS } from '../../market/parseInstant.js';
import { eventLoopScheduler } from '../../primitives/eventLoopScheduler.js';
import {
  requireBoolean,
  requireDuration,
  requireFunction,
  requireInteger,
  requireKnownOptions,
  requireNumber,
  requireOneOf,
  requireText,
} from '../../primitives/validate.js';
import { BAR_FIELDS, BarReader, type BarReaderSettings } from './barReader.js';
import { duplicateOf } from './csvParser.js';
import { type BadRow, type FileRecord, type RecordPlace, RowProblem } from './fileRecord.js';
import type { ReplayBarsConfig, ReplayDecodedConfig, ReplayFileConfig, ReplayItemsConfig } from './replayConfig.js';

/** The name in messages, and of the stage. */
const OWNER = 'replayFile';
const FILE_OPTIONS = [
  'format',
  'gzip',
  'delimiter',
  'header',
  'maxRecordBytes',
  'onBadRow',
  'speed',
  'scheduler',
  'yieldAfterMs',
  'name',
];
const BAR_OPTIONS = ['columns', 'defaults', 'timeUnit', 'seqFrom'];
const ITEM_OPTIONS = ['toItem', 'codec', 'timeOf'];

type AnyOption<T> = Partial<ReplayBarsConfig & ReplayItemsConfig<T> & ReplayDecodedConfig<T>>;

/** Makes items of the records of one file. */
export interface ItemReader<T> {
  /** Throws where a record is no item. */
  read(record: FileRecord, place: RecordPlace): T;
  /** The time of an item in milliseconds. */
  timeOf(item: T): number;
}

export interface ReplaySettings<T> {
  readonly file: string;
  readonly format: 'csv' | 'ndjson';
  readonly gzip: boolean;
  readonly delimiter: string;
  readonly header: readonly string[] | undefined;
  readonly maxRecordBytes: number;
  readonly onBadRow: ((row: BadRow) => void) | undefined;
  readonly speed: 'max' | number;
  readonly scheduler: SchedulerLike;
  readonly yieldAfterMs: number;
  readonly name: string;
  /** For a file with these columns; throws if one is missing. */
  readerFor(columns: readonly string[]): ItemReader<T>;
}

/** Checks the configuration, and puts the defaults in. */
export function requireReplay<T>(path: string | URL, given: ReplayFileConfig<T>): ReplaySettings<T | Bar> {
  const config: AnyOption<T> = given;
  if (!(path instanceof URL) && (typeof path !== 'string' || path === '')) {
    throw new RangeError(`${OWNER}: path must be a path or a file URL, got ${JSON.stringify(path)}`);
  }
  const isCustom = config?.toItem !== undefined || config?.codec !== undefined;
  requireKnownOptions(OWNER, config, [...FILE_OPTIONS, ...(isCustom ? ITEM_OPTIONS : BAR_OPTIONS)]);
  const file = path instanceof URL ? fileURLToPath(path) : path;
  const speed =
    config.speed === undefined || config.speed === 'max'
      ? 'max'
      : requireNumber(OWNER, "speed (if not 'max')", config.speed, Number.MIN_VALUE, Number.MAX_VALUE);
  const { delimiter = ',' } = config;
  if (typeof delimiter !== 'string' || !/^[^"\r\n]$/.test(delimiter)) {
    throw new RangeError(`${OWNER}: delimiter must be one character, got ${JSON.stringify(delimiter)}`);
  }
  return {
    file,
    format: formatOf(file, config.format),
    gzip: requireBoolean(OWNER, 'gzip', config.gzip ?? /\.gz$/i.test(file)),
    delimiter,
    header: requireHeader(config.header),
    maxRecordBytes: requireInteger(OWNER, 'maxRecordBytes', config.maxRecordBytes ?? 1024 * 1024, 1, 256 * 1024 * 1024),
    onBadRow: config.onBadRow && requireFunction(OWNER, 'onBadRow', config.onBadRow),
    speed,
    name: requireText(OWNER, 'name', config.name ?? OWNER),
    scheduler: config.scheduler ?? eventLoopScheduler,
    yieldAfterMs: requireDuration(OWNER, 'yieldAfterMs', config.yieldAfterMs ?? 20),
    ...(isCustom ? requireItems(config, speed) : requireBars(file, config)),
  };
}

function requireHeader(header: unknown): readonly string[] | undefined {
  if (header === undefined) return undefined;
  if (!Array.isArray(header) || header.length === 0 || !header.every((name) => typeof name === 'string')) {
    throw new RangeError(`${OWNER}: header must be a list of names of columns, got ${JSON.stringify(header)}`);
  }
  const twice = duplicateOf(header);
  if (twice !== undefined) {
    throw new RangeError(`${OWNER}: header must not have a name twice, got ${JSON.stringify(twice)}`);
  }
  return [...header];
}

function formatOf(file: string, format: unknown): 'csv' | 'ndjson' {
  if (format !== undefined) return requireOneOf(OWNER, 'format', format, ['csv', 'ndjson']);
  if (/\.csv(\.gz)?$/i.test(file)) return 'csv';
  if (/\.(ndjson|jsonl)(\.gz)?$/i.test(file)) return 'ndjson';
  throw new RangeError(
    `${OWNER}: format must be given where the name ends neither in .csv nor in .ndjson or .jsonl, got ${JSON.stringify(file)}`,
  );
}

function requireItems<T>({ toItem, codec, timeOf }: AnyOption<T>, speed: 'max' | number) {
  if (toItem !== undefined && codec !== undefined) {
    throw new RangeError(`${OWNER}: give toItem or codec, got both`);
  }
  if (speed !== 'max') requireFunction(OWNER, 'timeOf (with speed)', timeOf);
  const read = toItem ? requireFunction(OWNER, 'toItem', toItem) : decoding<T>(codec!);
  const reader: ItemReader<T> = { read, timeOf: timeOf ?? (() => 0) };
  return { readerFor: () => reader };
}

function decoding<T>(codec: Decoder<unknown, T>): (record: FileRecord) => T {
  requireFunction(OWNER, 'the decode of codec', codec.decode);
  return (record) => {
    const decoded = codec.decode(record);
    if (!isLeft(decoded)) return decoded.right;
    const [problem] = decodeProblems(decoded.left);
    throw new RowProblem(`expected ${problem?.expected}, got ${problem?.got}`, problem?.path || undefined);
  };
}

function requireBars(file: string, config: ReplayBarsConfig) {
  const { columns = {}, defaults = {} } = config;
  requireKnownOptions(`${OWNER}: columns`, columns, BAR_FIELDS);
  requireKnownOptions(`${OWNER}: defaults`, defaults, ['vendor', 'symbol', 'timeframe', 'volume']);
  const settings: BarReaderSettings = {
    columns: { ...columns },
    defaults: { ...defaults },
    timeUnit: requireOneOf(OWNER, 'timeUnit', config.timeUnit ?? 'ms', EPOCH_UNITS),
    seqFrom: requireInteger(OWNER, 'seqFrom', config.seqFrom ?? 0, 0),
  };
  return {
    readerFor(present: readonly string[]): ItemReader<Bar> {
      const reader = new BarReader(file, present, settings);
      return { read: (record, place) => reader.read(record, place), timeOf: (bar) => bar.ts };
    },
  };
}
