import type { Personality } from './personality.ts';
import { seawall } from './seawall.ts';

/** A command line with its addressee. */
export interface AddressedCall {
  readonly personality: Personality;
  /** The command line without the word that chose the personality. */
  readonly words: readonly string[];
}

/**
 * Who is spoken to: WAL-G's personality by the word `wal-g`, which the launcher puts in front when it is called by that name, or by a
 * command that only WAL-G has; Seawall's own otherwise.
 */
export async function choosePersonality(argv: readonly string[]): Promise<AddressedCall> {
  const [first = ''] = argv;
  if (first === 'wal-g') {
    const { walg } = await import('./walg/personality.ts');
    return { personality: walg, words: argv.slice(1) };
  }
  if (first !== '' && !first.startsWith('-') && !Object.hasOwn(seawall.commands, first)) {
    const { walg } = await import('./walg/personality.ts');
    if (Object.hasOwn(walg.commands, first)) return { personality: walg, words: argv };
  }
  return { personality: seawall, words: argv };
}
