import type { SchedulerLike } from 'rxjs';
import { isMissing } from '../disk.js';
import { lockFolder } from '../folderLock.js';
import {
  comparePositions,
  type EncodedEntry,
  type Entry,
  type EntryCount,
  type Placed,
  type Position,
  sumOf,
} from './entryFormat.js';
import { GroupCommit, type Hold } from './groupCommit.js';
import type { MarkSign } from './journal.js';
import { LogCommon, type LogProblem } from './logCommon.js';
import { type Region, readSegment, type Segment, type SegmentLine } from './segment.js';
import { SegmentFolder, type SegmentFolderConfig } from './segmentFolder.js';

export interface SegmentLogConfig<E, D = E> extends SegmentFolderConfig<E, D> {
  readonly scheduler: SchedulerLike;
  /** The wall clock, which names segments. */
  readonly now: () => number;
  /** Called at each commit that fails, while entries wait. */
  readonly onHold?: () => void;
  readonly onProblem?: (problem: LogProblem) => void;
  /** What logs in folders of one tree have in common. Default: nothing is shared. */
  readonly common?: LogCommon;
  /** Tells the quarantined parts of one log from those of another in the same quarantine: lower-case letters and a hyphen. */
  readonly prefix?: string;
}

interface AppendPiece extends EncodedEntry {
  placed?: Placed;
}

interface MarkPiece {
  readonly segment: Segment;
  readonly sign: MarkSign;
  readonly entries: readonly Placed[];
}

type SealPiece = { readonly isSeal: true };
type Piece = AppendPiece | MarkPiece | SealPiece;

const isAppend = (piece: Piece): piece is AppendPiece => 'rest' in piece;
const isMark = (piece: Piece): piece is MarkPiece => 'sign' in piece;
const isSeal = (piece: Piece): piece is SealPiece => 'isSeal' in piece;

/**
 * A durable log of entries in one folder: segments of lines, each with a journal of what has become of its entries. It knows
 * of an entry only what its {@link EntryFormat} says, so that dead letters, data that is spilled to disk and checkpoints can
 * stand on it.
 *
 * ```text
 * <folder>/1732780800000.ndjson     entries, one per line; sealed segments and the active one
 *          1732780800000.journal    ["-",1,2]: removed; ["+",3]: begun; ["=",3]: begun, and ended without a result
 *          quarantine/              parts of segments that are no entries, byte for byte
 * ```
 *
 * - What is appended or marked is on the disk when its promise resolves. Calls that wait at the same time share one write and
 *   one sync.
 * - While the disk accepts nothing, they wait, and {@link hold} is set. Each is tried again until it succeeds or the log is
 *   closed; a full disk can still lose a segment of which every entry is removed.
 * - A crash leaves a torn last line at most; it is moved to quarantine, as is every other line that is no entry. An entry of a
 *   version that the format does not know stays where it is.
 * - A segment is deleted when all its entries are removed and nothing else is in it.
 *
 * Only one process may use a folder: {@link openSegmentLog} holds its lock.
 */
export class SegmentLog<E, D = E> {
  readonly common: LogCommon;
  readonly #config: SegmentLogConfig<E, D>;
  readonly #segments: SegmentFolder<E, D>;
  readonly #commits: GroupCommit<Piece>;
  readonly #unlock: (() => Promise<void>) | undefined;

  /** `unlock` is called when it has closed. */
  constructor(config: SegmentLogConfig<E, D>, unlock?: () => Promise<void>) {
    const { disk, folder, scheduler, now, onHold = () => {} } = config;
    this.#config = config;
    this.#unlock = unlock;
    this.common = config.common ?? new LogCommon(disk, folder, now);
    this.#segments = new SegmentFolder(config, () => this.common.nextName());
    this.#commits = new GroupCommit<Piece>({ commit: (group, done) => this.#commit(group, done), scheduler, onHold });
  }

  /** Reads what lies in the folder, and moves to quarantine what is no entry. Comes before everything else. */
  async load(): Promise<void> {
    if (!this.#config.common) await this.common.load();
    const names = await this.#segments.load(({ path, is }) =>
      this.#config.onProblem?.({ kind: 'passedOver', path, is }),
    );
    this.common.taken(names);
    for (const { name, unknownVersion } of this.#segments.segments.values()) {
      if (unknownVersion > 0)
        this.#config.onProblem?.({ kind: 'unknownVersion', segment: name, entries: unknownVersion });
    }
    // A full disk must not keep the entries from being read: what is damaged stays in its segment until there is room.
    await this.#sweep().catch(() => {});
  }

