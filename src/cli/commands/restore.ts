import { parseRecoveryTarget } from '../../postgres/recovery-target.ts';
import { describePlan } from '../../restore/describe-plan.ts';
import type { RestoreOptions } from '../../restore/plan.ts';
import { parseTablespaceMapping } from '../../restore/plan-tablespaces.ts';
import { prepareRestore, restoreBackup } from '../../restore/restore.ts';
import { formatBytes } from '../../util/bytes.ts';
import { formatDuration } from '../../util/duration.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { choiceOption, switchOption, textOption, textsOption } from '../option-values.ts';
import { withProgress } from '../progress.ts';
import { restoreCommandLine } from '../restore-command-line.ts';

/** A cluster back on disk, ready to recover. */
export const restoreCommand: CommandDefinition = {
  name: 'restore',
  arguments: [
    { notation: '<backup>', description: 'its name, or LATEST: the newest that serves the target' },
    { notation: '<directory>', description: 'the data directory to be; absent or empty' },
  ],
  summary: 'lay a backup down and prepare recovery to a target',
  description:
    'Checks every file against the backup’s manifest, puts pg_control in place last, and writes the recovery settings; the server is not started. Without a target, recovery goes to the end of the archived WAL.',
  settings: ['jobs'],
  options: [
    { flags: '--target-time <time>', description: "stop at this time, with its zone: '2026-01-02 03:04:05+01'" },
    { flags: '--target-lsn <lsn>', description: 'stop at this log position' },
    { flags: '--target-xid <xid>', description: 'stop at this transaction' },
    { flags: '--target-name <name>', description: 'stop at this restore point' },
    { flags: '--target-immediate', description: 'stop as soon as the cluster is consistent' },
    { flags: '--target-inclusive <on|off>', description: 'off: stop just before the time, LSN or transaction' },
    { flags: '--target-timeline <timeline>', description: 'latest (the default), current, or a number' },
    { flags: '--target-action <action>', description: 'pause (the default), promote or shutdown' },
    { flags: '--standby', description: 'make a standby, which goes on recovering' },
    { flags: '--archive-mode <off|keep>', description: 'whether the restored cluster may archive' },
    {
      flags: '--tablespace-mapping <old=new>',
      description: 'put a tablespace elsewhere; may be repeated',
      repeatable: true,
    },
    { flags: '--restore-command <command>', description: 'use this restore_command instead of our own' },
    { flags: '--plan', description: 'print what would be done, and write nothing' },
  ],
  examples: [
    'seawall restore LATEST /var/lib/postgresql/18/restored --plan',
    "seawall restore LATEST /var/lib/postgresql/18/restored --target-time '2026-01-02 03:04:05+01'",
    'seawall restore LATEST /srv/copy --tablespace-mapping /srv/fast=/srv/copy-fast',
  ],
  async run(call) {
    const options = readOptions(call);
    await using repository = await call.openRepository();
    if (switchOption(call, 'plan')) {
      call.print(describePlan(await prepareRestore(repository, options, call.context)).join('\n'));
      return;
    }
    const result = await withProgress('restoring', call.context, (onProgress) =>
      restoreBackup(repository, { ...options, onProgress }, call.context),
    );
    const { backup, directory, notes } = result.plan;
    call.print(
      [
        `${backup.name} is restored into ${directory}: ${formatBytes(result.sizeBytes)} in ${formatDuration(result.durationMs)}`,
        ...notes,
        'next:',
        ...result.next.map((line) => `  ${line}`),
      ].join('\n'),
    );
  },
};

function readOptions(call: CommandCall): RestoreOptions {
  const [backup = '', directory = ''] = call.args;
  return {
    backup,
    directory,
    target: parseRecoveryTarget({
      time: textOption(call, 'targetTime'),
      lsn: textOption(call, 'targetLsn'),
      xid: textOption(call, 'targetXid'),
      name: textOption(call, 'targetName'),
      immediate: switchOption(call, 'targetImmediate'),
      inclusive: choiceOption(call, 'targetInclusive', { on: true, off: false }),
      timeline: textOption(call, 'targetTimeline'),
      action: textOption(call, 'targetAction'),
    }),
    standby: switchOption(call, 'standby'),
    restoreCommand: textOption(call, 'restoreCommand') ?? restoreCommandLine(call),
    archiveMode: choiceOption(call, 'archiveMode', { off: 'off', keep: 'keep' }),
    tablespaceMappings: textsOption(call, 'tablespaceMapping').map(parseTablespaceMapping),
    jobs: call.settings.jobs,
  };
}
