import { z } from 'zod';
import { filterText } from './parts.ts';

const time = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .optional();

/** What entries of the audit log are chosen by. */
export const auditFilter = {
  since: time.describe('Not before this time.'),
  until: time.describe('Before this time.'),
  actor: filterText.optional().describe('Id of a user or key, or the name of another actor.'),
  action: filterText.optional().describe('Such as `integration.created`.'),
  outcome: z.enum(['success', 'failure', 'denied']).optional(),
  integrationId: filterText.optional(),
  target: filterText.optional().describe('Id of what it was done to.'),
};

const members = z.record(z.string(), z.unknown()).optional();

export const auditEntryAnswer = z
  .object({
    seq: z.int().describe('The number of the entry: its leaf in the tree.'),
    id: z.string(),
    time: z.string(),
    actor: z.object({ kind: z.string(), id: z.string(), userId: z.string().optional() }),
    action: z.string(),
    outcome: z.string(),
    target: z.object({ kind: z.string(), id: z.string() }).optional(),
    integrationId: z.string().optional(),
    origin: z
      .object({ address: z.string().optional(), requestId: z.string().optional(), userAgent: z.string().optional() })
      .optional(),
    before: members,
    after: members,
    details: members,
  })
  .meta({ id: 'AuditEntry' });

export const checkpointAnswer = z
  .object({
    size: z.int().describe('How many entries it covers.'),
    note: z.string().describe('The signed note (C2SP tlog-checkpoint).'),
    createdAt: z.string(),
  })
  .meta({ id: 'AuditCheckpoint' });

export const proofAnswer = z
  .object({
    format: z.string(),
    seq: z.int(),
    event: z.string().describe('The exact text whose hash is the leaf.'),
    proof: z.array(z.string()).describe('Hashes from the leaf up, base64 (RFC 6962).'),
    checkpoint: z.string().describe('The signed note of the tree that the proof leads to.'),
  })
  .meta({ id: 'AuditProof', description: 'What `audit verify --proof` takes.' });
