import { RE2JS } from 're2js';
import { KeywordScanner } from './keywordScanner.ts';
import { REDACTED } from './knownSecrets.ts';
import { lowBytes } from './lowBytes.ts';
import { isSecretName, SECRET_WORDS } from './secretNames.ts';
import rules from './secretRules.json' with { type: 'json' };

/** Where a rule names no group, its first one is the secret; a rule without groups is about all that it matches. */
interface Rule {
  readonly regex: string;
  readonly keywords: readonly string[];
  readonly group?: number;
}

type Replace = (text: string) => string;

/** Words before a secret, which the rules take along for their reports. Nothing is decided by them. */
const WORDS_BEFORE = '[\\w.-]{0,50}?';
const MAX_MATCHES = 1_000;

const name = /["']?([A-Za-z][\w.-]{0,60})["']?/.source;
const value = /["']?([^\s"'&,;(){}[\]<>|\\]{3,})/.source;
/** `password=…`, as in queries and forms. Matches are bounded, so that time stays linear. */
const ASSIGNMENT = new RegExp(`\\b${name}=${value}`, 'g');
/** `"password": "…"`; of what stands there without quotes only what looks like no word. */
const MEMBER = new RegExp(`\\b${name}: ?(?:["'][^"']{3,}["']?|(?=[^\\s]*\\d)[^\\s"'&,;(){}[\\]<>|\\\\]{8,})`, 'g');

const replaceAll =
  (pattern: RegExp): Replace =>
  (text) =>
    text.replace(pattern, REDACTED);

const replaceNamed =
  (pattern: RegExp, sign: '=' | ':'): Replace =>
  (text) =>
    text.replace(pattern, (match: string, found: string) =>
      isSecretName(found) ? `${match.slice(0, match.indexOf(sign) + 1)}${sign === ':' ? ' ' : ''}${REDACTED}` : match,
    );

/** What holds whatever a provider's own rules say. All of these take time linear to the text. */
const OWN: readonly (readonly [keywords: readonly string[], replace: Replace])[] = [
  [
    ['-----begin'],
    replaceAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?!-----END)[\s\S])*(?:-----END [A-Z ]*PRIVATE KEY-----)?/g),
  ],
  [['bearer', 'basic', 'digest', 'oauth'], replaceAll(/\b(?:Bearer|Basic|Digest|OAuth) +[\w.~+/=-]{8,}/gi)],
  [['eyj'], replaceAll(/\beyJ[\w-]{10,}\.[\w-]{10,}(?:\.[\w-]*){0,3}/g)],
  [['isk_'], replaceAll(/\bisk_[\w-]{16,}/g)],
  [['sk'], replaceAll(/\bSK[0-9a-fA-F]{32}\b/g)],
  [['://'], (text) => text.replace(/(:\/\/[^\s/?#:@]{0,200}:)[^\s/?#@]{1,500}@/g, `$1${REDACTED}@`)],
  [SECRET_WORDS, replaceNamed(ASSIGNMENT, '=')],
  [SECRET_WORDS, replaceNamed(MEMBER, ':')],
];

function ruleReplacer({ regex, group }: Rule): Replace {
  let compiled: RE2JS | undefined;
  return (text) => {
    compiled ??= RE2JS.compile(regex.replace(WORDS_BEFORE, ''));
    const matcher = compiled.matcher(text);
    let shown = '';
    let end = 0;
    for (let matches = 0; matches < MAX_MATCHES && matcher.find(); matches++) {
      const at = group ?? firstGroup(matcher);
      if (matcher.start(at) < end) continue;
      shown += text.slice(end, matcher.start(at)) + REDACTED;
      end = matcher.end(at);
    }
    return shown + text.slice(end);
  };
}

function firstGroup(matcher: ReturnType<RE2JS['matcher']>): number {
  for (let group = 1; group <= matcher.groupCount(); group++) if (matcher.group(group) !== null) return group;
  return 0;
}

const REPLACERS: readonly Replace[] = [
  ...OWN.map(([, replace]) => replace),
  ...(rules.rules as Rule[]).map(ruleReplacer),
];
const keywordsOf = [...OWN.map(([keywords]) => keywords), ...(rules.rules as Rule[]).map(({ keywords }) => keywords)];
const KEYWORDS = [...new Set(keywordsOf.flat())];
/** For each keyword the rules that are tried when a text holds it. */
const RULES_OF = KEYWORDS.map((keyword) =>
  keywordsOf.flatMap((keywords, rule) => (keywords.includes(keyword) ? [rule] : [])),
);
const SCANNER = new KeywordScanner(KEYWORDS);

/**
 * The text without what looks like a secret: values after secret names, authorization headers, private keys, and what
 * the rules of gitleaks (secretRules.json) know of some two hundred providers.
 * @param bytes those of the text (`lowBytes`)
 */
export function hideRecognised(text: string, bytes = lowBytes(text)): string {
  const keywords = SCANNER.scan(bytes, text.length);
  if (keywords === null) return text;
  const tried = new Set<number>();
  for (const keyword of keywords) for (const rule of RULES_OF[keyword]!) tried.add(rule);
  // The general ones first: what they take out needs no rule of its own.
  return [...tried].sort((one, other) => one - other).reduce((shown, rule) => REPLACERS[rule]!(shown), text);
}
