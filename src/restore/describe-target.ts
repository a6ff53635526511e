import { formatLsn } from '../postgres/lsn.ts';
import type { StopPoint } from '../postgres/recovery-target.ts';

/** A stop point in words, to stand behind "recover to". */
export function describeStop(stop: StopPoint): string {
  switch (stop.kind) {
    case 'latest':
      return 'the end of the archived WAL';
    case 'immediate':
      return 'the end of the backup';
    case 'time':
      return `${stop.time.utcText}${side(stop)}`;
    case 'lsn':
      return `LSN ${formatLsn(stop.lsn)}${side(stop)}`;
    case 'xid':
      return `transaction ${stop.xid}${side(stop)}`;
    case 'name':
      return `the restore point ${JSON.stringify(stop.name)}`;
  }
}

function side(stop: { readonly isInclusive: boolean }): string {
  return stop.isInclusive ? '' : ', stopping just before it';
}
