import { expect, test } from 'vitest'
import type { Connection } from '../../../../clusters/index.ts'
import { readPodLogs } from './pod-logs.ts'

const mebibyte = 1024 ** 2

/** Reads the logs of pods that have so many bytes of them, of a cluster that gives no more than it is asked for. */
async function read(sizes: readonly number[]) {
  const limits: number[] = []
  const cluster: Connection = {
    server: '',
    send: async () => ({ items: sizes.map((size) => ({ metadata: { name: `web-${size}` } })) }),
    async text({ path, query }) {
      const limit = Number(query?.limitBytes)
      limits.push(limit)
      return 'x'.repeat(Math.min(limit, Number(path.split('/').at(-2)?.replace('web-', ''))))
    },
    [Symbol.asyncDispose]: async () => {},
  }
  const play = async (name = 'web') => readPodLogs.play({ name }, async () => cluster, new AbortController().signal)
  return { limits, play }
}

test('no more of the logs of all pods is read than may be kept, and more is a failure', async () => {
  const fits = await read([10 * mebibyte, 6 * mebibyte])
  const { output } = await fits.play()
  expect(Object.values(output as Record<string, string>).map(({ length }) => length)).toEqual([10 * mebibyte, 6 * mebibyte])
  expect(fits.limits).toEqual([16 * mebibyte + 1, 6 * mebibyte + 1])
  const more = await read([10 * mebibyte, 6 * mebibyte + 5, 1])
  await expect(more.play()).rejects.toThrow('the logs of these pods are more than 16 MiB')
  expect(more.limits).toEqual([16 * mebibyte + 1, 6 * mebibyte + 1])
})

test('a name that is empty does not read the logs of nobody', async () => {
  const { play, limits } = await read([1])
  await expect(play('')).rejects.toThrow('its argument name must be the name of an object')
  expect(limits).toEqual([])
})
