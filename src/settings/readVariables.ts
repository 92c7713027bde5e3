import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { nearestName } from '../primitives/nearestName.js';
import { isServiceVariable } from './serviceVariables.js';
import type { SettingsMistake } from './settingsError.js';
import { VARIABLE_NAMES, type VariableName } from './variables.js';

/** Where a value came from. */
export type SettingOrigin = 'default' | 'environment' | 'dotenv';

/** The variables of a process, or what stands in for them. */
export type Environment = Readonly<Record<string, string | undefined>>;

interface Given {
  readonly text: string;
  readonly origin: Exclude<SettingOrigin, 'default'>;
}

/**
 * Reads the variables as texts. The environment wins over the file, even with an empty variable: that restores the default
 * of one that the file sets. `given` has the texts, trimmed, of which none is empty; `dotenvFile` is the file that was read, if any.
 */
export function readVariables(env: Environment, cwd: string, dotenvFile: string | false | undefined) {
  const mistakes: SettingsMistake[] = [];
  const path = dotenvFile === false ? undefined : resolve(cwd, dotenvFile ?? join(cwd, '.env'));
  const file = path === undefined ? undefined : readDotenv(path, dotenvFile !== undefined, mistakes);
  const layers: readonly (readonly [Given['origin'], Environment])[] = [
    ['environment', env],
    ['dotenv', file ?? {}],
  ];

  const given = new Map<VariableName, Given>();
  const isGiven = (name: string, [origin, variables]: (typeof layers)[number]) =>
    variables[name] !== undefined && !(origin === 'environment' && isServiceVariable(name, variables[name]));
  for (const name of VARIABLE_NAMES) {
    const layer = layers.find((one) => isGiven(name, one));
    const text = layer?.[1][name]?.trim();
    if (layer && text) given.set(name, { text, origin: layer[0] });
  }
  const seen = new Set<string>(VARIABLE_NAMES);
  for (const layer of layers) {
    const [origin, variables] = layer;
    for (const name of Object.keys(variables)) {
      if (!/^MDS_\w*$/i.test(name) || seen.has(name) || !isGiven(name, layer)) continue;
      seen.add(name);
      mistakes.push(unknownVariable(name, origin === 'dotenv' ? ` in ${path}` : ''));
    }
  }
  return { given, dotenvFile: file && path, mistakes };
}

/** Does not quote the value: an unknown variable may be a secret. */
function unknownVariable(name: string, place: string): SettingsMistake {
  const shown = name.length > 60 ? `${name.slice(0, 59)}…` : name;
  const near = nearestName(name.slice(0, 60), VARIABLE_NAMES) ?? nearestByWords(name.slice(0, 60));
  const remedy = near ? `did you mean ${near}?` : 'docs/settings.md lists the MDS_ variables';
  return { variable: name, message: `${shown}${place} is not a setting: ${remedy}` };
}

/** The variable that has the most words in common: `MDS_WORKERS` means `MDS_COORDINATOR_WORKERS`. */
function nearestByWords(name: string): string | undefined {
  const words = new Set(name.toUpperCase().split('_').slice(1));
  const candidates = VARIABLE_NAMES.map((known) => {
    const parts = known.split('_');
    return { known, length: parts.length, inCommon: parts.filter((word) => words.has(word)).length };
  });
  return candidates
    .filter(({ inCommon }) => inCommon >= Math.max(1, words.size / 2))
    .sort((a, b) => b.inCommon - a.inCommon || a.length - b.length)[0]?.known;
}

function readDotenv(path: string, mustExist: boolean, mistakes: SettingsMistake[]): Environment | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !mustExist) return undefined;
    const reason = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'unknown reason'})`;
    mistakes.push({ variable: path, message: `${path} ${reason}: expected a file of NAME=value lines` });
    return undefined;
  }
  const variables = parseEnv(text);
  mistakes.push(...unparsedLines(path, text, variables), ...cutLines(path, text, variables));
  return variables;
}

/** `parseEnv` silently skips a line such as `MDS_METRICS_PORT: 9001`, so the setting would not be applied. */
function unparsedLines(path: string, text: string, variables: Environment): SettingsMistake[] {
  const values = Object.values(variables);
  return text.split(/\r?\n/).flatMap((line, index) => {
    const name = /^\s*(?:export\s+)?(MDS_\w*|DATABASE_URL)\b/.exec(line)?.[1];
    if (name === undefined || name in variables) return [];
    // Part of a multi-line value.
    if (values.some((value) => value?.includes(line.replace(/["'`]\s*(#.*)?$/, '')))) return [];
    return [{ variable: name, message: `${name} in ${path}:${index + 1} cannot be parsed: write ${name}=value` }];
  });
}

/** `parseEnv` takes a `#` for the beginning of a comment, wherever it stands in a value without quotes. */
function cutLines(path: string, text: string, variables: Environment): SettingsMistake[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const [, name = '', value] = /^\s*(?:export\s+)?(MDS_\w*|DATABASE_URL)\s*=\s*([^"'`\s#][^\s#]*)#/.exec(line) ?? [];
    if (value === undefined || variables[name] !== value) return [];
    const message = `${name} in ${path}:${index + 1} is cut off at its #, which begins a comment: write the value in quotes`;
    return [{ variable: name, message }];
  });
}
