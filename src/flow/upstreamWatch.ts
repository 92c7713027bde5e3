import { framesAbove } from './callStack.js';
import type { Stage, StageAccount } from './stage.js';
import { type UnboundedOperator, unboundedOperatorIn, wasHeld } from './unboundedOperators.js';

/** Looks at this many subscriptions above a stage: a stack is read for each, and a source that flaps comes back for ever. */
const MAX_LOOKS = 4;
/** Looks at the first item, the second, the fourth and so on, up to this one. */
const MAX_SAMPLES = 1_024;

/** Told once per process and stage. */
const told = new Set<string>();
const MAX_TOLD = 100;

/** Has `look` called with each item that comes in, before it is taken, until it returns true. */
export type Sampler = (look: () => boolean) => void;

/**
 * Watches what is between a stage and the sources and stages above it, for operators of RxJS that hold items without a bound:
 * no gate holds them up. They are found in the call stack of the subscription.
 */
export class UpstreamWatch {
  /** The watch of the stage that the gate above this one belongs to, where that is another. */
  below: UpstreamWatch | undefined;
  sampler: Sampler | undefined;
  readonly #account: StageAccount;
  #hasSource = false;
  #operator: UnboundedOperator | undefined;
  #isCertain = false;

  constructor(account: StageAccount) {
    this.#account = account;
  }

  /**
   * Called by what subscribes next above the stage, while it does. `boundary` is what the stage has called; `isDirect` says that
   * nothing is in between.
   */
  look(boundary: string, isSource: boolean, isDirect: boolean): void {
    if (isSource) this.heardOfSource();
    if (isDirect) return;
    this.#account.looks += 1;
    if (this.#account.looks > MAX_LOOKS || this.#operator) return;
    const operator = unboundedOperatorIn(framesAbove(framesAbove) ?? [], boundary);
    if (operator) this.#found(operator);
  }

  /** What to do about an overflow; `otherwise` where no source above is known to hear the gate. */
  remedy(otherwise: string): string {
    const operator = this.#operator;
    if (operator) {
      const does = this.#isCertain ? 'holds items without a bound' : 'holds items, or makes several of one';
      return `${operator.name} above it ${does}, and no gate holds that up: ${operator.remedy}.`;
    }
    if (!this.#hasSource) return otherwise;
    return (
      `${otherwise} If its source does obey, an operator in between holds items or makes several of one: use ` +
      'boundedMergeMap(), batch() or lanes() in its place.'
    );
  }

  /** Of a stage above that has no gate of its own. */
  heardOfSource(): void {
    this.#hasSource = true;
    this.below?.heardOfSource();
  }

  /** The stage that the gate belongs to which is meant for what is above. */
  get gated(): Stage {
    return this.below?.gated ?? this.#account.stage;
  }

  #found(operator: UnboundedOperator): void {
    this.#operator = operator;
    this.#account.unbounded ??= 'possible';
    this.below?.heard(operator);
    if (operator.always) {
      this.#certain(operator);
      return;
    }
    let items = 0;
    let next = 1;
    this.sampler?.(() => {
      items += 1;
      if (items < next) return false;
      next *= 2;
      if (wasHeld(operator, framesAbove(framesAbove) ?? [])) this.#certain(operator);
      return this.#isCertain || next > MAX_SAMPLES;
    });
  }

  heard(operator: UnboundedOperator, isCertain = false): void {
    this.#operator ??= operator;
    if (this.#operator === operator) this.#isCertain ||= isCertain;
    this.below?.heard(operator, isCertain);
  }

  #certain(operator: UnboundedOperator): void {
    this.#isCertain = true;
    // Where its arrays count as one item each, what is missing is no measure of what it holds.
    this.#account.unbounded = operator.makesArrays && !this.#account.weigh ? 'possible' : 'certain';
    this.below?.heard(operator, true);
    const { id } = this.gated;
    const message =
      `${operator.name} above ${id} holds items without a bound, because no gate holds it up: ${operator.remedy}. ` +
      'See docs/backpressure.md, "Operators that hold without a bound".';
    if (told.has(message) || told.size >= MAX_TOLD) return;
    told.add(message);
    process.emitWarning(message, { type: 'SluiceWarning', code: 'SLUICE_UNBOUNDED_OPERATOR' });
  }
}
