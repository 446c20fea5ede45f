import { chmod, link, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { InjectedFault } from '../../src/chaos/index.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { startNameServer, type NameServer } from '../support/bind.ts'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { freePort } from '../support/free-port.ts'
import { describeWith } from '../support/peers.ts'
import { undoByHand } from '../support/undo-by-hand.ts'

const long = 'x'.repeat(250)
const zone = `$TTL 60
@ SOA ns root 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
api A 192.0.2.1
www A 192.0.2.2
long TXT "${long}" "${long}" "${long}"
`
const original = '# by hand\nsearch example.test\nnameserver 192.0.2.53\noptions timeout:1 attempts:1\n'

describeWith('bind9', 'dns.resolver before a real BIND', (named) => {
  let bind: NameServer

  beforeAll(async () => {
    bind = await startNameServer(named, () => ({
      named: 'options { recursion no; };\nzone "example.test" { type primary; file "example.zone"; };',
      files: { 'example.zone': zone },
    }))
  })
  afterAll(() => bind[Symbol.asyncDispose]())

  /** What dig makes of it: status and values. */
  async function dig(listen: string, name: string, type = 'A', ...more: string[]): Promise<{ status: string; values: string[] }> {
    const [host = '', port = ''] = listen.split(':')
    const args = [`@${host}`, '-p', port, '+tries=1', '+time=2', ...more, name, type]
    const { stdout } = await runProcess('dig', args)
    const answers = /;; ANSWER SECTION:\n((?:.+\n)*)/.exec(stdout)?.[1] ?? ''
    const values = answers
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(/\t+|\s{2,}/).at(-1) ?? '')
    return { status: /status: (\w+)/.exec(stdout)?.[1] ?? 'none', values }
  }

  async function resolver(effect: object, more: object = {}) {
    const listen = `127.0.0.1:${await freePort()}`
    return { listen, params: { listen, upstream: bind.address, names: ['api.example.test'], effect, ...more } }
  }

  test('a name leads to the wrong place, over UDP and TCP, and other names to the right one', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const { listen, params } = await resolver({ answer: { A: ['203.0.113.9', '203.0.113.8'] } })
    const fault = await guard.inject(bound('dns.resolver', params), 60_000, never)
    expect(fault.targets).toEqual([`api.example.test at ${listen}`])
    for (const transport of ['+notcp', '+tcp', '+noedns']) {
      const { values } = await dig(listen, 'API.example.test', 'A', transport)
      expect(values.toSorted()).toEqual(['203.0.113.8', '203.0.113.9'])
    }
    // No right address of another family slips through.
    expect(await dig(listen, 'api.example.test', 'AAAA')).toEqual({ status: 'NOERROR', values: [] })
    expect(await dig(listen, 'www.example.test')).toEqual({ status: 'NOERROR', values: ['192.0.2.2'] })
    expect((await dig(listen, 'long.example.test', 'TXT', '+noedns')).values[0]).toContain(long)
    expect(await dig(listen, 'none.example.test')).toMatchObject({ status: 'NXDOMAIN' })
    expect(await fault.look(never)).toEqual({ state: 'present' })
    await fault.end()
    expect(await fault.look(never)).toEqual({ state: 'absent' })
    expect((await dig(listen, 'www.example.test')).status).toBe('none')
  })

  test('an answer that is too long for UDP is asked for again over TCP', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const { listen, params } = await resolver({ answer: { TXT: [long, `${long}1`, `${long}2`] } })
    await guard.inject(bound('dns.resolver', params), 60_000, never)
    expect((await dig(listen, 'api.example.test', 'TXT', '+noedns')).values).toHaveLength(3)
    expect((await dig(listen, 'api.example.test', 'TXT', '+noedns', '+ignore')).values).toEqual([])
  })

  test.for(['NXDOMAIN', 'SERVFAIL', 'REFUSED'])('all names below one fail with %s, and it itself does not', async (fail) => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const { listen, params } = await resolver({ fail }, { names: ['*.example.test'] })
    await guard.inject(bound('dns.resolver', params), 60_000, never)
    expect(await dig(listen, 'www.example.test')).toEqual({ status: fail, values: [] })
    expect(await dig(listen, 'example.test', 'NS')).toEqual({ status: 'NOERROR', values: ['ns.example.test.'] })
  })

  test('without an answer dig gives up; a late answer is the right one', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const silent = await resolver({ fail: 'timeout' })
    await guard.inject(bound('dns.resolver', silent.params), 60_000, never)
    expect((await dig(silent.listen, 'api.example.test', 'A', '+time=1')).status).toBe('none')
    const slow = await resolver({ delay: '1500ms' })
    await guard.inject(bound('dns.resolver', slow.params), 60_000, never)
    expect((await dig(slow.listen, 'api.example.test', 'A', '+time=1')).status).toBe('none')
    expect(await dig(slow.listen, 'api.example.test', 'A', '+time=20')).toEqual({ status: 'NOERROR', values: ['192.0.2.1'] })
  })

  test('of a hundred questions about half are hit', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const { listen, params } = await resolver({ fail: 'SERVFAIL' }, { percent: 50 })
    await guard.inject(bound('dns.resolver', params), 60_000, never)
    const statuses: string[] = []
    for (let n = 0; n < 40; n++) statuses.push((await dig(listen, 'api.example.test')).status)
    // Fewer than 6 or more than 34 of 40 come once in a million.
    expect(statuses.filter((status) => status === 'SERVFAIL').length).toBeGreaterThanOrEqual(6)
    expect(statuses.filter((status) => status === 'NOERROR').length).toBeGreaterThanOrEqual(6)
  })

  test('a place where somebody listens already is no fault, and theirs goes on', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const params = { listen: bind.address, upstream: '127.0.0.1:1', effect: { fail: 'SERVFAIL' } }
    await expect(guard.inject(bound('dns.resolver', params), 60_000, never)).rejects.toMatchObject({
      code: 'fault-failed',
      message: expect.stringContaining('EADDRINUSE') as string,
    })
    expect(await dig(bind.address, 'www.example.test')).toMatchObject({ values: ['192.0.2.2'] })
  })

  test.skipIf(process.getuid?.() !== 0)(
    'a file points at it meanwhile, the C library follows, and the very same file is back at the end',
    async () => {
      await using folder = await chaosFolder()
      await using guard = await guardIn(folder.path)
      const resolvConf = join(folder.path, 'resolv.conf')
      await writeFile(resolvConf, original)
      await chmod(resolvConf, 0o644)
      const { ino, mtimeMs } = await stat(resolvConf)
      const effect = { answer: { A: ['203.0.113.9'] } }
      const params = { listen: '127.77.0.53', upstream: bind.address, names: ['api.example.test'], effect, resolvConf }
      const fault = await guard.inject(bound('dns.resolver', params), 60_000, never)
      expect(await readFile(resolvConf, 'utf8')).toMatch(
        /^# holdfast .*\nnameserver 127\.77\.0\.53\n# by hand\nsearch example\.test\noptions /,
      )
      expect((await stat(resolvConf)).mode & 0o777).toBe(0o644)
      const script = `mount --bind ${resolvConf} /etc/resolv.conf && getent -s hosts:dns ahostsv4 api`
      const { stdout } = await runProcess('unshare', ['--mount', 'sh', '-c', script])
      expect(stdout).toContain('203.0.113.9')
      expect(await fault.look(never)).toEqual({ state: 'present' })
      await fault.end()
      expect(await readFile(resolvConf, 'utf8')).toBe(original)
      expect(await stat(resolvConf)).toMatchObject({ ino, mtimeMs })
      expect((await readdir(folder.path)).toSorted()).toEqual(['faults', 'resolv.conf'])
    },
  )

  test.skipIf(process.getuid?.() !== 0)('what somebody else has written into the file meanwhile stays', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const resolvConf = join(folder.path, 'resolv.conf')
    await writeFile(resolvConf, original)
    const params = { listen: '127.77.0.53', upstream: bind.address, effect: { fail: 'SERVFAIL' }, resolvConf }
    const fault = await guard.inject(bound('dns.resolver', params), 60_000, never)
    await writeFile(`${resolvConf}.theirs`, 'nameserver 192.0.2.54\n')
    await rename(`${resolvConf}.theirs`, resolvConf)
    expect(await fault.look(never)).toMatchObject({ state: 'partly' })
    await fault.end()
    expect(await readFile(resolvConf, 'utf8')).toBe('nameserver 192.0.2.54\n')
    expect((await readdir(folder.path)).toSorted()).toEqual(['faults', 'resolv.conf'])
  })

  test.skipIf(process.getuid?.() !== 0)(
    'a file that a fault points already is refused, and the original comes back',
    async () => {
      await using folder = await chaosFolder()
      // A blank and a quote: the commands for people must hold them.
      const place = join(folder.path, "it's here")
      await mkdir(place)
      const resolvConf = join(place, 'resolv.conf')
      await writeFile(resolvConf, original)
      await using guard = await guardIn(folder.path)
      const on = (listen: string) =>
        bound('dns.resolver', { listen, upstream: bind.address, effect: { fail: 'SERVFAIL' }, resolvConf })
      const refused = { code: 'fault-refused', message: expect.stringContaining('another fault') as string }
      const first = await guard.inject(on('127.77.0.53'), 60_000, never)
      await expect(guard.inject(on('127.77.0.54'), 60_000, never)).rejects.toMatchObject(refused)
      await first.end()
      expect(await readFile(resolvConf, 'utf8')).toBe(original)

      let raced: InjectedFault | undefined
      const second = on('127.77.0.54')
      const late: typeof second = {
        ...second,
        async inject(...args) {
          raced = await guard.inject(on('127.77.0.53'), 60_000, never)
          await second.inject(...args)
        },
      }
      await expect(guard.inject(late, 60_000, never)).rejects.toMatchObject(refused)
      expect(await readFile(resolvConf, 'utf8')).toContain('nameserver 127.77.0.53')
      if (raced !== undefined) await undoByHand(folder.path, raced)
      expect(await readFile(resolvConf, 'utf8')).toBe(original)
      expect(await readdir(place)).toEqual(['resolv.conf'])
    },
  )

  test('a link, a folder and no file are refused; so are a resolver that asks itself and one in a port that no file can name', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const inject = (params: object) =>
      guard.inject(bound('dns.resolver', { listen: '127.77.0.53', effect: { fail: 'SERVFAIL' }, ...params }), 60_000, never)
    const file = join(folder.path, 'resolv.conf')
    const refused = (message: string) => ({ code: 'fault-refused', message: expect.stringContaining(message) as string })
    await expect(inject({ resolvConf: file })).rejects.toMatchObject(refused('there is no file'))
    await runProcess('ln', ['-s', '/etc/hosts', file])
    await expect(inject({ resolvConf: file })).rejects.toMatchObject(refused('is a link'))
    await expect(inject({ resolvConf: folder.path })).rejects.toMatchObject(refused('is no file'))
    await expect(inject({ upstream: '127.77.0.53' })).rejects.toMatchObject(refused('would ask itself'))
    expect(() => bound('dns.resolver', { listen: '127.0.0.1:54', effect: { fail: 'REFUSED' }, resolvConf: file })).toThrow(
      /port 53/,
    )
    expect(() => bound('dns.resolver', { listen: 'localhost', effect: { fail: 'REFUSED' } })).toThrow(/expected an address/)
    expect(() => bound('dns.resolver', { listen: '127.0.0.1', effect: { answer: { A: ['::1'] } } })).toThrow(/IPv4/)
    const alias = { answer: { CNAME: ['other.example.test'], A: ['203.0.113.9'] } }
    expect(() => bound('dns.resolver', { listen: '127.0.0.1', effect: alias })).toThrow(/expected CNAME alone/)
  })

  test.skipIf(process.getuid?.() !== 0)(
    'an experiment that is killed leaves the file as it was and nobody who listens, at whatever step',
    { timeout: 600_000 },
    async () => {
      await using folder = await chaosFolder()
      const resolvConf = join(folder.path, 'resolv.conf')
      await writeFile(resolvConf, original)
      await link(resolvConf, join(folder.path, 'second-name'))
      const params = { listen: '127.77.0.53', upstream: bind.address, effect: { fail: 'SERVFAIL' }, resolvConf }
      await expectNothingLeft('dns.resolver', params, async (after) => {
        expect(await readFile(resolvConf, 'utf8'), after).toBe(original)
        expect((await stat(resolvConf)).nlink, after).toBe(2)
        expect((await dig('127.77.0.53:53', 'www.example.test')).status, after).toBe('none')
      })
    },
  )
})
