/** A list by single questions, for a server that takes no other. */
import { listedText, type ListedText } from '../listing.ts';

/** So many questions of one list are under way; the others of the service have their turn. */
const AT_ONCE = 8;

/** Each item with its rules. Rejects with the first question that gets no answer. */
export async function listEach<Item>(
  items: readonly Item[],
  ask: (item: Item) => Promise<unknown>,
): Promise<ListedText[]> {
  const listed: ListedText[] = [];
  const left = items.entries();
  let failed = false;
  const work = async (): Promise<void> => {
    for (const [position, item] of left) {
      if (failed) return;
      listed[position] = listedText(await ask(item));
    }
  };
  const workers = Array.from({ length: AT_ONCE }, () =>
    work().catch((error: unknown) => {
      failed = true;
      throw error;
    }),
  );
  await Promise.all(workers);
  return listed;
}
