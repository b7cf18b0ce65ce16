import { readFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import { errorMessage } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import { UsageError } from './errors.ts';

const MAX_BYTES = 1024 * 1024;

/** The text of a file, or of stdin for `-`. */
export async function readInput(path: string): Promise<string> {
  if (path === '-') return readStdin();
  try {
    const bytes = await readFile(path);
    if (bytes.length > MAX_BYTES) throw tooLong(path);
    return bytes.toString('utf8');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${path} cannot be read: ${errorMessage(error)}`);
  }
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw tooLong('stdin');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function tooLong(what: string): UsageError {
  return new UsageError(`${what} is longer than ${MAX_BYTES} bytes, more than anything that belongs here.`);
}

/** JSON or YAML. The parser's own words are left out of the error, because they quote the text, which may be secret. */
async function readDocument(path: string): Promise<JsonValue> {
  const text = await readInput(path);
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return parseYaml(text, path);
  }
}

function parseYaml(text: string, path: string): JsonValue {
  const { errors, contents } = parseDocument(text);
  const [error] = errors;
  if (error === undefined) return contents?.toJSON() as JsonValue;
  const at = error.linePos?.[0];
  const where = at === undefined ? nameOf(path) : `${nameOf(path)}, line ${at.line}, column ${at.col}`;
  throw new UsageError(`${where}: this is neither JSON nor YAML.`);
}

/** As `readDocument`, for a file that must hold an object. */
export async function readObject(path: string, example: string): Promise<Record<string, JsonValue>> {
  const value = await readDocument(path);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new UsageError(`${nameOf(path)} must hold an object, such as ${example}.`);
}

function nameOf(path: string): string {
  return path === '-' ? 'stdin' : path;
}
