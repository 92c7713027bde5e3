import { type DecodeProblem, describeProblem } from '../../contracts/decodeProblems.js';

/** A value does not match its codec. The message names the first problem and how many others there are. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  readonly code = 'SLUICE_DECODE_FAILED';
  readonly failureClass = 'poison';
  readonly problems: readonly DecodeProblem[];

  constructor(problems: readonly DecodeProblem[]) {
    super(describe(problems));
    this.problems = problems;
  }
}

export function isDecodeError(error: unknown): error is DecodeError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_DECODE_FAILED';
}

function describe([first, ...others]: readonly DecodeProblem[]): string {
  if (!first) return 'the codec refused the value without a reason';
  const { path } = first;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return `${path === '' ? '' : `${path}: `}${describeProblem(first)}${more}`;
}
