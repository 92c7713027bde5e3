/** The mask: it replaces a secret in logs, dead letters, messages and settings alike. */
export const REDACTED = '***';

/** The last words of a name whose value is a secret, as `wordsOf()` gives them. */
const SECRET_NAME =
  /(?:pass(?:word|wd|phrase|code)|\bpass|pwd|secret|token|(?:access|account|api|app|auth|consumer|encryption|hmac|license|master|private|secret|session|shared|signing|ssh|subscription) ?key|credential|authori[sz]ation|cookie|\bjwt|connection ?string|(?:database|db|connection) ?ur[il]|\bdsn)s?(?: (?:hash|text|confirmation))?[ \d]*$/;

/** Secret as a parameter of a URL only: `key=AAPL` in a message is none. */
const SECRET_PARAMETER = /^(?:x amz )?(?:key|sig|signature|auth)$/;

/** Their value may have several words: it ends with the line, unless it is quoted. */
const HEADER_NAME = /(?:authori[sz]ation|cookie)s?$/;

/** A token that can be a coin as well: its value decides. */
const PLAIN_TOKEN = /^(?:(?!access|api|auth|bearer|bot|client|csrf|id|personal|refresh|session|xsrf)\w+ )*tokens?$/;
const TICKER_OR_COUNT = /^(?:\d?[a-z]{0,2}[A-Z]{2,10}|\d{1,10}(?:\.\d{1,4})?)$/;
const COUNT = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A text without any of these has no secret that could be recognised; most texts have none. */
const HINT = /pass|pwd|secret|token|key|credential|authori|cookie|jwt|string|ur[il]|dsn|:\/\/|bearer|basic|sig|auth/i;

/** A longer name counts by its end. */
const MAX_NAME = 128;

