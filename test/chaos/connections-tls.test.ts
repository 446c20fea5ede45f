import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { freePort } from '../support/free-port.ts'
import { startMariaDb } from '../support/mariadb.ts'
import { describeWith } from '../support/peers.ts'
import { startRedis } from '../support/redis.ts'
import { tlsFiles } from '../support/tls-server.ts'
import { undoByHand } from '../support/undo-by-hand.ts'

describeWith('mariadb', 'connections of MariaDB over TLS', (mariadbd) => {
  test('they are held by a user who may come in no other way, as the URL says whom to trust', async () => {
    await using folder = await chaosFolder()
    await using tls = await tlsFiles(folder.path)
    await using server = await startMariaDb(mariadbd, [`--ssl-cert=${tls.certificate}`, `--ssl-key=${tls.key}`])
    await server.sql(`create user safe@'%' require ssl`)
    await using guard = await guardIn(folder.path)
    const at = (mode: string, host = '127.0.0.1') => `mysql://safe@${host}:${server.port}/${mode}`
    const hold = async (url: string | { file: string }) =>
      await guard.inject(bound('connections.mysql', { url, hold: { count: 2 } }), 60_000, never)
    const held = async () => await server.sql(`select id from information_schema.processlist where user = 'safe'`)
    const refused = async (url: string, message: RegExp) =>
      await expect(hold(url)).rejects.toMatchObject({ message: expect.stringMatching(message) as string })

    await refused(at(''), /Access denied/)
    await refused(at('?ssl-mode=PREFERED'), /ssl-mode=PREFERED: expected one of DISABLED, REQUIRED/)
    await refused(at('?ssl-mode=VERIFY_IDENTITY'), /needs the name of a host/)
    await refused(at('?ssl-mode=VERIFY_CA'), /self-signed/)
    const fault = await hold(at('?ssl-mode=REQUIRED'))
    expect(await held()).toHaveLength(2)
    await undoByHand(folder.path, fault)
    await expect.poll(held).toEqual([])
    const file = join(folder.path, 'the url')
    await writeFile(file, at('?ssl-mode=REQUIRED'))
    const secret = await hold({ file })
    expect(await held()).toHaveLength(2)
    await undoByHand(folder.path, secret)
    await expect.poll(held).toEqual([])

    await tls.trust()
    await using _identified = await hold(at('?ssl-mode=VERIFY_IDENTITY', 'localhost'))
    expect(await held()).toHaveLength(2)
  })
})

describeWith('redis', 'connections of Redis over TLS', (redisServer) => {
  test('they are held where its certificate is trusted, and nowhere else', async () => {
    await using folder = await chaosFolder()
    await using tls = await tlsFiles(folder.path)
    const port = await freePort()
    const options = ['--tls-port', String(port), '--tls-cert-file', tls.certificate, '--tls-key-file', tls.key]
    await using _server = await startRedis(redisServer, [...options, '--tls-auth-clients', 'no'])
    await using guard = await guardIn(folder.path)
    const hold = bound('connections.redis', { url: `rediss://127.0.0.1:${port}`, hold: { count: 3 } })
    await expect(guard.inject(hold, 60_000, never)).rejects.toMatchObject({
      message: expect.stringMatching(/self-signed/) as string,
    })
    await tls.trust()
    const fault = await guard.inject(hold, 60_000, never)
    expect(await fault.look(never)).toEqual({ state: 'present' })
    await fault.end()
    expect(await fault.look(never)).toEqual({ state: 'absent' })
  })
})
