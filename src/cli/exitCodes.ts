/** The exit codes of `sluice`. */
export const EXIT = {
  OK: 0,
  /** Something was attempted and failed. */
  FAILED: 1,
  /** Wrong usage or invalid settings: nothing was started. */
  USAGE: 2,
  /** Done, but letters were left or parked. */
  LETTERS_LEFT: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
