/** What is to be deleted, in WAL-G's words. */
export type DeleteRequest =
  /** Everything that is older than a backup. */
  | {
      readonly kind: 'before';
      readonly from: BackupOrTime;
      readonly findFull: boolean;
      readonly useSentinelTime: boolean;
    }
  /** Everything that is older than the newest `count` backups, and than `after` if that is older. */
  | {
      readonly kind: 'retain';
      readonly count: number;
      /** `FULL`: count full backups only. `FIND_FULL`: count all, then go back to the full backup of the last. */
      readonly modifier: 'FULL' | 'FIND_FULL' | undefined;
      readonly after: BackupOrTime | undefined;
      readonly useSentinelTime: boolean;
    }
  /** One backup and those that stand on it; no WAL. */
  | {
      readonly kind: 'target';
      readonly backup: { readonly name: string } | { readonly userData: unknown };
      /** With all that share its full backup. */
      readonly findFull: boolean;
    }
  | {
      readonly kind: 'everything';
      /** Also permanent backups, and backups that are being taken. */
      readonly force: boolean;
    }
  /** What no backup needs: WAL from before the oldest ordinary one, and what interrupted backups and deletions have left behind. */
  | {
      readonly kind: 'garbage';
      readonly only: 'ARCHIVES' | 'BACKUPS' | undefined;
      /** Also where there is no ordinary backup, so that all WAL but that of permanent ones is garbage. */
      readonly withoutBackups: boolean;
    };

/** A backup by its name (or LATEST), or the first one that is not older than a time. */
export type BackupOrTime = { readonly name: string } | { readonly time: Date };
