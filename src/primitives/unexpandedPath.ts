import { Option, reject } from './options.js';

/** `~`, `~/x` and `~me/x`. */
const HOME = /^~[\w.-]*(?=$|[\\/])/;
/** `$HOME`, `${HOME}` or `%USERPROFILE%`, where a name begins. */
const VARIABLE = /(?:^|[\\/])(\$(?:[A-Za-z_]\w*|\{\w+\})|%\w+%)/;

/**
 * Why a path is not what anybody means, as the end of a sentence that begins with its name; undefined if it may be. Only a shell
 * replaces `~` and variables: for everybody else they are the name of a folder, which would be created where the program runs.
 */
export function unexpandedPathProblem(path: string): string | undefined {
  if (/^\.\.?[\\/]/.test(path)) return undefined;
  const part = HOME.exec(path)?.[0] ?? VARIABLE.exec(path)?.[1];
  if (part === undefined) return undefined;
  return `has ${part}, which only a shell replaces: write the whole path, or begin it with ./ if that is its name`;
}

/** The path of a folder, as an option. */
export function folderPath(): Option<string> {
  return new Option<string>('the path of a folder', (value, owner, option, expected) => {
    if (typeof value !== 'string' || value === '') reject(owner, option, expected, value);
    const problem = unexpandedPathProblem(value);
    if (problem !== undefined) throw new RangeError(`${owner}: ${option} ${problem}`);
    return value;
  });
}
