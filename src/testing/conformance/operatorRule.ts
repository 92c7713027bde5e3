import type { OperatorBench } from './operatorBench.js';

/** What every operator must do, as a check in virtual time. */
export interface OperatorRule {
  readonly id: string;
  readonly title: string;
  check<I, O>(bench: OperatorBench<I, O>): void;
}
