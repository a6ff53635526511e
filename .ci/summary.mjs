// Prints what failed, with its reason, and the closing line of a run, from Vitest's JSON report.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const print = (text) => process.stdout.write(`${text}\n`);
const reasonLines = 40;

for (const { name: file, message, assertionResults } of report.testResults) {
  const failed = assertionResults.filter(({ status }) => status === 'failed');
  for (const { fullName, failureMessages } of failed) {
    const reason = failureMessages.join('\n').split('\n').slice(0, reasonLines).join('\n');
    print(`FAILED ${file}\n  ${fullName}\n${reason}\n`);
  }
  if (failed.length === 0 && message) print(`FAILED ${file}\n${message}\n`);
}
const skipped = report.numPendingTests + report.numTodoTests;
print(`${report.numPassedTests} passed, ${report.numFailedTests} failed, ${skipped} skipped`);
