// npm run test:package: packs the package, installs it in an empty folder outside, and proves there that every
// documented import path works, that the command runs, that a TypeScript program sees the types, and that the library
// opens an embedded database, which needs the migrations and connectors that the package must bring.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'integration-services-package-'));
// When we are root, the embedded database runs as another user, who must come through.
chmodSync(folder, 0o755);

function run(what: string, program: string, args: readonly string[], cwd: string): string {
  console.log(`• ${what}`);
  return execFileSync(program, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 300_000,
    env: { ...process.env, DATA_DIR: join(folder, 'data'), DATABASE_URL: '', NODE_ENV: '', LOG_LEVEL: 'warn' },
  });
}

function requireText(text: string, expected: string, what: string): void {
  if (!text.includes(expected)) throw new Error(`${what}: expected ${JSON.stringify(expected)}, got: ${text}`);
}

try {
  const packed = JSON.parse(run('npm pack', 'npm', ['pack', '--json', '--pack-destination', folder], root)) as {
    filename: string;
    size: number;
    files: { path: string }[];
  }[];
  const { filename, size, files } = packed[0]!;
  console.log(`  ${filename}: ${files.length} files, ${Math.round(size / 1024)} KiB`);
  const stray = files.filter(({ path }) => /^(src|test|bench|scripts|\.ci)\//.test(path));
  if (stray.length > 0)
    throw new Error(`Does not belong into the package: ${stray.map(({ path }) => path).join(', ')}`);
  run(
    'publint',
    process.execPath,
    [join(root, 'node_modules/publint/src/cli.js'), join(folder, filename), '--strict'],
    root,
  );

  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  // A consumer's npm does not run install scripts of dependencies unless told so; it must work without them.
  run('npm install of the tarball', 'npm', ['install', '--ignore-scripts', `./${filename}`], folder);

  const { version, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    version: string;
    exports: Record<string, unknown>;
  };
  const paths = Object.keys(exports)
    .filter((path) => path !== './package.json')
    .map((path) => `integration-services${path.slice(1)}`);
  const imports = paths.map((path) => `await import(${JSON.stringify(path)});`).join('\n');
  writeFileSync(join(folder, 'imports.js'), `${imports}\nconsole.log('imported');\n`);
  requireText(run(`import ${paths.join(', ')}`, process.execPath, ['imports.js'], folder), 'imported', 'The imports');

  const command = join(folder, 'node_modules/.bin/integration-services');
  requireText(run('integration-services --version', command, ['--version'], folder), version, 'The command');
  requireText(run('connectors list', command, ['connectors', 'list', '--json'], folder), '"github"', 'The connectors');

  const program = `
import { createIntegrationServices, type Integration } from 'integration-services';
import { integrationService } from 'integration-services/services/integrationService';
import { CredentialEncryption } from 'integration-services/services/credentialEncryption';

const app = await createIntegrationServices();
const made: Integration = await app.integrationService.createIntegration({
  name: 'Packed',
  platform: 'github',
  credentials: { token: 'github_pat_0123456789012345678901_01234567890123456789012345678901234567890123456789012345678' },
});
const all: Integration[] = await integrationService.getIntegrations();
await app.close();
const sealed = await CredentialEncryption.encrypt({ apiKey: 'sensitive-key' }, 'user-123');
const opened = await CredentialEncryption.decrypt(sealed, 'user-123');
console.log(all.length === 1 && all[0]?.id === made.id && opened.apiKey === 'sensitive-key' ? 'library works' : 'library fails');
`;
  writeFileSync(join(folder, 'program.ts'), program);
  requireText(
    run('the library on an embedded database', process.execPath, ['program.ts'], folder),
    'library works',
    'The library',
  );

  // The signatures of the specification, held against the declarations.
  writeFileSync(
    join(folder, 'signatures.ts'),
    `
import { comprehensiveLoggingService as logs, type IntegrationLog, type LogLevel, type LogOptions } from 'integration-services/services/comprehensiveLoggingService';
import { monitoringService } from 'integration-services/services/monitoringService';
import { performanceMonitoringService as performance, type GlobalPerformanceReport, type OptimizationResult, type PerformanceAnalysis, type PerformanceConfig, type PerformanceData, type PerformanceSummary } from 'integration-services/services/performanceMonitoringService';
import { rateLimitingService as limits, type RateLimitConfig, type RateLimitResult, type RateLimitStats } from 'integration-services/services/rateLimitingService';

export const signatures: {
  checkRateLimit(integrationId: string, action: string, config?: RateLimitConfig): Promise<RateLimitResult>;
  adjustRateLimit(integrationId: string, action: string, newConfig: Partial<RateLimitConfig>): Promise<void>;
  clearRateLimits(integrationId?: string): void;
  getRateLimitStats(integrationId?: string): RateLimitStats;
  analyzeIntegrationPerformance(integrationId: string): Promise<PerformanceAnalysis>;
  getHistoricalPerformanceData(integrationId: string): PerformanceData | undefined;
  getGlobalPerformanceReport(): Promise<GlobalPerformanceReport>;
  optimizeIntegrationPerformance(integrationId: string): Promise<OptimizationResult>;
  getPerformanceSummary(): Promise<PerformanceSummary>;
  log(integrationId: string | 'system', level: LogLevel, message: string, metadata?: Record<string, any>): Promise<void>;
  getLogs(integrationId: string | 'system', options?: LogOptions): Promise<IntegrationLog[]>;
  subscribeToLogs(onLogReceived: (log: IntegrationLog) => void, integrationId?: string): () => void;
} = { ...limits, ...performance, ...logs };
export const limit: RateLimitConfig = { maxRequests: 100, windowSize: 60000, strategy: 'sliding_window', burstLimit: 10 };
export const thresholds: PerformanceConfig = {
  metricsRetentionDays: 30,
  alertThresholds: { responseTime: 5000, errorRate: 5, successRate: 95 },
};
export const health = monitoringService.getHealth;
`,
  );
  // Without skipLibCheck: what our declarations need has to come with the package.
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
  run('its types', join(root, 'node_modules/.bin/tsc'), [...options, 'program.ts', 'signatures.ts'], folder);
  console.log('The package works outside.');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
