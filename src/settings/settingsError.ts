/** One thing that is wrong with the settings. */
export interface SettingsMistake {
  /** The variable, or the path of the file, that is wrong. */
  readonly variable: string;
  /** One line: what is wrong, what is allowed, and what was found, unless it is secret. */
  readonly message: string;
}

/** Settings that cannot be used. The message has a line for each mistake, so that all can be mended in one go. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly code = 'SLUICE_SETTINGS_INVALID';
  readonly mistakes: readonly SettingsMistake[];

  constructor(mistakes: readonly SettingsMistake[]) {
    const head = mistakes.length === 1 ? 'one setting is wrong' : `${mistakes.length} settings are wrong`;
    super([`${head}:`, ...mistakes.map(({ message }) => `  ${message}`)].join('\n'));
    this.mistakes = mistakes;
  }
}

export function isSettingsError(error: unknown): error is SettingsError {
  return error instanceof Error && (error as { code?: unknown }).code === 'SLUICE_SETTINGS_INVALID';
}
