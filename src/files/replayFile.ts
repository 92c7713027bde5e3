import { statSync } from 'node:fs';
import type { Observable } from 'rxjs';
import { gatedSource, type Outlet } from '../flow/gatedSource.js';
import type { Bar } from '../market/bar.js';
import type { MarketEvent, RecordKind, RecordOf } from '../market/recordKinds.js';
import { printable } from '../primitives/printable.js';
import { type BadRow, RowProblem } from './read/fileRecord.js';
import { NoGoodRowError } from './read/noGoodRowError.js';
import type {
  ReplayBarsConfig,
  ReplayDecodedConfig,
  ReplayFileConfig,
  ReplayItemsConfig,
  ReplayRecordsConfig,
} from './read/replayConfig.js';
import { type ItemReader, type ReaderFor, type ReplaySettings, requireReplay } from './read/replaySettings.js';
import { RowFile } from './read/rowFile.js';
import { RowLetters } from './read/rowLetters.js';

export type { BarDefaults, BarField } from './read/barReader.js';
export type { BadRow, FileRecord, RecordPlace } from './read/fileRecord.js';
export type {
  BarFieldColumns,
  RecordField,
  ReplayBarsConfig,
  ReplayDecodedConfig,
  ReplayItemsConfig,
  ReplayRecordsConfig,
} from './read/replayConfig.js';

/**
 * Emits the records of a file, CSV or NDJSON, plain or in gzip, zstd or zip: as bars, as records of another `kind`, or as the
 * items that `toItem` or `codec` makes of them. What psql's `\copy` writes of a table of the store is read back as it was. The
 * file is streamed, may be larger than memory, and is read only while the gate downstream is open.
 *
 * ```text
 * file       a b c ? d e f                      ?: a bad row, counted and reported
 * gate       open--closed-------open
 * output     a-b-c--------------d-e-f|
 * ```
 *
 * **Emits when** a record is read and the gate is open. If `speed` is a factor, a record is emitted when its time has come,
 * counted from the first record, which is emitted immediately. So is a record whose time is before its predecessor's.
 * **Backpressure**: pauses. While the gate is closed the file is not read; at most 128 KiB of it are held, 256 KiB of gzip.
 * The clock of `speed` stands still while the source waits at the gate.
 * **Completes when** the file has ended, or the pipeline is asked to drain. Letters under way are finished first. A file
 * with a header alone completes without an item.
 * **Errors when** the file does not exist (`FileNotFoundError`); it cannot be read, is no text, its gzip is truncated or its
 * CSV header is unusable (`UnreadableFileError`, after the records before the fault, says what it is and what to do); a column
 * of a CSV file is missing (`MissingColumnError`); it has rows and none of them is good (`NoGoodRowError`, at its end); a bad
 * row cannot be kept in `badRows`; or `onBadRow` throws.
 * **On unsubscribe** closes the file.
 *
 * **Delivery**: each subscription reads the file from the beginning, and one file gives the same bars with the same `seq`,
 * so reading it twice changes nothing in a table. A bad row is passed to `onBadRow` with file, line, column and reason; the rows
 * around it are emitted. It counts as dropped, reason `badRow`, or with `badRows` as diverted once its letter is durable.
 *
 * **Gotchas**:
 * - A quoted field may span lines, up to `maxRecordBytes`. If its quote is not closed so that the record has the fields of the
 *   header, only the line with the quote is a bad row.
 * - Blanks around a CSV value are no part of it, unless they are quoted. Lines of blanks and delimiters alone, and lines that
 *   repeat the header, are passed over.
 * - Times without an offset are in `timeZone`, UTC by default.
 * - A default is for a record that lacks the field: one with an empty or wrong value is a bad row.
 * - Bars are checked here, so `marketDataToStore` may be given `check: false`.
 * - Without a `seq` column, `seq` counts lines, so of two files with the same bars the longer one may win. `seqFrom: 'mtime'`
 *   numbers by the time at which the file was modified.
 *
 * @example
 * ```ts
 * import { replayFile } from 'sluice/sources';
 *
 * replayFile('node_modules/vega-datasets/data/sp500-2000.csv', {
 *   columns: { ts: 'date' },
 *   defaults: { vendor: 'vega', symbol: 'SPX', timeframe: '1d' },
 *   onBadRow: (row) => console.warn(row.message),
 * }).subscribe((bar) => console.log(bar.ts, bar.close));
 * ```
 */
