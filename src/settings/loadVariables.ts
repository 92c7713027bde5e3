import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { LoadSettingsConfig } from './loadSettings.js';
import { Secret } from './secret.js';

/** A variable by its name, and the name that is read where it is not set. */
export interface NamedVariable {
  readonly name: string;
  readonly alias?: string;
}

/**
 * The values of variables that are no settings of Sluice, such as the keys of vendors: from the environment, which wins, and from
 * `.env`. Each may be a secret. One that is empty counts as not given. A file that cannot be read counts as empty:
 * `loadSettings()` says what is wrong with it.
 *
 * @example
 * ```ts
 * import { loadVariables } from 'sluice/settings';
 *
 * const { MASSIVE_API_KEY } = loadVariables([{ name: 'MASSIVE_API_KEY', alias: 'POLYGON_API_KEY' }]);
 * const key = MASSIVE_API_KEY?.reveal();
 * ```
 */
export function loadVariables(
  variables: readonly NamedVariable[],
  config: LoadSettingsConfig = {},
): Readonly<Record<string, Secret | undefined>> {
  const find = finder(config);
  return Object.fromEntries(
    variables.map((variable) => {
      const found = find(variable);
      return [variable.name, found && new Secret(found.value)] as const;
    }),
  );
}

/** Where each of these variables is set, and under which name; `undefined` where it is not. */
export function originsOf(
  variables: readonly NamedVariable[],
  config: LoadSettingsConfig = {},
): Readonly<Record<string, { readonly origin: 'environment' | 'dotenv'; readonly setAs: string } | undefined>> {
  const find = finder(config);
  return Object.fromEntries(
    variables.map((variable) => {
      const found = find(variable);
      return [variable.name, found && { origin: found.origin, setAs: found.setAs }] as const;
    }),
  );
}

/** Finds the value of a variable, and whence it is. */
function finder({ env = process.env, cwd = process.cwd(), dotenvFile }: LoadSettingsConfig) {
  const file = dotenvFile === false ? {} : readFile(resolve(cwd, dotenvFile ?? '.env'));
  const look = (setAs: string) => {
    const value = (env[setAs] ?? file[setAs])?.trim() || undefined;
    const origin = env[setAs] === undefined ? ('dotenv' as const) : ('environment' as const);
    return value === undefined ? undefined : { value, origin, setAs };
  };
  return ({ name, alias }: NamedVariable) => look(name) ?? (alias === undefined ? undefined : look(alias));
}

function readFile(path: string): Readonly<Record<string, string | undefined>> {
  try {
    return parseEnv(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''));
  } catch {
    return {};
  }
}
