import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { verifyConsistency, verifyInclusion } from '../../src/audit/merkleProof.ts';

// The folder testdata of transparency-dev/merkle (Apache-2.0) stands beside this repository and not in it; without it
// only the examples and properties of merkle.test.ts are run.
const FOLDER =
  process.env.MERKLE_VECTORS_DIR ?? fileURLToPath(new URL('../../../shared/vectors/merkle', import.meta.url));
const available = process.env.MERKLE_VECTORS_DIR !== undefined || existsSync(FOLDER);

interface InclusionCase {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string | null;
  readonly leafHash: string | null;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}

interface ConsistencyCase {
  readonly size1: number;
  readonly size2: number;
  readonly root1: string | null;
  readonly root2: string | null;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}

const bytes = (base64: string | null) => Buffer.from(base64 ?? '', 'base64');

function cases<C>(kind: string): [string, C][] {
  const files = globSync(`${kind}/**/*.json`, { cwd: FOLDER }).sort();
  return files.map((file) => [file, JSON.parse(readFileSync(`${FOLDER}/${file}`, 'utf8')) as C]);
}

describe.runIf(available)('the published vectors', () => {
  it('of inclusion proofs', () => {
    const all = cases<InclusionCase>('inclusion');
    for (const [file, { leafIdx, treeSize, root, leafHash, proof, wantErr }] of all) {
      const verified = verifyInclusion(bytes(leafHash), leafIdx, treeSize, (proof ?? []).map(bytes), bytes(root));
      expect(verified, file).toBe(!wantErr);
    }
    expect(all.length).toBeGreaterThanOrEqual(98);
  });

  it('of consistency proofs', () => {
    const all = cases<ConsistencyCase>('consistency');
    for (const [file, { size1, size2, root1, root2, proof, wantErr }] of all) {
      const verified = verifyConsistency(size1, size2, (proof ?? []).map(bytes), bytes(root1), bytes(root2));
      expect(verified, file).toBe(!wantErr);
    }
    expect(all.length).toBeGreaterThanOrEqual(98);
  });
});
