/**
 * Seawall as a library: open a repository, push and fetch WAL, back up, restore. What is not exported here may change
 * with any version.
 */
export type { BackupProgress } from './backup/copy-cluster.ts';
export { type PushBackupOptions, type PushedBackup, pushBackup } from './backup/push.ts';
export type { Cipher } from './codec/cipher.ts';
export { type CipherName, type CipherOptions, createCipher } from './codec/ciphers.ts';
export type { Codec } from './codec/codec.ts';
export { type CodecOptions, createCodec } from './codec/codecs.ts';
export { type Clock, type Context, createContext, type Logger } from './context.ts';
export {
  AlreadyExistsError,
  BusyError,
  ConfigError,
  type ErrorCode,
  IntegrityError,
  LocalFileError,
  NotFoundError,
  PermissionError,
  PostgresError,
  SeawallError,
  StoreError,
  UsageError,
} from './errors.ts';
export { formatLsn, type Lsn, parseLsn } from './postgres/lsn.ts';
export { parseRecoveryTarget, type RecoveryTarget, type RecoveryTargetTexts } from './postgres/recovery-target.ts';
export { type BackupRecord, findBackup, listBackups } from './repository/backup-catalogue.ts';
export { createRepository, type Repository, type RepositoryEncryption } from './repository/repository.ts';
export { describePlan } from './restore/describe-plan.ts';
export type { RestoreOptions, RestorePlan } from './restore/plan.ts';
export { prepareRestore, type RestoreResult, restoreBackup } from './restore/restore.ts';
export { createMemoryStore } from './storage/drivers/memory.ts';
export type { ObjectStore } from './storage/object-store.ts';
export { openStore, type StoreSettings } from './storage/open.ts';
export { Secret } from './util/secret.ts';
export { type FetchOptions, type FetchResult, fetchWal } from './wal/fetch.ts';
export { type PushOptions, type PushResult, pushWal } from './wal/push.ts';
