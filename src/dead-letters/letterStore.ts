import type { SchedulerLike } from 'rxjs';
import { type Disk, isMissing } from '../disk/disk.js';
import { GroupCommit } from '../disk/groupCommit.js';
import { type DeadLetter, type LetterFilter, type LetterState, matches, type Tally } from './deadLetter.js';
import { LetterArea } from './letterArea.js';
import { LetterFormat } from './letterFormat.js';
import type { EncodedLetter } from './letterLine.js';
import { applyMark, type MarkSign } from './letterMarks.js';
import { Quarantine } from './quarantine.js';
import { type Region, readSegment, type Segment } from './segment.js';

/** Something in the folder that is no letter that can be read. It stays where it is, or in quarantine. */
export type LetterProblem =
  | {
      readonly kind: 'quarantined';
      readonly segment: string;
      readonly offset: number;
      readonly length: number;
      /** Where the bytes are kept. */
      readonly path: string;
    }
  | { readonly kind: 'unknownVersion'; readonly segment: string; readonly letters: number };

export interface StoreSettings {
  readonly disk: Disk;
  readonly folder: string;
  readonly segmentBytes: number;
  readonly maxLetterBytes: number;
  readonly scheduler: SchedulerLike;
  readonly now: () => number;
  readonly onHold: () => void;
  readonly onProblem: (problem: LetterProblem) => void;
}

/** Where a letter lies, and what it counts for. */
export interface LetterPlace {
  readonly segment: Segment;
  readonly ordinal: number;
  /** How many items it has. */
  readonly count: number;
}

/** A letter that nobody else touches until it is settled or released. */
export interface LeasedLetter extends LetterPlace {
  readonly letter: DeadLetter;
  /** How long its line is. */
  readonly bytes: number;
}

interface LetterPiece extends EncodedLetter {
  readonly state: LetterState;
  id?: string;
}

interface MarkPiece {
  readonly segment: Segment;
  readonly sign: MarkSign;
  readonly letters: readonly LetterPlace[];
}

interface SealPiece {
  readonly seal: LetterState;
}

type CondemnedLine = Region & { readonly ordinal: number; readonly items: number };

type Piece = LetterPiece | MarkPiece | SealPiece;

const isLetter = (piece: Piece): piece is LetterPiece => 'rest' in piece;
const isMark = (piece: Piece): piece is MarkPiece => 'sign' in piece;
const isSeal = (piece: Piece): piece is SealPiece => 'seal' in piece;

/** The dead letters of one folder, for all in this process that have it open. */
export class LetterStore {
  readonly settings: StoreSettings;
  readonly quarantine: Quarantine;
  readonly #areas: Readonly<Record<LetterState, LetterArea>>;
  readonly #format = new LetterFormat();
  readonly #commits: GroupCommit<Piece>;
  readonly #leases = new Set<string>();
  #lastName = 0;

