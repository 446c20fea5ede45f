import { setTimeout as delay } from 'node:timers/promises'
import { ApiException } from '@kubernetes/client-node'

/**
 * What a controller does, in a test: attends to each of these things, and looks again, until it is disposed. An object that was changed, or went, between
 * the look and this is attended to next time. Disposing throws when it had to end early.
 */
export function attending<Item>(
  everyMs: number,
  list: () => Promise<readonly Item[]>,
  attend: (item: Item) => Promise<void>,
): AsyncDisposable {
  const stopping = new AbortController()
  const round = async (): Promise<void> => {
    for (const item of await list()) await attend(item).catch(unlessLater)
  }
  const work = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await round().catch(unlessLater)
      await delay(everyMs)
    }
  }
  let failure: unknown
  const working = work().catch((error: unknown) => {
    failure = error
  })
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await working
      if (failure !== undefined) throw new Error('a controller of the test ended early', { cause: failure })
    },
  }
}

/** 429: its kind is so new that the API server is not ready for it. */
function unlessLater(error: unknown): void {
  if (!(error instanceof ApiException) || ![404, 409, 429].includes(error.code)) throw error
}
