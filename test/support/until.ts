import { setTimeout as delay } from 'node:timers/promises'

/** Asks again and again until the answer is one that counts; throws what was last seen when that takes longer than anything should. */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  counts: (answer: T) => boolean,
  limitMs = 100_000,
): Promise<T> {
  const endMs = performance.now() + limitMs
  for (;;) {
    const answer = await ask()
    if (counts(answer)) return answer
    if (performance.now() > endMs) throw new Error(`${what}: not within ${limitMs} ms; last seen: ${JSON.stringify(answer)}`)
    await delay(100)
  }
}
