/** Things that are made when there is none, and kept when they are given back, up to a number. */
export interface Spares<T> {
  readonly take: () => T;
  readonly giveBack: (spare: T) => void;
}

/** @param discard - what is done with a thing that is given back while as many as are kept lie there */
export function createSpares<T>(kept: number, make: () => T, discard: (spare: T) => void = () => undefined): Spares<T> {
  const spares: T[] = [];
  return {
    take: () => spares.pop() ?? make(),
    giveBack: (spare) => {
      if (spares.length < kept) spares.push(spare);
      else discard(spare);
    },
  };
}
