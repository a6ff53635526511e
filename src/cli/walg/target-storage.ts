import { UsageError } from '../../errors.ts';
import type { CommandCall, CommandOption } from '../command.ts';
import { textOption } from '../option-values.ts';
import { storageName } from './backup-details.ts';

/** WAL-G's choice among its failover storages, of which there are none here. */
export const targetStorageOption: CommandOption = {
  flags: '--target-storage <name>',
  description: `the storage: ${storageName}, there is no other`,
};

/** @throws {@link UsageError} when another storage than the only one is asked for */
export function refuseOtherStorage(call: Pick<CommandCall, 'options'>): void {
  const storage = textOption(call, 'targetStorage');
  if (storage === undefined || storage === '' || storage === storageName) return;
  throw new UsageError(`there is no storage ${JSON.stringify(storage)}: failover storages are not supported`, {
    hint: `Leave --target-storage out, or say ${storageName}.`,
  });
}
