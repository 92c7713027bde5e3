import type { Observable } from 'rxjs';
import { gatedSource } from '../flow/gatedSource.js';
import type { Bar } from '../market/bar.js';
import { badRow, RowProblem } from './read/fileRecord.js';
import type { Row } from './read/recordParser.js';
import type {
  ReplayBarsConfig,
  ReplayDecodedConfig,
  ReplayFileConfig,
  ReplayItemsConfig,
} from './read/replayConfig.js';
import { type ItemReader, requireReplay } from './read/replaySettings.js';
import { RowFile } from './read/rowFile.js';

export type { BarDefaults, BarField } from './read/barReader.js';
export type { BadRow, FileRecord, RecordPlace } from './read/fileRecord.js';
export type { ReplayBarsConfig, ReplayDecodedConfig, ReplayItemsConfig } from './read/replayConfig.js';

/**
 * Emits what a file of records holds, CSV or NDJSON, plain or gzip, as bars or as whatever `toItem` or `codec` makes of a
 * record. The file is streamed, may be larger than memory, and is read only while the gate downstream is open.
 *
 * ```text
 * file       a b c ? d e f                      ?: a bad row, counted and told
 * gate       open--closed-------open
 * output     a-b-c--------------d-e-f|
 * ```
 *
 * **Emits when** a record is read and the gate is open; with `speed` a factor, when its time has come, counted from the
 * first record, which comes at once. A record whose time is before that of the one in front comes at once.
 * **Backpressure**: pauses. The file is not read while the gate is closed; up to 128 KiB of it are held, 256 KiB of gzip.
 * The clock of `speed` stands still while the source waits at the gate.
 * **Completes when** the file has ended, or the pipeline is asked to stop.
 * **Errors when** there is no such file (`FileNotFoundError`), it cannot be read, its gzip is torn or its CSV header is of
 * no use (`UnreadableFileError`, after the records before that), a column is missing (`MissingColumnError`), or `onBadRow`
 * throws.
 * **On unsubscribe** closes the file.
 *
 * **Delivery**: each subscription reads the file from its beginning, and the same file gives the same bars with the same
 * `seq`, so that reading it twice changes nothing in a table. A bad row is counted as dropped, reason `badRow`, and goes to
 * `onBadRow` with file, line, column and reason; the rows around it are emitted.
 *
 * **Gotchas**: a CSV record is one line: fields that span lines make bad rows. Dates without an offset are UTC. Of the
 * records of NDJSON the first decides which columns there are. `seq` counts lines, so of two files with the same bars the
 * longer way down wins unless `seqFrom`, or a column mapped to `seq`, says which is newer: the time at which a file was
 * made, in microseconds, is a good `seqFrom`.
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
export function replayFile(path: string | URL, config?: ReplayBarsConfig): Observable<Bar>;
export function replayFile<T>(path: string | URL, config: ReplayFileConfig<T> = {}): Observable<T | Bar> {
  const settings = requireReplay(path, config);
  const { file, format, onBadRow, speed, name, scheduler, yieldAfterMs } = settings;

  return gatedSource<T | Bar>({ name, scheduler, yieldAfterMs }, (outlet) => {
    let reader: ItemReader<T | Bar> | undefined;
    /** What is read and waits for its time. */
    let waiting: { readonly item: T | Bar; readonly dueAt: number } | undefined;
    let firstTime: number | undefined;
    let startedAt = 0;

    const refuse = (row: Row, reason: string, column?: string) => {
      outlet.drop('badRow');
      onBadRow?.(badRow({ file, line: row.line }, row.raw, reason, column));
    };

    const readRow = (row: Row) => {
      if (!row.record) {
        refuse(row, row.reason);
        return;
      }
      const { read, timeOf } = reader!;
      let item: T | Bar;
      try {
        item = read(row.record, { file, line: row.line });
      } catch (error) {
        const column = error instanceof RowProblem ? error.column : undefined;
        refuse(row, error instanceof Error ? error.message : String(error), column);
        return;
      }
      if (speed === 'max') outlet.next(item);
      else schedule(item, timeOf(item), speed);
    };

    const schedule = (item: T | Bar, time: number, factor: number) => {
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

    const rows = new RowFile(settings, () => outlet.wake());
    outlet.pump(() => {
      if (waiting) return emitWaiting();
      const row = rows.next();
      if (!reader && rows.columns) reader = settings.readerFor(rows.columns);
      // An empty NDJSON file has no records; an empty CSV file lacks its header.
      if (!reader && row === 'end' && format === 'csv') settings.readerFor([]);
      if (row === 'later') return false;
      if (row === 'end') outlet.complete();
      else readRow(row);
      return true;
    });
    return () => rows.close();
  });
}
