import { REDACTED, redactText, secretOf } from './redact.js';

const PLAIN = /[^"{}[\]]+/y;
const GAP = /[ \t\r\n]{0,8}:[ \t\r\n]{0,8}/y;
const LITERAL = /[^\s",{}[\]]+/y;

/**
 * The same for a line of JSON: the values of secret names, and secrets within texts. Everything else stays letter by letter, so
 * that no number loses a digit. Takes time linear in the length of the line.
 */
export function redactJson(json: string): string {
  let redacted = '';
  for (let at = 0; at < json.length; ) {
    const char = json[at]!;
    if (char !== '"') {
      const end = char === '{' || char === '}' || char === '[' || char === ']' ? at + 1 : endOf(PLAIN, json, at);
      redacted += json.slice(at, end);
      at = end;
      continue;
    }
    const end = stringEnd(json, at);
    if (end === at) return redacted + redactText(json.slice(at));
    const text = textIn(json.slice(at, end));
    const valueAt = endOf(GAP, json, end);
    // A text before a colon is a name.
    if (valueAt === end) {
      redacted += quoted(json.slice(at, end), text, redactText(text));
      at = end;
      continue;
    }
    redacted += json.slice(at, valueAt);
    at = valueAt;
    const isNested = json[at] === '{' || json[at] === '[';
    const isTorn = json[at] === '"' && stringEnd(json, at) === at;
    if (isTorn && secretOf(text, json.slice(at + 1), false)) return `${redacted}"${REDACTED}`;
    const valueEnd = isNested ? at : json[at] === '"' ? stringEnd(json, at) : endOf(LITERAL, json, at);
    const value = json.slice(at, valueEnd);
    if (!isNested && value === '') continue;
    const isText = value.startsWith('"');
    if (!secretOf(text, isNested ? undefined : isText ? textIn(value) : value, !isText)) continue;
    redacted += `"${REDACTED}"`;
    at = isNested ? closingBracket(json, at) : valueEnd;
  }
  return redacted;
}

function endOf(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : from;
}

/** The end of a string, or where it begins if it has no end. */
function stringEnd(json: string, from: number): number {
  for (let at = json.indexOf('"', from + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let before = at;
    while (json[before - 1] === '\\') before -= 1;
    if ((at - before) % 2 === 0) return at + 1;
  }
  return from;
}

function textIn(string: string): string {
  if (!string.includes('\\')) return string.slice(1, -1);
  try {
    return String(JSON.parse(string));
  } catch {
    return string.slice(1, -1);
  }
}

function quoted(json: string, text: string, redacted: string): string {
  return redacted === text ? json : JSON.stringify(redacted);
}

/** The end of an object or array; brackets in texts do not count. */
function closingBracket(json: string, from: number): number {
  let depth = 0;
  for (let at = from; at < json.length; ) {
    const char = json[at]!;
    if (char === '"') {
      const end = stringEnd(json, at);
      if (end === at) break;
      at = end;
      continue;
    }
    if (char === '{' || char === '[') depth += 1;
    else if ((char === '}' || char === ']') && --depth === 0) return at + 1;
    at += 1;
  }
  return json.length;
}
