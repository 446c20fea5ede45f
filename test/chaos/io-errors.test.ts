import { once } from 'node:events'
import { chmod, chown, readdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { markedProcesses } from '../../src/faults/index.ts'
import { listProcesses } from '../../src/faults/process/list.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { serverAccount } from '../../src/postgres/index.ts'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { freePort } from '../support/free-port.ts'
import { describeWith, peers } from '../support/peers.ts'
import { undoByHand } from '../support/undo-by-hand.ts'

/** A program that writes at an offset and syncs, some hundred times a second, and says of each in a line what became of it. */
const writer = (file: string) => [
  process.execPath,
  '-e',
  `const fs = require('node:fs')
   const file = fs.openSync(process.argv[1], 'w+')
   const attempt = (name, act) => { try { act(); return name + ' ok' } catch ({ code }) { return name + ' ' + code } }
   setInterval(() => {
     const said = [attempt('pwrite', () => fs.writeSync(file, 'x', 0)), attempt('fsync', () => fs.fsyncSync(file))]
     fs.appendFileSync(process.argv[1] + '.said', said.join('\\n') + '\\n')
   }, 5)`,
  file,
]

/** How often it said each of these. */
async function said(file: string, from = 0): Promise<Record<string, number>> {
  const text = await readFile(`${file}.said`, 'utf8').catch(() => '')
  const lines = text.split('\n').slice(0, -1)
  return Object.fromEntries(
    Object.entries(Object.groupBy(lines.slice(from), (line) => line)).map(([line, all]) => [line, all?.length ?? 0]),
  )
}

/** Folders with pipes of programs that are told to fail, by the number of their injection. */
const pipes = async () => (await readdir(tmpdir())).filter((name) => /^holdfast-[0-9a-f]{16}$/.test(name))

const isRoot = process.getuid?.() === 0

describeWith('libfiu', 'disk.io-errors', () => {
  test('that share of the calls fails, others do not, and after their time none does', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const file = join(folder.path, 'data')
    const failing = { operations: ['pwrite'], error: 'ENOSPC', percent: 30, after: '500ms', lasts: '4s' }
    const fault = await guard.inject(bound('disk.io-errors', { command: writer(file), ...failing }), 60_000, never)
    expect(await fault.look(never)).toEqual({ state: 'present' })
    const before = await said(file)
    expect(before['pwrite ok']).toBeGreaterThan(10)
    await expect.poll(async () => (await said(file))['pwrite ENOSPC'] ?? 0, { timeout: 20_000 }).toBeGreaterThan(30)
    await expect
      .poll(() => fault.look(never), { timeout: 20_000 })
      .toEqual({ state: 'over', because: 'its errors have stopped after their time' })

    const after = await said(file)
    const [ok = 0, failed = 0, synced = 0] = [after['pwrite ok'], after['pwrite ENOSPC'], after['fsync ok']]
    expect(Object.keys(after).toSorted()).toEqual(['fsync ok', 'pwrite ENOSPC', 'pwrite ok'])
    const share = failed / (ok + failed - (before['pwrite ok'] ?? 0))
    expect(share).toBeGreaterThan(0.1)
    expect(share).toBeLessThan(0.6)
    await expect.poll(async () => (await said(file))['fsync ok'], { timeout: 20_000 }).toBeGreaterThan(synced + 100)
    expect((await said(file))['pwrite ENOSPC']).toBe(failed)

    await fault.end()
    expect(await fault.look(never)).toEqual({ state: 'absent' })
    expect(await markedProcesses(fault.id)).toEqual([])
    expect(await pipes()).toEqual([])
  })

  test('what the program starts fails too, as another user as well', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const file = join(folder.path, 'data')
    const { name, uid, gid } = await serverAccount()
    await chmod(folder.path, 0o755)
    for (const path of [file, `${file}.said`]) {
      await writeFile(path, '')
      if (isRoot) await chown(path, uid, gid)
    }
    const command = ['sh', '-c', '"$@" & wait', 'sh', ...writer(file)]
    const as = isRoot ? { user: name } : {}
    const fault = await guard.inject(bound('disk.io-errors', { command, ...as, operations: ['fsync'] }), 60_000, never)
    await expect.poll(async () => (await said(file))['fsync EIO'] ?? 0, { timeout: 20_000 }).toBeGreaterThan(20)
    const running = await markedProcesses(fault.id)
    const statuses = await Promise.all(running.map((pid) => readFile(`/proc/${pid}/status`, 'utf8')))
    const owned = statuses.filter((status) => /^Uid:\t(\d+)/m.exec(status)?.[1] === String(uid))
    // All but who holds the fault, which is of root where the tests are.
    expect(owned).toHaveLength(isRoot ? 2 : 3)
    const groups = owned.map((status) => new Set(/^Groups:\t(.*)$/m.exec(status)?.[1]?.trim().split(' ')))
    const all = new Set((await runProcess('id', ['-G', '--', name])).stdout.trim().split(' '))
    expect(isRoot ? groups : [all, all]).toEqual([all, all])
    await undoByHand(folder.path, fault)
    await expect.poll(() => fault.look(never)).toEqual({ state: 'absent' })
    expect(await markedProcesses(fault.id)).toEqual([])
  })

  test('a Redis that must be durable ends rather than say that it was, once its disk fails', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const port = await freePort()
    const redis = peers.redis.find() ?? 'redis-server'
    const options = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder.path, '--appendonly', 'yes']
    const command = [redis, ...options, '--appendfsync', 'always']
    const failing = bound('disk.io-errors', { command, operations: ['fsync'], after: '3s' })
    const fault = await guard.inject(failing, 60_000, never)
    const output = () => readFile(join(folder.path, 'faults', fault.id, 'output'), 'utf8')
    expect(await output()).toContain('Ready to accept connections')
    const client = connect(port, '127.0.0.1')
    client.end('SET order 1\r\n')
    const [answer] = (await Promise.race([once(client, 'data'), once(client, 'close')])) as [unknown]
    expect(String(answer)).not.toContain('OK')
    await expect.poll(output).toContain("Can't persist AOF for fsync error")
    await expect.poll(async () => (await fault.look(never)).state).toBe('partly')
    await fault.end()
    expect(await fault.look(never)).toEqual({ state: 'absent' })
  })

  test('when who tells it to fail has given up, the fault says why', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const file = join(folder.path, 'data')
    const fault = await guard.inject(bound('disk.io-errors', { command: writer(file), operations: ['fsync'] }), 60_000, never)
    const notOurs = join(tmpdir(), `holdfast-${fault.id}`, `c-${process.pid}.in`)
    await writeFile(notOurs, '')
    await expect
      .poll(() => fault.look(never), { timeout: 20_000 })
      .toMatchObject({ state: 'partly', because: expect.stringContaining(`${notOurs} is no pipe`) as string })
    await fault.end()
    expect(await fault.look(never)).toEqual({ state: 'absent' })
  })

  test('a static program, one that ends at once, and whom nobody knows are no fault', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const refused = async (params: object, expected: { code: string; message: RegExp }) =>
      await expect(
        guard.inject(bound('disk.io-errors', { operations: ['read'], ...params }), 60_000, never),
      ).rejects.toMatchObject({
        code: expected.code,
        message: expect.stringMatching(expected.message) as string,
      })
    // ldconfig is static, and it waits for whoever writes into its cache.
    const cache = join(folder.path, 'cache')
    expect((await runProcess('mkfifo', [cache])).exitCode).toBe(0)
    await refused(
      { command: ['/sbin/ldconfig', '-p', '-C', cache] },
      { code: 'fault-failed', message: /ldconfig does not load fiu_posix_preload\.so: it is linked statically/ },
    )
    await refused(
      { command: ['sh', '-c', 'echo no such database >&2; exit 3'], after: '1s' },
      { code: 'fault-failed', message: /no such database/ },
    )
    await refused({ command: ['/no/such/program'] }, { code: 'fault-refused', message: /there is no program/ })
    const noSuchUser = isRoot ? /there is no user no-such-user/ : /only root may give/
    await refused({ command: ['true'], user: 'no-such-user' }, { code: 'fault-refused', message: noSuchUser })
    expect(() => bound('disk.io-errors', { command: ['true'], operations: [] })).toThrow()
  })

  test('an experiment that is killed leaves nothing running', { timeout: 600_000 }, async () => {
    await using folder = await chaosFolder()
    const file = join(folder.path, 'data')
    // A holder's program at every step is clock.skew's test.
    const at = ['injecting', 'did-inject', 'hold'] as const
    await expectNothingLeft(
      'disk.io-errors',
      { command: writer(file), operations: ['pwrite'] },
      async (after) => {
        expect(
          listProcesses().filter(({ command }) => command.includes(file)),
          after,
        ).toEqual([])
        expect(await pipes(), after).toEqual([])
      },
      { at },
    )
  })
})
