import type { SchedulerLike } from 'rxjs';
import type { Codec } from '../../contracts/codec.js';
import type { DeadLetters } from '../../contracts/diversion.js';
import type { SourceConfig } from '../../flow/sourceOptions.js';
import type { RepeatedHour } from '../../market/instantReader.js';
import type { DateOrder } from '../../market/instants/dateOrder.js';
import type { EpochUnit } from '../../market/parseInstant.js';
import type { RecordKind, RecordOf } from '../../market/recordKinds.js';
import type { BarDefaults, BarField } from './barReader.js';
import type { BadRow, FileRecord, RecordPlace } from './fileRecord.js';

interface FileConfig extends SourceConfig {
  /**
   * The format. Default: by the name of the file, which ends in `.csv`, `.tsv`, `.ndjson` or `.jsonl`, or any of them and `.gz`, `.zst` or
   * `.zip`; if it says only `.zip`, by the name of the file in the archive.
   */
  readonly format?: 'csv' | 'ndjson';
  /**
   * `true`: the file must be compressed with gzip. `false`: its bytes are taken as they are. Default: its first bytes decide,
   * whatever its name.
   */
  readonly gzip?: boolean;
  /**
   * The encoding of the text, by a label that `TextDecoder` knows
   * ([WHATWG Encoding](https://encoding.spec.whatwg.org/#names-and-labels)): `utf-16le`, `windows-1252`, `shift_jis`, `gb18030`.
   * There, `iso-8859-1` is a label of `windows-1252`. What is no character becomes U+FFFD, which no symbol may have. Default
   * UTF-8; text in UTF-16 or UTF-32 is then an error, not read as something else.
   */
  readonly encoding?: string;
  /** The name of the file to read in a zip archive that holds several. Default: the only one. */
  readonly entry?: string;
  /**
   * The character between the fields of a CSV row. Default: that of a first line `sep=;`; else the comma (of a `.tsv` file the
   * tab) if the header has one, and otherwise `;`, tab or `|`, whichever the header has most of.
   */
  readonly delimiter?: string;
  /**
   * The columns of a CSV file that has no header line. A line that repeats them is taken for a header all the same, and is
   * passed over.
   */
  readonly header?: readonly string[];
  /** How many lines to pass over before the header, or the first record: what they hold is not read. Default 0. */
  readonly skipLines?: number;
  /**
   * What a comment line begins with; `false` if no line is one. By default, of CSV, a line that begins with `#` is a comment
   * unless it can be the header or a row: the header if it has as many fields as the next line, which holds more numbers and
   * times; a row if it has as many fields as the header. NDJSON has no comments by default.
   */
  readonly comment?: string | false;
  /**
   * A longer record is a bad row and is never held in memory. In bytes, 1 to 256 MiB, default 1 MiB. A quoted field that is
   * not closed within it spoils one line only.
   */
  readonly maxRecordBytes?: number;
  /** Receives each record that could not be read. An error that it throws goes downstream. */
  readonly onBadRow?: (row: BadRow) => void;
  /**
   * Dead letters that keep each record that could not be read: an item `{ file, line, raw }` with the reason `badRow`, and the error
   * that says what is wrong with it. The row counts as diverted once its letter is durable, and as dropped without this option. At most
   * 32 letters are written at a time: while they wait for their disk, so does the source. A row too large for a letter is cut. `onBadRow` is called all the same.
   */
  readonly badRows?: DeadLetters<unknown>;
  /** The clock of `speed`, and where the source resumes after it has yielded. Default: the event loop. */
  readonly scheduler?: SchedulerLike;
}

export interface RecordConfig extends FileConfig {
  /**
   * The unit of a number that is a time. With it, digits are a count, however many; without it they count milliseconds,
   * unless they are a date (`20240102`) or a date and time (`202401020930`).
   */
  readonly timeUnit?: EpochUnit;
  /** The IANA name of the zone of dates and times that name none: `'America/New_York'`. Default `'UTC'`. */
  readonly timeZone?: string;
  /** The order of a date that does not begin with the year: `'MDY'` or `'DMY'`. Default: none, and such a date is a bad row. */
  readonly dateOrder?: DateOrder;
  /**
   * Which of two instants is meant by a time of the hour that comes twice when the clocks of `timeZone` go back. Default
   * `'badRow'`. A time of the hour that they skip is always a bad row.
   */
  readonly repeatedHour?: RepeatedHour;
  /** A record of an earlier year is a bad row. From 100 to 9999, default 1900. */
  readonly minYear?: number;
  /** A record of a later year is a bad row. From 100 to 9999, default: next year. */
  readonly maxYear?: number;
  /**
   * The mark before the decimals: with `','`, `1.234,50` is a number. Without it that is the point, and a row of prices such as
   * `1,234`, in which no number shows which mark is which, is a bad row. Blanks, apostrophes and the other mark may stand between
   * thousands.
   */
  readonly decimal?: '.' | ',';
  /**
   * If the file has no `seq`, the `seq` of a record is this number plus its line number, so that reading the file again gives the
   * same. For a file to win over an earlier one with the same records, make it higher by at least the number of lines in the
   * earlier file. `'mtime'` is the time at which the file was modified last, in microseconds, taken when it is opened: the same
   * file gives the same versions, and a corrected one newer ones. A safe integer of at least 0, default 0.
   */
  readonly seqFrom?: number | 'mtime';
  /** `'max'`, or this multiple of real time: with 60, an hour of `ts` takes a minute. Above 0, default `'max'`. */
  readonly speed?: 'max' | number;
}

