/** What the program says to the one who started it. */
export const EXIT = {
  OK: 0,
  /** Something was tried and failed. */
  FAILED: 1,
  /** Wrong usage or wrong settings: nothing was started. */
  USAGE: 2,
  /** Done, but letters are left behind or were put aside. */
  LETTERS_LEFT: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
