import { UsageError } from '../errors.ts';
import { parseTargetTime } from '../postgres/target-time.ts';
import { parseJsonText } from '../repository/json-object.ts';
import type { BackupOrTime, DeleteRequest } from '../retention/request.ts';
import type { CommandCall } from './command.ts';
import { switchOption, textOption } from './option-values.ts';

/**
 * Reads what follows `delete` on the command line, in WAL-G's words.
 *
 * @throws {@link UsageError} for anything else
 */
export function readDeleteRequest(call: Pick<CommandCall, 'args' | 'options'>): DeleteRequest {
  const [kind = '', ...words] = call.args;
  const useSentinelTime = switchOption(call, 'useSentinelTime');
  switch (kind) {
    case 'before': {
      const { modifier, word } = split(words, ['FIND_FULL']);
      if (word === undefined) throw misused('before [FIND_FULL] <backup or time>');
      return { kind, from: backupOrTime(word), findFull: modifier !== undefined, useSentinelTime };
    }
    case 'retain': {
      const { modifier, word = '' } = split(words, ['FULL', 'FIND_FULL']);
      const count = Number(word);
      if (!/^\d+$/.test(word) || count < 1) throw misused('retain [FULL|FIND_FULL] <count, at least 1>');
      const after = textOption(call, 'after');
      return { kind, count, modifier, after: after === undefined ? undefined : backupOrTime(after), useSentinelTime };
    }
    case 'target': {
      const { modifier, word } = split(words, ['FIND_FULL']);
      const userData = textOption(call, 'targetUserData');
      if ((word === undefined) === (userData === undefined)) {
        throw misused('target [FIND_FULL] <backup>, or target [FIND_FULL] --target-user-data <json>');
      }
      const backup = userData === undefined ? { name: word ?? '' } : { userData: parseJsonText(userData) };
      return { kind, backup, findFull: modifier !== undefined };
    }
    case 'everything': {
      const { modifier, word } = split(words, ['FORCE']);
      if (word !== undefined) throw misused('everything [FORCE]');
      return { kind, force: modifier !== undefined };
    }
    case 'garbage': {
      const { modifier, word } = split(words, ['ARCHIVES', 'BACKUPS']);
      if (word !== undefined) throw misused('garbage [ARCHIVES|BACKUPS]');
      return { kind, only: modifier, withoutBackups: switchOption(call, 'withoutBackupCheck') };
    }
    default:
      throw new UsageError(`cannot delete ${JSON.stringify(kind)}`, {
        hint: 'Say one of before, retain, target, everything, garbage.',
      });
  }
}

interface Split<Modifier> {
  readonly modifier: Modifier | undefined;
  /** The one other word, if there is one. */
  readonly word: string | undefined;
}

function split<const Modifier extends string>(
  words: readonly string[],
  modifiers: readonly Modifier[],
): Split<Modifier> {
  const modifier = modifiers.find((candidate) => candidate === words[0]?.toUpperCase());
  const [word, ...rest] = modifier === undefined ? words : words.slice(1);
  if (rest.length > 0) throw new UsageError(`cannot delete: ${JSON.stringify(rest[0])} is one word too many`);
  return { modifier, word };
}

function backupOrTime(word: string): BackupOrTime {
  if (word === 'LATEST' || word.startsWith('base_')) return { name: word };
  return { time: parseTargetTime(word).at };
}

function misused(usage: string): UsageError {
  return new UsageError('the command is not complete, or not clear', { hint: `Write: delete ${usage}.` });
}