  constructor(settings: StoreSettings) {
    const { disk, folder, scheduler, onHold } = settings;
    this.settings = settings;
    this.quarantine = new Quarantine(disk, folder);
    const area = { ...settings, format: this.#format, nextName: () => this.#nextName() };
    this.#areas = { open: new LetterArea('open', area), parked: new LetterArea('parked', area) };
    this.#commits = new GroupCommit<Piece>({ commit: (group, done) => this.#commit(group, done), scheduler, onHold });
  }

  /** Takes up what lies in the folder, and puts in quarantine what is no letter. */
  async load(): Promise<void> {
    const { open, parked } = this.#areas;
    await this.settings.disk.makeFolder(this.settings.folder);
    await this.quarantine.load();
    for (const name of [...(await open.load()), ...(await parked.load()), ...this.quarantine.segments]) {
      this.#lastName = Math.max(this.#lastName, Number(name));
    }
    for (const area of [open, parked]) {
      for (const { name, unknownVersion } of area.segments) {
        if (unknownVersion > 0) this.#report({ kind: 'unknownVersion', segment: name, letters: unknownVersion });
      }
      // A full disk must not keep the letters from being read: what is damaged stays in its segment until there is room.
      await this.#sweep(area).catch(() => {});
    }
  }

  tally(state: LetterState): Tally {
    return this.#areas[state].tally;
  }

  get unknownVersion(): number {
    return this.#areas.open.unknownVersion + this.#areas.parked.unknownVersion;
  }

  get hold(): GroupCommit<Piece>['hold'] {
    return this.#commits.hold;
  }

  /** The letters that are not durable yet. */
  get waiting(): Tally {
    let letters = 0;
    let items = 0;
    for (const piece of this.#commits.waiting) {
      if (!isLetter(piece)) continue;
      letters += 1;
      items += piece.count;
    }
    return { letters, items };
  }

  /** Resolves to the ids of the letters when they are durable. */
  async append(state: LetterState, letters: readonly EncodedLetter[]): Promise<string[]> {
    const pieces = letters.map((letter): LetterPiece => ({ ...letter, state }));
    await Promise.all(pieces.map((piece) => this.#commits.push(piece)));
    return pieces.map(({ id }) => id!);
  }

  /** Marks letters, durably. Those that are removed are gone when the promise resolves. */
  async mark(sign: MarkSign, letters: readonly LetterPlace[]): Promise<void> {
    const bySegment = new Map<Segment, LetterPlace[]>();
    for (const place of letters) {
      const group = bySegment.get(place.segment);
      if (group) group.push(place);
      else bySegment.set(place.segment, [place]);
    }
    const pieces = [...bySegment].map(([segment, marked]) => ({ segment, sign, letters: marked }));
    await Promise.all(pieces.map((piece) => this.#commits.push(piece)));
  }

  /**
   * The letters that are there now, oldest first, each leased to whoever takes it. What is appended later is not among them,
   * and neither is what another has leased. `passed` is told of each that is there and not meant.
   */
  async *lease(state: LetterState, filter: LetterFilter, passed = () => {}): AsyncGenerator<LeasedLetter> {
    const area = this.#areas[state];
    const { disk, maxLetterBytes } = this.settings;
    const upTo = new Map(area.segments.map((segment) => [segment, segment.last]));
    for (const [segment, last] of upTo) {
      if (segment.openLetters === 0) continue;
      try {
        for await (const line of readSegment(disk, segment, this.#format, maxLetterBytes)) {
          const { parsed, ordinal } = line;
          if (parsed.is === 'corrupt' && ordinal > 0 && segment.isSealed) await this.#condemn(segment, line);
          if (ordinal === 0 || ordinal > last) continue;
          const key = leaseKey(segment, ordinal);
          if (parsed.is !== 'letter' || !matches(parsed.letter, filter) || this.#leases.has(key)) {
            passed();
            continue;
          }
          this.#leases.add(key);
          const count = parsed.letter.items.length;
          yield { segment, ordinal, count, letter: parsed.letter, bytes: line.length };
        }
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
  }

  release(letters: Iterable<LetterPlace>): void {
    for (const { segment, ordinal } of letters) this.#leases.delete(leaseKey(segment, ordinal));
  }

  /** What stands there now is a segment of its own: what is appended from now on comes into the next. */
  seal(state: LetterState): Promise<void> {
    return this.#commits.push({ seal: state });
  }

  /** Gives up what is not durable, with an error. */
  async close(lateness: () => unknown): Promise<void> {
    this.#commits.end(lateness());
    // What is under way may be stuck in a disk that does not answer: it is not waited for.
    await Promise.all([this.#areas.open.close(), this.#areas.parked.close()]).catch(() => {});
  }

  async #commit(group: readonly Piece[], done: (piece: Piece) => void): Promise<void> {
    for (const area of [this.#areas.open, this.#areas.parked]) {
      const letters = group.filter(isLetter).filter(({ state }) => state === area.state);
      await area.append(letters, (letter, id) => {
        letter.id = id;
        done(letter);
      });
    }
    for (const piece of group.filter(isSeal)) {
      await this.#areas[piece.seal].seal();
      done(piece);
    }
    const marks = group.filter(isMark);
    for (const segment of new Set(marks.map((piece) => piece.segment))) {
      const ours = marks.filter((piece) => piece.segment === segment);
      const area = this.#areas[segment.state];
      try {
        await area.mark(
          segment,
          ours.map(({ sign, letters }) => [sign, letters.map(({ ordinal }) => ordinal)]),
        );
      } catch (error) {
        // A disk without room for a line of the journal can still let go of a file, where nothing else is in it.
        if (!settlesAll(segment, ours)) throw error;
        await area.discard(segment);
      }
      for (const { sign, letters } of ours) {
        for (const { ordinal, count } of letters) {
          if (sign === '-') segment.remove(ordinal, count);
          else applyMark(segment.marks, sign, ordinal);
        }
      }
      // One that cannot be removed now is tried again with the next, or when the folder is opened.
      if (segment.isSpent) await this.#sweep(area).catch(() => {});
      for (const piece of ours) done(piece);
    }
  }

  async #sweep(area: LetterArea): Promise<void> {
    for (const segment of area.segments) await this.#quarantine(segment);
    await area.sweep();
  }

  async #quarantine(segment: Segment): Promise<void> {
    while (segment.isSealed && segment.broken.length > 0) {
      const region = segment.broken[0]!;
      const { path, isNew } = await this.quarantine.keep(segment, region);
      segment.broken = segment.broken.filter((one) => one !== region);
      if (isNew) this.#report({ kind: 'quarantined', segment: segment.name, ...region, path });
    }
  }

  /** A line that looked like a letter from outside, and is none. Where it cannot be copied it stays what it was. */
  async #condemn(segment: Segment, { offset, length, ordinal, items }: CondemnedLine): Promise<void> {
    try {
      const { path, isNew } = await this.quarantine.keep(segment, { offset, length });
      if (isNew) this.#report({ kind: 'quarantined', segment: segment.name, offset, length, path });
    } catch {
      return;
    }
    if (segment.marks.isRemoved(ordinal)) return;
    await this.#commits.push({ segment, sign: '-', letters: [{ segment, ordinal, count: items }] });
  }

  #report(problem: LetterProblem): void {
    this.settings.onProblem(problem);
  }

  #nextName(): string {
    this.#lastName = Math.max(this.#lastName + 1, Math.floor(this.settings.now()));
    return String(this.#lastName).padStart(13, '0');
  }
}

function leaseKey({ state, name }: Segment, ordinal: number): string {
  return `${state}/${name}-${ordinal}`;
}

/** Whether nothing in a segment is needed any more with these marks. */
function settlesAll(segment: Segment, marks: readonly MarkPiece[]): boolean {
  const removed = marks.filter(({ sign }) => sign === '-').flatMap(({ letters }) => letters);
  const open = new Set(removed.map(({ ordinal }) => ordinal).filter((ordinal) => !segment.marks.isRemoved(ordinal)));
  return segment.isSealed && segment.isSound && open.size === segment.openLetters;
}