  /** What is in the log and not removed. */
  get count(): EntryCount {
    return sumOf(this.#segments.segments.values());
  }

  /** How many entries are of a version that the format does not know. */
  get unknownVersion(): number {
    return [...this.#segments.segments.values()].reduce((sum, { unknownVersion }) => sum + unknownVersion, 0);
  }

  /** Set while the disk accepts nothing. */
  get hold(): Hold | undefined {
    return this.#commits.hold;
  }

  /** The entries that are not durable yet. */
  get waiting(): EntryCount {
    return sumOf([...this.#commits.waiting].filter(isAppend));
  }

  /** Resolves to the places of the entries when they are durable. Entries that are passed together may come to lie apart. */
  async append(drafts: readonly D[]): Promise<Placed[]> {
    const pieces = drafts.map((draft): AppendPiece => ({ ...this.#config.format.encode(draft) }));
    await Promise.all(pieces.map((piece) => this.#commits.push(piece)));
    return pieces.map(({ placed }) => placed!);
  }

  /** Marks entries, durably. Those that are removed (`-`) are gone when the promise resolves. Unknown ones are skipped. */
  async mark(sign: MarkSign, entries: readonly Placed[]): Promise<void> {
    const names = new Set(entries.map((entry) => entry.segment));
    const work = [...names].map((name) => {
      const segment = this.#segments.segments.get(name);
      const marked = entries.filter((entry) => entry.segment === name);
      return segment && this.#commits.push({ segment, sign, entries: marked });
    });
    await Promise.all(work);
  }

  /** How often work on an entry has begun (`+`) and not ended. */
  begun({ segment, ordinal }: Position): number {
    return this.#segments.segments.get(segment)?.journal.begun(ordinal) ?? 0;
  }

  /**
   * The entries that are in the log now, oldest first, from a position on; what is appended later is not among them. Calls
   * `skipped` for each that is there and cannot be read.
   */
  async *read(from?: Position, skipped: () => void = () => {}): AsyncGenerator<Entry<E>> {
    for await (const block of this.readBlocks(from, skipped)) {
      for (const entry of block) if (!this.isRemoved(entry)) yield entry;
    }
  }

  /** The same in blocks, which is faster. What is removed once its block was read may be in it. */
  async *readBlocks(from?: Position, skipped: () => void = () => {}): AsyncGenerator<Entry<E>[]> {
    const upTo = [...this.#segments.segments.values()].map((segment) => [segment, segment.last] as const);
    for (const [segment, last] of upTo) {
      const isBefore = from !== undefined && comparePositions({ segment: segment.name, ordinal: last }, from) < 0;
      if (segment.entries === 0 || isBefore) continue;
      try {
        for await (const lines of readSegment(this.#config, segment)) {
          const entries: Entry<E>[] = [];
          for (const line of lines) {
            const { parsed, ordinal, weight, length } = line;
            if (parsed.is === 'corrupt' && ordinal > 0 && segment.isSealed) await this.#condemn(segment, line);
            if (ordinal === 0 || ordinal > last) continue;
            if (from && comparePositions({ segment: segment.name, ordinal }, from) < 0) continue;
            if (parsed.is === 'entry') {
              entries.push({ segment: segment.name, ordinal, weight, value: parsed.value, bytes: length });
            } else skipped();
          }
          if (entries.length > 0) yield entries;
        }
      } catch (error) {
        // All its entries were removed meanwhile.
        if (!isMissing(error)) throw error;
      }
    }
  }

  /** Whether an entry that was read is removed by now. */
  isRemoved({ segment, ordinal }: Position): boolean {
    return this.#segments.segments.get(segment)?.journal.isRemoved(ordinal) ?? true;
  }

  /** Ends the active segment: what is appended from now on begins the next, and a full disk can lose this one. */
  seal(): Promise<void> {
    return this.#commits.push({ isSeal: true });
  }

  /** Fails what is not durable with `error`, closes the files and releases the lock. */
  async close(error: unknown = new Error(`the log in ${this.#config.folder} is closed`)): Promise<void> {
    this.#commits.end(error);
    // A commit in flight may be stuck in a disk that does not answer: it is not awaited.
    await this.#segments.close().catch(() => {});
    await this.#unlock?.();
  }

  /** What frees space does not wait for what needs it: each kind of work is tried, whatever has become of the others. */
  async #commit(group: readonly Piece[], done: (piece: Piece) => void): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    const failed = (error: unknown): void => {
      failure ??= { error };
    };
    const isPlaced = (piece: AppendPiece, placed: Placed): void => {
      piece.placed = placed;
      done(piece);
    };
    const appends = group.filter(isAppend);
    if (appends.length > 0) await this.#segments.append(appends, isPlaced).catch(failed);
    const seals = group.filter(isSeal);
    if (seals.length > 0) await this.#segments.seal().then(() => seals.forEach(done), failed);
    const marks = group.filter(isMark);
    for (const segment of new Set(marks.map((piece) => piece.segment))) {
      const own = marks.filter((piece) => piece.segment === segment);
      await this.#commitMarks(segment, own, done).catch(failed);
    }
    if (failure) throw failure.error;
  }

  async #commitMarks(segment: Segment, marks: readonly MarkPiece[], done: (piece: Piece) => void): Promise<void> {
    const journaled = marks.map(({ sign, entries }) => [sign, entries.map(({ ordinal }) => ordinal)] as const);
    try {
      await this.#segments.mark(segment, journaled);
    } catch (error) {
      // A disk without room for a line of the journal can still delete a file, if nothing else is in it.
      if (!removesAll(segment, marks)) throw error;
      await this.#segments.discard(segment);
    }
    for (const { sign, entries } of marks) {
      for (const { ordinal, weight } of entries) {
        if (sign === '-') segment.remove(ordinal, weight);
        else segment.journal.apply(sign, ordinal);
      }
    }
    // A segment that cannot be removed now is tried again with the next one, or when the log is opened.
    if (segment.isSpent) await this.#sweep().catch(() => {});
    for (const piece of marks) done(piece);
  }

  async #sweep(): Promise<void> {
    const segments = [...this.#segments.segments.values()];
    for (const segment of segments) {
      while (segment.isSealed && segment.broken.length > 0) {
        await this.#quarantine(segment, segment.broken[0]!);
        segment.broken.shift();
      }
    }
    for (const segment of segments) if (segment.isSpent) await this.#segments.discard(segment);
  }

  async #quarantine(segment: Segment, { offset, length }: Region): Promise<void> {
    const { path, isNew } = await this.common.quarantine.keep(segment, { offset, length }, this.#config.prefix);
    if (isNew) this.#config.onProblem?.({ kind: 'quarantined', segment: segment.name, offset, length, path });
  }

  /** Removes a line whose head looked like that of an entry, and which is none. If it cannot be copied, it stays. */
  async #condemn(segment: Segment, line: SegmentLine<E>): Promise<void> {
    try {
      await this.#quarantine(segment, line);
    } catch {
      return;
    }
    if (segment.journal.isRemoved(line.ordinal)) return;
    const { ordinal, weight } = line;
    await this.#commits.push({ segment, sign: '-', entries: [{ segment: segment.name, ordinal, weight }] });
  }
}

/** Whether nothing in a segment is needed any more with these marks. */
function removesAll(segment: Segment, marks: readonly MarkPiece[]): boolean {
  const removed = marks.filter(({ sign }) => sign === '-').flatMap(({ entries }) => entries);
  const open = new Set(removed.map(({ ordinal }) => ordinal).filter((ordinal) => !segment.journal.isRemoved(ordinal)));
  return segment.isSealed && segment.isSound && open.size === segment.entries;
}

/** Opens the log of a folder, which is created if need be, and holds its lock until it is closed. */
export async function openSegmentLog<E, D = E>(config: SegmentLogConfig<E, D>): Promise<SegmentLog<E, D>> {
  const { disk, folder } = config;
  await disk.makeFolder(folder);
  const unlock = await lockFolder(folder);
  try {
    const log = new SegmentLog(config, unlock);
    await log.load();
    return log;
  } catch (error) {
    await unlock();
    throw error;
  }
}
