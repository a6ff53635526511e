/**
 * A way to keep objects secret. It works below compression: data is compressed, then encrypted, then stored. Both directions are
 * streams: memory stays bounded whatever the size. One folder per cipher; `ciphers.ts` is the table that names them.
 */
export interface Cipher {
  /** The setting's value: `libsodium`, `openpgp`, `aws-kms`. */
  readonly name: string;
  /** Encrypts the stream into one object. */
  encrypt(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /**
   * Restores what was encrypted. An {@link IntegrityError} is thrown for a stream that is damaged, cut off wherever it be, followed by
   * anything, encrypted for another key ("wrong key") or not encrypted at all. Every chunk handed out was written by somebody who had
   * the key, unless the cipher says otherwise; that nothing is missing is certain only when the stream has ended without an error.
   */
  decrypt(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}
