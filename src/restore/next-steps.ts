import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeStop } from './describe-target.ts';
import type { RestorePlan } from './plan.ts';

/** The uid of root, as whom no server runs. */
const rootId = 0;

/** What is left to do after a restore, a line each: whom to give the files, how to start the server, and what it will do then. */
export async function nextSteps(plan: RestorePlan): Promise<string[]> {
  const directory = shellWord(plan.directory);
  const directories = [plan.directory, ...plan.tablespaces.map(({ location }) => location)].map(shellWord).join(' ');
  const lines: string[] = [];
  if ((await stat(plan.directory)).uid === rootId) {
    lines.push(`give the files to the user that runs PostgreSQL: chown -R postgres: ${directories}`);
  }
  if (!(await isThere(join(plan.directory, 'postgresql.conf')))) {
    lines.push(
      'put postgresql.conf and pg_hba.conf in place: they lay outside of the data directory and are in no backup',
    );
  }
  lines.push(`start the server: pg_ctl start -D ${directory}`, whatHappens(plan));
  return lines;
}

function whatHappens({ target, signalFile }: RestorePlan): string {
  const stop = describeStop(target.stop);
  if (signalFile === 'standby.signal') {
    return 'it recovers as a standby, from the repository and from primary_conninfo where that is set; promote it with: select pg_promote()';
  }
  if (target.stop.kind === 'latest') return `it recovers to ${stop} and then opens for writing, on a new timeline`;
  switch (target.action) {
    case 'pause':
      return `it recovers to ${stop} and pauses there, open for reading; look at the data, then open it for writing with: select pg_wal_replay_resume()`;
    case 'promote':
      return `it recovers to ${stop} and then opens for writing, on a new timeline`;
    case 'shutdown':
      // Without recovery.signal the server would take this for a crash, and replay what pg_wal holds of the time after the target.
      return `it recovers to ${stop} and shuts down; to open it there, start it with -o "-c recovery_target_action=promote", and never remove recovery.signal`;
  }
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

/** Quoted for sh where it needs to be. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
