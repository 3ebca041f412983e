/**
 * One walk for all who ask while another is under way: the next, which begins after each of them has
 * asked. So what they get is as new as a walk of their own would have been, and many keys whose
 * rotations end together do not walk one and the same list once each.
 */
export function shareWalk<T>(walk: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  let next: Promise<T> | undefined;

  function begin(): Promise<T> {
    next = undefined;
    const walked = walk().finally(() => {
      if (underWay === walked) underWay = undefined;
    });
    underWay = walked;
    return walked;
  }

  return () => {
    if (next === undefined && underWay === undefined) return begin();
    next ??= (underWay as Promise<T>).then(begin, begin);
    return next;
  };
}
