import { createMongoAbility, type MongoAbility, subject } from '@casl/ability';
import { compileAccess } from '../src/access/decisions/compile.ts';
import { PERMISSION_NAMES, permissionsMatching } from '../src/access/decisions/permissionNames.ts';
import type { AccessSnapshot } from '../src/access/decisions/snapshot.ts';
import type { Permission } from '../src/access/permissions.ts';
import { PERMISSIONS } from '../src/access/permissions.ts';
import { BUILT_IN_ROLES } from '../src/access/roles/builtInRoles.ts';
import type { IntegrationRef } from '../src/access/types.ts';

const USERS = 500;
const GRANTS = 10_000;
const INTEGRATIONS = 2_000;
const PLATFORMS = 10;
const QUESTIONS = 200_000;
const ROUNDS = 5;

interface Question {
  readonly userId: string;
  readonly permission: Permission;
  readonly integration: IntegrationRef;
}

/**
 * Decisions a second with 500 users in 6 roles and 10,000 grants, each with its reason and rule; beside CASL with an
 * ability per user made beforehand, on the same questions. Target: ≥ 1M/s, and both agree on every answer.
 */
export async function run(): Promise<void> {
  const random = seeded(7);
  const integrations = Array.from({ length: INTEGRATIONS }, (_, index) => ({
    id: `int_${index}`,
    owner: `usr_${index % USERS}`,
    platform: `platform${index % PLATFORMS}`,
  }));
  const snapshot = makeSnapshot(random, integrations);
  const questions = Array.from({ length: QUESTIONS }, () => ({
    userId: `usr_${random(USERS)}`,
    permission: ABOUT_INTEGRATIONS[random(ABOUT_INTEGRATIONS.length)]!,
    integration: integrations[random(INTEGRATIONS)]!,
  }));

  gc?.();
  const before = process.memoryUsage().heapUsed;
  const compileStart = performance.now();
  const rules = compileAccess(snapshot);
  const compileMs = performance.now() - compileStart;
  gc?.();
  const heapMb = (process.memoryUsage().heapUsed - before) / 1024 ** 2;

  const nowMs = Date.now();
  const abilities = makeAbilities(snapshot);
  const subjects = new Map(integrations.map((one) => [one.id, subject('Integration', { ...one })]));
  const ours = ({ userId, permission, integration }: Question) =>
    rules.decide(userId, permission, integration, nowMs).allowed;
  const casl = ({ userId, permission, integration }: Question) =>
    abilities.get(userId)!.can(permission, subjects.get(integration.id)!);
  const rates = { ours: [] as number[], casl: [] as number[] };
  let mismatches = 0;
  for (const question of questions) if (ours(question) !== casl(question)) mismatches++;
  // In turns, so that a busy moment of the machine meets both.
  for (let round = 0; round < ROUNDS; round++) {
    rates.ours.push(rateOf(ours, questions));
    rates.casl.push(rateOf(casl, questions.slice(0, QUESTIONS / 4)));
  }
  console.table({
    'compiled map': { 'decisions/s (median)': median(rates.ours), '≥ 1M/s': median(rates.ours) >= 1_000_000 },
    '@casl/ability': { 'decisions/s (median)': median(rates.casl) },
  });
  console.log(
    `${mismatches} mismatches in ${QUESTIONS}; compiled in ${compileMs.toFixed(1)} ms, ${heapMb.toFixed(1)} MB of heap`,
  );
  if (mismatches > 0) process.exitCode = 1;
}

const ABOUT_INTEGRATIONS = PERMISSION_NAMES.filter((name) => PERMISSIONS[name].scope === 'integration');

function makeSnapshot(random: (below: number) => number, integrations: readonly IntegrationRef[]): AccessSnapshot {
  const patterns = ['integrations:*', 'records:*', 'integrations:read', 'records:read', 'webhooks:write', '*'];
  return {
    version: 1,
    rulesVersion: 1,
    users: Array.from({ length: USERS }, (_, index) => ({
      id: `usr_${index}`,
      role: BUILT_IN_ROLES[index % BUILT_IN_ROLES.length]!.name,
      status: 'active',
    })),
    roles: [],
    grants: Array.from({ length: GRANTS }, (_, index) => {
      const { id, owner, platform } = integrations[random(INTEGRATIONS)]!;
      const narrow = { kind: 'integration', value: id } as const;
      const wide =
        random(2) === 0 ? ({ kind: 'owner', value: owner } as const) : ({ kind: 'platform', value: platform } as const);
      return {
        id: `gra_${index}`,
        userId: `usr_${random(USERS)}`,
        effect: random(10) === 0 ? 'deny' : 'allow',
        permissions: [patterns[random(patterns.length)]!],
        scope: random(20) === 0 ? wide : narrow,
        reason: 'for the bench',
        expiresAtMs: null,
      };
    }),
    breakGlass: [],
  };
}

/** The same rules, as CASL wants them: later ones count more, so denies come last. */
function makeAbilities({ users, grants }: AccessSnapshot): Map<string, MongoAbility> {
  const byEffect = [...grants].sort((one, other) => one.effect.localeCompare(other.effect));
  return new Map(
    users.map((user) => {
      const role = BUILT_IN_ROLES.find(({ name }) => name === user.role)!;
      const fromRole = role.permissions.map(({ permission, reach }) => ({
        action: permission,
        subject: 'Integration',
        ...(reach === 'own' ? { conditions: { owner: user.id } } : {}),
      }));
      const fromGrants = byEffect
        .filter(({ userId }) => userId === user.id)
        .map(({ effect, permissions, scope }) => ({
          action: permissions.flatMap(permissionsMatching) as string[],
          subject: 'Integration',
          inverted: effect === 'deny',
          ...(scope.kind === 'all'
            ? {}
            : { conditions: { [scope.kind === 'integration' ? 'id' : scope.kind]: scope.value } }),
        }));
      return [user.id, createMongoAbility([...fromRole, ...fromGrants])];
    }),
  );
}

function rateOf(decide: (question: Question) => boolean, questions: readonly Question[]): number {
  const start = performance.now();
  let allowed = 0;
  for (const question of questions) if (decide(question)) allowed++;
  const seconds = (performance.now() - start) / 1000;
  if (allowed === 0) throw new Error('Nothing was allowed.');
  return Math.round(questions.length / seconds);
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)]!;
}

/** Numbers that are the same in every run (mulberry32). */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
