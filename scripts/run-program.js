// Runs an example or bench by name, compiled if need be, in this process so that signals reach it: run-program.js <folder> <name> …
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile } from './compile.js';

const [folder = '', name, ...args] = process.argv.slice(2);
const names = readdirSync(new URL(`../${folder}/`, import.meta.url))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length));

if (name === undefined || !names.includes(name)) {
  if (name !== undefined) console.error(`There is no ${JSON.stringify(name)} in ${folder}/.`);
  console.error(`Name one of ${folder}/: ${names.join(', ')}`);
  process.exit(1);
}
await compile(folder);
const program = new URL(`../.build/${folder}/${name}.js`, import.meta.url);
process.argv = [process.execPath, fileURLToPath(program), ...args];
await import(program.href);
