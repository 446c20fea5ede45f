import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createConnection, escape } from 'mysql2/promise'
import { expect, test } from 'vitest'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { startMariaDb, type MariaDb } from '../support/mariadb.ts'
import { describeWith } from '../support/peers.ts'
import { undoByHand } from '../support/undo-by-hand.ts'

const options = ['--max-connections=20']

/** What the process list shows of sessions that are held. */
async function held(server: MariaDb): Promise<string[]> {
  const rows = await server.sql('show full processlist')
  return rows.map(({ Info }) => String(Info)).filter((info) => info.startsWith('/* holdfast-'))
}

async function startShop(mariadbd: string, more: readonly string[] = []): Promise<MariaDb & { readonly app: string }> {
  const server = await startMariaDb(mariadbd, [...options, ...more])
  await server.sql(`create user app@'127.0.0.1'`)
  return Object.assign(server, { app: `mariadb://app@127.0.0.1:${server.port}/` })
}

describeWith('mariadb', 'connections of MariaDB', (mariadbd) => {
  test('all but four connections are held, named after the experiment, and are free again at the end', async () => {
    await using folder = await chaosFolder()
    await using server = await startShop(mariadbd)
    await using guard = await guardIn(folder.path, { experiment: 'pool exhaustion' })
    const fault = await guard.inject(bound('connections.mysql', { url: server.app, hold: { leave: 4 } }), 60_000, never)
    expect(fault.targets).toEqual([`16 of 20 connections of app@127.0.0.1:${server.port}`])
    const shown = await held(server)
    expect(shown).toHaveLength(16)
    expect(new Set(shown)).toEqual(new Set([`/* holdfast-pool-exhaustion-${fault.id} */ do sleep(86400)`]))
    await fault.end()
    expect(await held(server)).toEqual([])
  })

  test('with none left an ordinary user is turned away, and the administrator still gets in', async () => {
    await using folder = await chaosFolder()
    await using server = await startShop(mariadbd)
    await using guard = await guardIn(folder.path)
    const fault = await guard.inject(bound('connections.mysql', { url: server.app, hold: { leave: 0 } }), 60_000, never)
    await expect(createConnection(server.app.replace('mariadb:', 'mysql:'))).rejects.toMatchObject({ errno: 1040 })
    expect(await fault.look(never)).toEqual({ state: 'present' })
    expect(await held(server)).toHaveLength(20)
    await fault.end()
    await (await createConnection(server.app.replace('mariadb:', 'mysql:'))).end()
  })

  test('an administrator who holds them all leaves the one that is kept for administrators', async () => {
    await using folder = await chaosFolder()
    await using server = await startShop(mariadbd)
    await using guard = await guardIn(folder.path)
    await guard.inject(bound('connections.mysql', { url: server.url, hold: { count: 1000 } }), 60_000, never)
    expect(await held(server)).toHaveLength(20)
  })

  test('a limit of the user is heeded', async () => {
    await using folder = await chaosFolder()
    await using server = await startShop(mariadbd, ['--max-user-connections=7'])
    await using guard = await guardIn(folder.path)
    const fault = await guard.inject(bound('connections.mysql', { url: server.app, hold: { leave: 2 } }), 60_000, never)
    expect(fault.candidates).toBe(7)
    expect(await held(server)).toHaveLength(5)
  })

  test('the commands for people end the sessions', async () => {
    await using folder = await chaosFolder()
    await using server = await startShop(mariadbd)
    await using guard = await guardIn(folder.path)
    const fault = await guard.inject(bound('connections.mysql', { url: server.app, hold: { count: 3 } }), 60_000, never)
    await undoByHand(folder.path, fault)
    await expect.poll(() => fault.look(never)).toEqual({ state: 'absent' })
  })

  test('they do so too where the URL is a secret, with a password that needs care', async () => {
    await using folder = await chaosFolder()
    await using server = await startShop(mariadbd)
    const password = String.raw`p@ss:/#"\'%41 word`
    await server.sql(`create user secret@'127.0.0.1' identified by ${escape(password)}`)
    const file = join(folder.path, 'the url')
    await writeFile(file, `mariadb://secret:${encodeURIComponent(password)}@127.0.0.1:${server.port}/\n`)
    await using guard = await guardIn(folder.path)
    const fault = await guard.inject(bound('connections.mysql', { url: { file }, hold: { count: 3 } }), 60_000, never)
    expect(await held(server)).toHaveLength(3)
    await undoByHand(folder.path, fault)
    await expect.poll(() => held(server)).toEqual([])
  })

  test('an experiment that is killed leaves no session, at whatever step', { timeout: 600_000 }, async () => {
    await using server = await startShop(mariadbd)
    await expectNothingLeft('connections.mysql', { url: server.app, hold: { leave: 10 } }, async (after) => {
      expect(await held(server), after).toEqual([])
    })
  })
})
