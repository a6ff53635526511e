import { IntegrityError } from '../../errors.ts';
import type { SessionKey } from './message.ts';
import { packetTags } from './packets.ts';

type Library = typeof import('openpgp');
type PrivateKey = import('openpgp').PrivateKey;

/** A packet that encrypts the session key for one recipient is far smaller. */
const largestPacketBytes = 64 * 1024;

/** More recipients than anybody has. */
const mostPackets = 256;

/** A message for a key that its writer does not name. */
const anyKeyId = '0000000000000000';

/** An empty packet of encrypted data: the library takes packets of session keys only with one behind. */
const noData: readonly number[] = [0xc0 | packetTags.protected, 1, 1];

/** Collects the packets that hold the session key, until one of our keys is asked to open them. */
export interface SessionKeyPackets {
  /** @throws {@link IntegrityError} when it is not one that anybody writes */
  add(body: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * The session key.
   *
   * @throws {@link IntegrityError} when none of our keys is a recipient ("wrong key"), or the packet is damaged
   */
  open(decryptionKeys: PrivateKey[]): Promise<SessionKey>;
}

export function collectSessionKeys(openpgp: Library): SessionKeyPackets {
  const packets: Buffer[] = [];
  return {
    async add(body) {
      const pieces: Uint8Array[] = [];
      let sizeBytes = 0;
      for await (const piece of body) {
        sizeBytes += piece.length;
        if (sizeBytes > largestPacketBytes || packets.length === mostPackets) throw damaged(undefined);
        // The source may use its memory again.
        pieces.push(Buffer.from(piece));
      }
      const header = Buffer.from([0xc0 | packetTags.sessionKey, 255, 0, 0, 0, 0]);
      header.writeUInt32BE(sizeBytes, 2);
      packets.push(Buffer.concat([header, ...pieces]));
    },

    async open(decryptionKeys) {
      const binaryMessage = new Uint8Array(Buffer.concat([...packets, Buffer.from(noData)]));
      const message = await openpgp.readMessage({ binaryMessage }).catch((error: unknown) => {
        throw damaged(error);
      });
      const keyIds = message.getEncryptionKeyIDs();
      const isForUs = keyIds.some(
        (id) => id.toHex() === anyKeyId || decryptionKeys.some((key) => key.getKeys(id).length > 0),
      );
      if (!isForUs) throw wrongKey(keyIds.map((id) => id.toHex()));
      const [sessionKey] = await openpgp.decryptSessionKeys({ message, decryptionKeys }).catch((error: unknown) => {
        throw damaged(error);
      });
      if (sessionKey === undefined) throw damaged(undefined);
      return sessionKey;
    },
  };
}

function wrongKey(keyIds: readonly string[]): IntegrityError {
  return new IntegrityError('wrong OpenPGP key', {
    hint: `Set the private key of one of the recipients: ${keyIds.join(', ')}.`,
  });
}

function damaged(cause: unknown): IntegrityError {
  return new IntegrityError('OpenPGP data is damaged or truncated', cause === undefined ? {} : { cause });
}