export function replayFile<T>(path: string | URL, config: ReplayItemsConfig<T>): Observable<T>;
export function replayFile<T>(path: string | URL, config: ReplayDecodedConfig<T>): Observable<T>;
export function replayFile<K extends RecordKind>(
  path: string | URL,
  config: ReplayRecordsConfig<K>,
): Observable<RecordOf<K>>;
export function replayFile(path: string | URL, config?: ReplayBarsConfig): Observable<Bar>;
export function replayFile<T>(path: string | URL, config: ReplayFileConfig<T> = {}): Observable<T | MarketEvent> {
  const settings: ReplaySettings<T | MarketEvent> = requireReplay(path, config);
  const { file, onBadRow, badRows, speed, name } = settings;

  return gatedSource<T | MarketEvent>(settings, (outlet) => {
    let reader: ItemReader<T | MarketEvent> | undefined;
    /** The item that was read and waits for its time. */
    let waiting: { readonly item: T | MarketEvent; readonly dueAt: number } | undefined;
    let firstTime: number | undefined;
    let startedAt = 0;
    const rows = new RowFile(settings, () => outlet.wake());
    const letters = badRows && new RowLetters(badRows, outlet as Outlet<never>);
    let readerFor: ReaderFor<T | MarketEvent> | undefined;
    let isAnyGood = false;
    let refused = 0;
    /** The message of the first bad row. */
    let firstBad = '';

    const refuse = ({ reason, column }: RowProblem) => {
      const { line, raw } = rows;
      const where = column === undefined ? '' : `${column}: `;
      const message = printable(`${file}:${line}: ${where}${reason}`);
      const row: BadRow = { file, line, column, reason, message, raw };
      if (refused === 0) firstBad = message;
      refused += 1;
      if (letters) letters.keep(row);
      else outlet.drop('badRow');
      if (onBadRow) onBadRow(row);
      else if (!letters) outlet.refused('badRow', message);
    };

    let size: number | undefined;
    let isRead = false;
    outlet.progress(() => {
      // A pipe has no size.
      size ??= statSync(file).size || undefined;
      return size === undefined ? undefined : { done: isRead ? size : rows.bytesRead, total: size, unit: 'bytes' };
    });

    const schedule = (item: T | MarketEvent, time: number, factor: number) => {
      if (!Number.isFinite(time)) throw new RangeError(`${name}: timeOf must give a finite number, got ${time}`);
      if (firstTime === undefined) {
        firstTime = time;
        startedAt = outlet.now();
      }
      waiting = { item, dueAt: startedAt + (time - firstTime) / factor };
    };

    const emitWaiting = (): boolean => {
      const { item, dueAt } = waiting!;
      if (outlet.now() < dueAt) {
        outlet.sleepUntil(dueAt);
        return false;
      }
      waiting = undefined;
      outlet.next(item);
      return true;
    };

    outlet.pump(() => {
      if (waiting) return emitWaiting();
      if (letters?.isFull) return false;
      readerFor ??= settings.open();
      const row = rows.next();
      if (row === 'later') return false;
      if (!reader && rows.format === 'ndjson') reader = readerFor(undefined);
      else if (!reader && rows.columns) reader = readerFor(rows.columns);
      if (row === 'end') {
        // An empty NDJSON file has no records; an empty CSV file lacks its header.
        if (!reader) readerFor([]);
        if (letters && !letters.isIdle) return false;
        if (refused > 0 && !isAnyGood) throw new NoGoodRowError(file, refused, firstBad);
        // Of an archive, not every byte is read.
        isRead = true;
        outlet.complete();
        return true;
      }
      const item = row instanceof RowProblem ? row : reader!.read(row, rows.line);
      if (item instanceof RowProblem) {
        refuse(item);
        return true;
      }
      isAnyGood = true;
      if (speed === 'max') outlet.next(item);
      else schedule(item, reader!.timeOf(item), speed);
      return true;
    });
    return () => {
      rows.close();
      letters?.cancel();
    };
  });
}
