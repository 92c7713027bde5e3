import { printable } from '../../primitives/printable.js';

/** An item has a kind without a branch, and there is no `otherwise`. */
export class UnroutedError extends Error {
  override readonly name = 'UnroutedError';
  readonly code = 'SLUICE_UNROUTED';
  /** The value found where the kind should be. */
  readonly kind: unknown;

  constructor(stage: string, kind: unknown, known: readonly string[]) {
    super(
      `${stage} has no branch for the kind ${quote(kind)}: it has ${known.join(', ')}. ` +
        'Add one, or an `otherwise` that takes what is left.',
    );
    this.kind = kind;
  }
}

export function isUnroutedError(error: unknown): error is UnroutedError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_UNROUTED';
}

function quote(kind: unknown): string {
  if (typeof kind === 'string') return printable(JSON.stringify(kind.length > 80 ? `${kind.slice(0, 79)}…` : kind));
  if (typeof kind === 'object' && kind !== null) return 'an object';
  return typeof kind === 'symbol' || typeof kind === 'function' ? `a ${typeof kind}` : printable(String(kind), 80);
}
