// Prints "passed failed" for .ci/run: the tests of all vitest reports (*.json) in a folder; a step that failed without
// a failed test counts too. Plain JavaScript, because it must also count where the installation failed.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, failedSteps] = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const name of readdirSync(folder).filter((one) => one.endsWith('.json'))) {
  const report = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  passed += report.numPassedTests;
  failed += report.numFailedTests;
}
console.log(passed, Math.max(failed, Number(failedSteps)));
