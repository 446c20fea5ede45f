/** The results of `work` in the order of the items, at most `width` at a time. The first failure is thrown, and nothing new is begun after it. */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  let failed = false
  async function lane(): Promise<void> {
    while (next < items.length && !failed) {
      const at = next++
      try {
        results[at] = await work(items[at] as Item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane))
  return results
}