// None of these patterns backtracks over more than a few characters: a text of a megabyte takes milliseconds.
const SEPARATOR = /\\{0,8}["'`]?\]?[ \t]{0,8}(?:=>|:?={1,3}|:(?![:/]))[ \t]{0,8}/y;
const NEXT_OF_PAIR = /\\{0,8}["'`][ \t]{0,8},[ \t]{0,8}(?=\\{0,8}["'`])/y;
const GAP_BEFORE_QUOTE = /[ \t]{1,8}(?=["'`])/y;
const GAP_AFTER_FLAG = /[ \t]{1,8}(?=[^\s-])/y;
const QUOTE = /\\{0,8}["'`]/y;
const LINE_END = /[\r\n]|\\[rn]/g;
/** Punctuation ends a value only where something else follows: a password may hold some. */
const VALUE_END = /[\s&]|[,;"'`)}\]>\\]{1,8}(?:(?=\s)|$|(?=["'`]?[\w-]{1,64}\\{0,8}["'`]?[ \t]{0,3}[=:]))/g;
const VALUE_END_HERE = new RegExp(VALUE_END.source, 'y');
const PRIVATE_KEY = /(-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----)[\s\S]*?(-----END [A-Z ]{0,20}PRIVATE KEY-----|$)/g;
const SCHEME_AND_TOKEN = /\b(bearer|basic)([ \t]{1,8})([a-z0-9._~+/=-]{8,})/gi;

/** Whether a field or variable of this name holds a secret: `apiKey`, `DB_PASSWORD`, `set-cookie`; not `tokensLeft`. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(wordsOf(name));
}

/**
 * The text without the secrets that can be recognised: passwords in connection strings, the values of names such as
 * `password`, `apiKey` or `Authorization`, bearer tokens and private keys. Takes time linear in the length of the text.
 */
export function redactText(text: string): string {
  if (!HINT.test(text)) return text;
  return redactNamed(redactAddresses(text))
    .replace(PRIVATE_KEY, `$1${REDACTED}$2`)
    .replace(SCHEME_AND_TOKEN, (all, scheme: string, gap: string, token: string) =>
      /\d|.[A-Z]|[_+/=]/.test(token) ? `${scheme}${gap}${REDACTED}` : all,
    );
}

/** The same for plain data, as JSON gives it, at any depth: the values of secret names, and secrets within texts. */
export function redactData(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return value.map(redactData);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, redactField(name, inner)]));
}

function redactField(name: string, value: unknown): unknown {
  const isNested = typeof value === 'object' && value !== null;
  const isSecret = secretOf(name, isNested ? undefined : String(value), typeof value !== 'string');
  return isSecret ? REDACTED : redactData(value);
}

/**
 * Whether the value of a field is a secret; `undefined` stands for an object or array. `isBare` says that it was no text: a
 * number of tokens is none, however large.
 */
export function secretOf(name: string, value: string | undefined, isBare: boolean): boolean {
  const words = wordsOf(name);
  if (!SECRET_NAME.test(words)) return false;
  if (value === undefined) return true;
  const isCount = isBare && PLAIN_TOKEN.test(words) && COUNT.test(value);
  return !isCount && !isPlainValue(words, value);
}

/** `secretAccessKey`, `SECRET_ACCESS_KEY` and `secret-access-key` are all `secret access key`. */
function wordsOf(name: string): string {
  return name
    .slice(-MAX_NAME)
    .replace(/([a-z\d])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$& ')
    .replace(/[^A-Za-z\d]+/g, ' ')
    .toLowerCase();
}

function isPlainValue(words: string, value: string): boolean {
  return value === 'null' || value === 'undefined' || (PLAIN_TOKEN.test(words) && TICKER_OR_COUNT.test(value));
}

/** `scheme://user:password@host`: up to the last `@` of the word, as a password may hold one, though it should not. */
function redactAddresses(text: string): string {
  let redacted = '';
  let done = 0;
  for (let at = text.indexOf('://'); at >= 0; at = text.indexOf('://', Math.max(done, at + 3))) {
    const start = at + 3;
    const end = indexOf(/\s|["'`](?=[\s,:;)}\]]|$)/g, text, start);
    const word = text.slice(start, end);
    const last = word.lastIndexOf('@');
    const [user = ''] = /^[^:/?#]*/.exec(word) ?? [];
    const hasPassword = word[user.length] === ':' && user.length < last;
    const isToken = last > 0 && user.length > last && /(?:http|ws)s?$/i.test(text.slice(Math.max(0, at - 5), at));
    // The placeholder of our own advice, and of everybody's manuals.
    const isExample = word.startsWith('user:password@') && last === 13;
    if ((hasPassword || isToken) && !isExample) {
      redacted += text.slice(done, start) + (hasPassword ? `${user}:` : '') + REDACTED;
      done = start + last;
    }
    at = end - 3;
  }
  return redacted + text.slice(done);
}

/** What follows the name of a secret: `password=…`, `"apiKey": "…"`, `Cookie: …`, `?key=…`. */
function redactNamed(text: string): string {
  const names = /[A-Za-z_$][\w$-]*/g;
  let redacted = '';
  let done = 0;
  let former = '';
  let formerEnd = -1;
  for (let match = names.exec(text); match; match = names.exec(text)) {
    const [name] = match;
    const { index } = match;
    // `api key` is a name of two words.
    const isPhrase = index === formerEnd + 1 && text[formerEnd] === ' ';
    const words = wordsOf(isPhrase ? `${former} ${name}`.slice(-2 * MAX_NAME) : name);
    former = name.slice(-MAX_NAME);
    formerEnd = names.lastIndex;
    const isParameter = (text[index - 1] === '?' || text[index - 1] === '&') && SECRET_PARAMETER.test(wordsOf(name));
    const isUser = text.startsWith('://', index - 3);
    if (isUser || (!isParameter && !SECRET_NAME.test(words))) continue;
    const isFlag = text.startsWith('--', index - 2);
    const [from, to] = valueAt(text, names.lastIndex, words, isFlag);
    if (to <= from) continue;
    redacted += text.slice(done, from) + REDACTED;
    done = to;
    names.lastIndex = to;
    formerEnd = -1;
  }
  return redacted + text.slice(done);
}

/** Where the value of a name begins and ends, without its quotes; an empty range where it has none. */
function valueAt(text: string, nameEnd: number, words: string, isFlag: boolean): readonly [number, number] {
  const isHeader = HEADER_NAME.test(words);
  const isToken = /(?:^|unexpected )tokens?$/.test(words);
  let start = skip(SEPARATOR, text, nameEnd);
  if (start === nameEnd && isHeader) start = skip(NEXT_OF_PAIR, text, nameEnd);
  if (start === nameEnd && isFlag) start = skip(GAP_AFTER_FLAG, text, nameEnd);
  if (start === nameEnd && !isToken) start = skip(GAP_BEFORE_QUOTE, text, nameEnd);
  // `Unexpected token : in JSON` is no secret.
  if (start === nameEnd || words === 'unexpected token') return [0, 0];
  const inner = skip(QUOTE, text, start);
  // Before its end is looked for: a text of many masks must not be searched to its end for each.
  if (text.startsWith(REDACTED, inner) && endsAt(text, inner + REDACTED.length)) return [0, 0];
  const end =
    inner > start
      ? closingQuote(text, inner, text[inner - 1]!, inner - 1 - start)
      : text[start] === '{' || text[start] === '['
        ? closingBracket(text, start)
        : indexOf(isHeader ? LINE_END : VALUE_END, text, start);
  return isPlainValue(words, text.slice(inner, Math.min(end, inner + 16))) ? [0, 0] : [inner, end];
}

function endsAt(text: string, at: number): boolean {
  VALUE_END_HERE.lastIndex = at;
  return at === text.length || VALUE_END_HERE.test(text);
}

function skip(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : from;
}

function indexOf(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}

/** A quote that has more backslashes than the opening one is part of the value; one that is missing is the end. */
function closingQuote(text: string, from: number, quote: string, backslashes: number): number {
  for (let at = text.indexOf(quote, from); at >= 0; at = text.indexOf(quote, at + 1)) {
    let before = at;
    while (before > from && text[before - 1] === '\\') before -= 1;
    const isEscaped = backslashes === 0 ? (at - before) % 2 === 1 : at - before > backslashes;
    if (isEscaped) continue;
    // SQL doubles it.
    if (backslashes === 0 && text[at + 1] === quote && at > from) at += 1;
    else return backslashes === 0 ? at : before;
  }
  return text.length;
}

function closingBracket(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    if (char === '{' || char === '[') depth += 1;
    else if ((char === '}' || char === ']') && --depth === 0) return at + 1;
  }
  return text.length;
}
