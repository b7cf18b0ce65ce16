import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Finding } from '../../audit/findings.ts';
import type { VerifierKey } from '../../audit/signedNote.ts';
import { command, type Invocation } from '../command.ts';
import { UsageError } from '../errors.ts';
import { EXIT } from '../exitCodes.ts';
import { withLiveLine } from '../liveLine.ts';
import { withApp } from '../openApp.ts';

interface Options {
  readonly checkpoint?: string;
  readonly publicKey?: string;
  readonly file?: string;
  readonly proof?: string;
}

/** More than the checkpoints of many years. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

export function auditVerify(): Command {
  return command<Options>(
    'verify',
    'Recompute the log and compare it with its signed checkpoints',
    async (invocation) => {
      const { file, proof } = invocation.options;
      if (file !== undefined && proof !== undefined) throw new UsageError('Give either --file or --proof.');
      if (proof !== undefined) return await verifyProofFile(invocation, proof);
      if (file !== undefined) return await verifyExportFile(invocation, file);
      return await verifyStored(invocation);
    },
  )
    .option('--checkpoint <file>', 'checkpoints that were kept; default: those of the data folder')
    .option('--public-key <key>', 'the key, or a file that holds it; "audit key" prints it')
    .option('--file <export>', 'an export in jsonl, instead of the database')
    .option('--proof <file>', 'what "audit prove" printed, instead of the whole log');
}

async function verifyStored(invocation: Invocation<Options>): Promise<void> {
  const { out, options } = invocation;
  const key = options.publicKey === undefined ? undefined : await readKey(options.publicKey);
  const checkpoints = options.checkpoint === undefined ? undefined : await readNotes(options.checkpoint);
  const verdict = await withApp(invocation, ({ audit }) =>
    withLiveLine((show) =>
      audit.verify({ key, checkpoints, onProgress: (entries) => show(`${entries.toLocaleString('en')} entries`) }),
    ),
  );
  report(invocation, verdict.finding, verdict, `${verdict.checkpoints} signed checkpoints`);
  if (key === undefined && !out.json)
    out.say('The key came from the database itself. Who kept it elsewhere gives it with --public-key.');
}

async function verifyExportFile(invocation: Invocation<Options>, file: string): Promise<void> {
  const { openAll } = await import('../../audit/verifyDatabase.ts');
  const { verifyExport } = await import('../../audit/verifyFile.ts');
  const key = await requireKey(invocation.options);
  const { checkpoint } = invocation.options;
  const kept = checkpoint === undefined ? [] : openAll(await readNotes(checkpoint), key);
  if (checkpoint !== undefined && kept.length === 0)
    throw new UsageError(`${checkpoint} holds no checkpoint that the key has signed.`);
  const verdict = await verifyExport(file, key, kept);
  report(invocation, verdict.finding, verdict, verdict.complete ? 'complete' : 'a choice of entries');
  if (!verdict.complete && !invocation.out.json)
    invocation.out.say('Of a choice of entries nobody can tell whether some are missing.');
}

async function verifyProofFile({ options, out }: Invocation<Options>, file: string): Promise<void> {
  const { verifyProof } = await import('../../audit/verifyFile.ts');
  const { valid, seq, size, event } = verifyProof(await readText(file), await requireKey(options));
  if (!valid) process.exitCode = EXIT.failed;
  if (out.json) return out.data({ valid, seq, size, event: valid ? JSON.parse(event) : null });
  out.line(valid ? `Entry ${seq} is in the signed log of ${size} entries:` : `Entry ${seq} is NOT in the signed log.`);
  if (valid) out.line(event);
}

/** The verdict in words, with the exit code: 0 when everything is as it was signed. */
function report(
  { out }: Invocation<Options>,
  finding: Finding | null,
  verdict: { readonly entries: number; readonly signedSize: number; readonly root: Buffer },
  compared: string,
): void {
  if (finding !== null) process.exitCode = EXIT.failed;
  if (out.json) {
    out.data({ ok: finding === null, ...verdict, root: verdict.root.toString('base64') });
    return;
  }
  if (finding === null) {
    out.line(
      `The log is as it was signed: ${verdict.entries} entries, ${verdict.signedSize} of them under a checkpoint (${compared}).`,
    );
    return;
  }
  const { kind, seq, lastSeq, detail } = finding;
  out.line(
    `TAMPERED: ${kind} at ${seq === lastSeq ? `entry ${seq}` : `one of the entries ${seq} to ${lastSeq}`}: ${detail}.`,
  );
  out.say(
    `The ${verdict.entries} entries before are as they were${verdict.signedSize > 0 ? `, the first ${verdict.signedSize} under a checkpoint` : ''}.`,
  );
}

async function requireKey({ publicKey }: Options): Promise<VerifierKey> {
  if (publicKey !== undefined) return await readKey(publicKey);
  throw new UsageError('--public-key is needed: the key that "audit key" printed, or a file that holds it.');
}

async function readKey(keyOrFile: string): Promise<VerifierKey> {
  const { parseVerifierKey } = await import('../../audit/signedNote.ts');
  return parseVerifierKey(/\+[0-9a-f]{8}\+/.test(keyOrFile) ? keyOrFile : await readText(keyOrFile));
}

async function readNotes(file: string): Promise<string[]> {
  const { splitNotes } = await import('../../audit/checkpoint.ts');
  const notes = splitNotes(await readText(file));
  if (notes.length > 0) return notes;
  throw new UsageError(`${file} holds no checkpoint.`);
}

async function readText(path: string): Promise<string> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new UsageError(`${path} cannot be read: ${error.message}`);
  });
  if (bytes.length > MAX_FILE_BYTES) throw new UsageError(`${path} is larger than anything that belongs here.`);
  return bytes.toString();
}
