import { createRequire } from 'node:module';
import { loadLibrary } from '../../util/load-library.ts';

/** The part of `sodium-native` that deals with secret streams; its functions fill buffers that the caller hands in. */
export interface SecretStreams {
  readonly crypto_secretstream_xchacha20poly1305_STATEBYTES: number;
  crypto_secretstream_xchacha20poly1305_init_push(state: Buffer, header: Buffer, key: Buffer): void;
  crypto_secretstream_xchacha20poly1305_init_pull(state: Buffer, header: Uint8Array, key: Buffer): void;
  crypto_secretstream_xchacha20poly1305_push(
    state: Buffer,
    stored: Uint8Array,
    plain: Uint8Array,
    additionalData: null,
    tag: number,
  ): number;
  /** Throws when the chunk does not authenticate. */
  crypto_secretstream_xchacha20poly1305_pull(
    state: Buffer,
    plain: Uint8Array,
    tag: Uint8Array,
    stored: Uint8Array,
    additionalData: null,
  ): number;
}

/** @throws {@link ConfigError} when the package is not installed, or has no binary for this platform */
export function loadSecretStreams(): Promise<SecretStreams> {
  return loadLibrary('sodium-native', () => createRequire(import.meta.url)('sodium-native') as SecretStreams);
}
