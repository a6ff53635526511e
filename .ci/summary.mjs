// Prints what failed, with its reason, and the closing line of a run, from Vitest's JSON report.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));

for (const { name: file, message, assertionResults } of report.testResults) {
  const failed = assertionResults.filter(({ status }) => status === 'failed');
  for (const { fullName, failureMessages } of failed) {
    console.log(`FAILED ${file}\n  ${fullName}\n${failureMessages.join('\n').split('\n').slice(0, 40).join('\n')}\n`);
  }
  if (failed.length === 0 && message) console.log(`FAILED ${file}\n${message}\n`);
}
const skipped = report.numPendingTests + report.numTodoTests;
console.log(`${report.numPassedTests} passed, ${report.numFailedTests} failed, ${skipped} skipped`);