/** The columns of a bar's fields. */
export type BarFieldColumns = Readonly<
  Partial<Record<Exclude<BarField, 'ts'>, string> & { readonly ts: string | readonly string[] }>
>;

/** The options of {@link replayFile} for bars, which it reads by default. */
export interface ReplayBarsConfig extends RecordConfig {
  /** Records of another kind are described by `ReplayRecordsConfig`. Default `'bar'`. */
  readonly kind?: 'bar';
  /**
   * The column of each field whose column is not named after it: `{ close: 'Last' }`. A date and a time of day in two columns are
   * named together: `{ ts: ['Date', 'Time'] }`. A column is first looked for as it is spelled, then without regard to case and outer
   * blanks, so that `Open` need not be named. The names in the store's tables, such as `is_final`, are known.
   */
  readonly columns?: BarFieldColumns;
  /**
   * The fields that records may lack: `{ vendor: 'acme', timeframe: '1d' }`. A default is for a record that lacks the field, and
   * never for one whose value is empty or wrong.
   */
  readonly defaults?: BarDefaults;
  /**
   * How far open and close may be outside of low and high, and high below low, in proportion to the price: such a bar is emitted with
   * low and high widened to hold them. For computed prices, whose last digit is off; `1e-9` is plenty. From 0 to 0.01, default 0.
   */
  readonly ohlcTolerance?: number;
}

/** The fields of a record of kind `K` that a file can hold. */
export type RecordField<K extends RecordKind> = Exclude<keyof RecordOf<K>, 'kind'> & string;

/** How {@link replayFile} reads the records of a kind. */
export interface ReplayRecordsConfig<K extends RecordKind> extends RecordConfig {
  /** The kind of the records: `'trade'`, `'quote'`, `'option'`, `'news'`, `'fundamental'`, `'gap'`. */
  readonly kind: K;
  /** The column of each field whose column is not named after it, in its own spelling or that of the store's tables. */
  readonly columns?: Readonly<Partial<Record<RecordField<K>, string | readonly string[]>>>;
  /** The fields that records may lack. A default is for a record that lacks the field. Of any field but times and `seq`. */
  readonly defaults?: Readonly<Partial<Omit<RecordOf<K>, 'kind' | 'ts' | 'publishedAt' | 'from' | 'to' | 'seq'>>>;
}

interface ItemsConfig<T> extends FileConfig {
  /** `'max'`, or this multiple of the time that `timeOf` gives. Above 0, default `'max'`. */
  readonly speed?: 'max' | number;
  /** The time of an item in milliseconds; required with a `speed`. */
  readonly timeOf?: (item: T) => number;
}

/** The options of {@link replayFile} for items that a function of yours makes of records. */
export interface ReplayItemsConfig<T> extends ItemsConfig<T> {
  /**
   * Makes an item of a record: a CSV row as strings by column, or a JSON object. If it throws, the record is a bad row with
   * the error's message as the reason.
   */
  readonly toItem: (record: FileRecord, place: RecordPlace) => T;
}

/** The options of {@link replayFile} for items that a codec makes of records. */
export interface ReplayDecodedConfig<T> extends ItemsConfig<T> {
  /** An io-ts decoder or a Standard Schema (zod, valibot, arktype) that makes an item of a record. A record that it refuses is a bad row. */
  readonly codec: Codec<T>;
}

/** Whatever {@link replayFile} takes. */
export type ReplayFileConfig<T> =
  | ReplayBarsConfig
  | ReplayRecordsConfig<RecordKind>
  | ReplayItemsConfig<T>
  | ReplayDecodedConfig<T>;
