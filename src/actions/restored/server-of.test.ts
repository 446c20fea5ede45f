import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Catalog } from '../../catalog/index.ts'
import { beginRestore, finishRestore } from './marker.ts'
import { serverOn } from './server-of.ts'

/** A data directory as `postgres.restore` leaves it, as far as finding out about its server goes. */
async function restored(facts: { superuser?: string }) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-server-of-'))
  const dataDirectory = join(folder, 'data')
  await beginRestore(dataDirectory, 'run/restore')
  await writeFile(join(dataDirectory, 'PG_VERSION'), '18\n')
  await finishRestore(dataDirectory, 'run/restore', { service: 'db', repository: 'nas', systemIdentifier: '7', ...facts })
  return { dataDirectory, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

const context = { catalog: { services: {} } as Catalog }
const userOf = (url: string) => new URL(url).searchParams.get('user')

test('a restored server is reached as the superuser that its backup knows, unless the step names another', async () => {
  await using known = await restored({ superuser: 'ann' })
  expect(userOf((await serverOn(known, context)).url)).toBe('ann')
  expect(userOf((await serverOn({ ...known, user: 'bob' }, context)).url)).toBe('bob')
  await using unknown = await restored({})
  expect(userOf((await serverOn(unknown, context)).url)).toBe('postgres')
})
