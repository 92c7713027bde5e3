import { lineAt } from '../repository.js';
import { body, docblockOf, exportsOf, isNode, nameOf, parse } from '../syntax.js';

/** The bold lead-ins of the docblock of an operator, source or sink, in this order. A function that returns a promise needs none. */
export const LEAD_INS = [
  'Emits when',
  'Backpressure',
  'Completes when',
  'Errors when',
  'On unsubscribe',
  'Delivery',
  'Gotchas',
] as const;

/** What the docblock of the function `name`, exported by the file, lacks. */
export function docblockProblems(path: string, text: string, name: string): string[] {
  const declared = exportsOf(parse(path, text)).find((one) => one.name === name);
  if (!declared) return [`${path} does not export ${name}`];
  const docblock = docblockOf(text, declared.node);
  const at = `${path}:${lineAt(text, declared.node.start)}`;
  if (!docblock) return [`${at}: ${name} has no docblock`];

  const problems: string[] = [];
  const isStream = !/\)\s*:\s*Promise</.test(text.slice(declared.node.start, declared.node.end));
  const marks: [label: string, at: number][] = [
    ['a drawing in a code fence', docblock.text.split(/^@example/m)[0]?.search(/^```/m) ?? -1],
    ...LEAD_INS.map((leadIn): [string, number] => [
      `**${leadIn}**`,
      docblock.text.search(new RegExp(`^\\*\\*${leadIn}[.:]?\\*\\*`, 'm')),
    ]),
    ['@example', docblock.text.search(/^@example/m)],
  ];
  if (!/^\s*(?!```)[A-Za-z`{]/.test(docblock.text)) {
    problems.push(`${at}: the docblock of ${name} begins with a summary of what it does`);
  }
  let previous: [label: string, at: number] = ['the summary', 0];
  for (const mark of marks) {
    if (mark[1] < 0) {
      if (!isStream && mark[0] !== '@example') continue;
      problems.push(`${at}: the docblock of ${name} lacks ${mark[0]}`);
      continue;
    }
    if (mark[1] < previous[1])
      problems.push(`${at}: in the docblock of ${name}, ${mark[0]} must stand after ${previous[0]}`);
    previous = mark;
  }
  const example = docblock.text.slice(Math.max(0, docblock.text.search(/^@example/m)));
  if (/^@example/m.test(docblock.text) && !/```ts\n/.test(example)) {
    problems.push(`${at}: the @example of ${name} holds a \`\`\`ts block`);
  }
  return problems;
}

/** Fields of public `…Config` interfaces that say nothing of their unit, range or default. */
export function configFieldProblems(path: string, text: string, isPublic: (name: string) => boolean): string[] {
  const problems: string[] = [];
  for (const { name, node } of exportsOf(parse(path, text))) {
    const declaration = node.declaration;
    if (
      !name.endsWith('Config') ||
      !isPublic(name) ||
      !isNode(declaration) ||
      declaration.type !== 'TSInterfaceDeclaration'
    )
      continue;
    if (!isNode(declaration.body)) continue;
    for (const field of body(declaration.body)) {
      if (docblockOf(text, field)) continue;
      problems.push(
        `${path}:${lineAt(text, field.start)}: ${name}.${nameOf(field.key)} has no docblock: its unit, range and default`,
      );
    }
  }
  return problems;
}
