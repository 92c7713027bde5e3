import { ReadableTap } from '../../flow/readableTap.js';
import { CsvParser } from './csvParser.js';
import { type FileFormat, formatOfName } from './fileFormat.js';
import { FileNotFoundError } from './fileNotFoundError.js';
import type { FileRecord, RowProblem } from './fileRecord.js';
import { type Line, LineSplitter } from './lineSplitter.js';
import { NdjsonParser } from './ndjsonParser.js';
import { type FileBytes, openBytes } from './openBytes.js';
import { bareLine, type FileSettings, type RecordParser, textOf } from './recordParser.js';
import { UnreadableFileError } from './unreadableFileError.js';

/** Reads the records of a file on demand: the first {@link next} opens it, and no more is read than is asked for. */
export class RowFile {
  readonly #settings: FileSettings;
  readonly #onChange: () => void;
  readonly #splitter: LineSplitter;
  #parser: RecordParser | undefined;
  #bytes: FileBytes | undefined;
  #tap: ReadableTap<Buffer> | undefined;
  #lines: Line[] = [];
  /** The first of the lines that is not taken yet. */
  #next = 0;
  /** How many lines were taken since the beginning of the file. */
  #taken = 0;
  /** How many lines the last record has. */
  #span = 0;
  #ended = false;
  readonly #counts = { read: 0 };

  /** `onChange` is called when `next` may have an answer again. */
  constructor(settings: FileSettings, onChange: () => void) {
    this.#settings = settings;
    this.#onChange = onChange;
    this.#splitter = new LineSplitter(settings.maxRecordBytes);
  }

  /** `undefined` until the file has told it. */
  get format(): FileFormat | undefined {
    return this.#settings.format ?? formatOfName(this.#bytes?.innerName ?? '');
  }

  /** The columns of the file, once a record was read. */
  get columns(): readonly string[] | undefined {
    return this.#parser?.columns;
  }

  /** How much of the file was read, in bytes of the file as it is: of a compressed one, of compressed bytes. */
  get bytesRead(): number {
    return this.#counts.read;
  }

  /** The number of the first line of the record that was read last. */
  get line(): number {
    return this.#taken - this.#span + 1;
  }

  /** The lines of the record that was read last; of one that is too long, its beginning. */
  get raw(): string {
    return bareLine(
      this.#lines
        .slice(this.#next - this.#span, this.#next)
        .map(textOf)
        .join('\n'),
    );
  }

  /** The next record, what is wrong with it, or that there is none yet, or no more. Throws if the file cannot be read. */
  next(): FileRecord | RowProblem | 'later' | 'end' {
    for (;;) {
      const line = this.#lines[this.#next];
      let record: ReturnType<RecordParser['parse']> = 'more';
      if (line !== undefined) {
        if (isBlank(line) || this.#taken < this.#settings.skipLines) {
          this.#take(1);
          continue;
        }
        this.#parser ??= this.#makeParser();
        record = this.#parser.parse(this.#lines, this.#next, this.#taken + 1, this.#ended);
      }
      if (record !== 'more') {
        this.#take(this.#parser!.taken);
        if (record) return record;
      } else {
        const state = this.#refill();
        if (state !== 'more') return state;
      }
    }
  }

  #makeParser(): RecordParser {
    const { format } = this;
    if (format) return format === 'csv' ? new CsvParser(this.#settings) : new NdjsonParser(this.#settings);
    const name = this.#bytes?.innerName;
    const cause = new Error(
      `${name === undefined ? 'its name' : `the name of ${JSON.stringify(name)} in it`} does not end in .csv, .tsv, .ndjson or .jsonl; give format`,
    );
    throw new UnreadableFileError(this.#settings.file, 0, { cause });
  }

  #take(lines: number): void {
    this.#next += lines;
    this.#taken += lines;
    this.#span = lines;
  }

  close(): void {
    this.#tap?.close();
  }

  #refill(): 'more' | 'later' | 'end' {
    if (this.#ended) {
      if (this.#tap?.failure) throw this.#failure(this.#tap.failure.error);
      return 'end';
    }
    this.#bytes ??= openBytes(this.#settings.file, { ...this.#settings, counts: this.#counts });
    this.#tap ??= new ReadableTap<Buffer>(this.#bytes, this.#onChange);
    const tap = this.#tap;
    const chunk = tap.read();
    if (chunk) {
      this.#add(this.#splitter.push(chunk));
      return 'more';
    }
    if (!tap.ended && !tap.failure) return 'later';
    this.#ended = true;
    // A line that a fault cuts off is no line. Those before it that wait for the end of a quote get no more of it.
    if (!tap.failure) this.#add(this.#splitter.end());
    return 'more';
  }

  /** Behind those that are not taken yet, of which there are any only while the end of a quoted field is looked for. */
  #add(lines: Line[]): void {
    if (this.#next === this.#lines.length) this.#lines = lines;
    else {
      this.#lines.splice(0, this.#next);
      for (const line of lines) this.#lines.push(line);
    }
    this.#next = 0;
  }

  #failure(cause: unknown): Error {
    const { file } = this.#settings;
    if ((cause as { code?: unknown } | undefined)?.code === 'ENOENT') return new FileNotFoundError(file, { cause });
    return new UnreadableFileError(file, this.#taken, { cause });
  }
}

const SPACE = 0x20;
const MARK = 0xfeff;

function isBlank(line: Line): boolean {
  if (typeof line !== 'string') return false;
  const first = line.charCodeAt(0);
  return line === '' || ((first <= SPACE || first === MARK) && line.trim() === '');
}
