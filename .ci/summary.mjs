// Prints what failed, with its reason, and the closing line of a run, from Vitest's JSON report.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const print = (text) => process.stdout.write(`${text}\n`);
const reasonLines = 40;

/** The tests of one status that have failed at least once, each with the first lines of its reason. */
function printFailures(title, status) {
  const failures = report.testResults.flatMap(({ name: file, assertionResults }) =>
    assertionResults
      .filter((test) => test.status === status && test.failureMessages.length > 0)
      .map(({ fullName, failureMessages }) => ({ file, fullName, reason: failureMessages.join('\n') })),
  );
  for (const { file, fullName, reason } of failures) {
    print(`${title} ${file}\n  ${fullName}\n${reason.split('\n').slice(0, reasonLines).join('\n')}\n`);
  }
  return failures.length;
}

const repeated = printFailures('PASSED AT THE SECOND ATTEMPT', 'passed');
printFailures('FAILED', 'failed');
for (const { name: file, message } of report.testResults) if (message) print(`FAILED ${file}\n${message}\n`);

const skipped = report.numPendingTests + report.numTodoTests;
const atSecondAttempt = repeated === 0 ? '' : ` (${repeated} at the second attempt)`;
print(`${report.numPassedTests} passed${atSecondAttempt}, ${report.numFailedTests} failed, ${skipped} skipped`);
