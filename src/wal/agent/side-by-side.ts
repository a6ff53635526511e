/**
 * Works on the items of one stream side by side. Ends when the stream has ended and all work is done; after a failure nothing else is
 * begun, what has begun is waited for, and the first failure is thrown, be it of the stream or of the work.
 */
export async function sideBySide<T>(
  items: AsyncGenerator<T>,
  jobs: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const worker = async (): Promise<void> => {
    for await (const item of items) await work(item);
  };
  const ends = await Promise.allSettled(Array.from({ length: jobs }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
