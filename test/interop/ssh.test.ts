import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { actions, type ActionContext, type BoundAction } from '../../src/actions/index.ts'
import { resolveSecret } from '../../src/catalog/index.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { describeWith } from '../support/peers.ts'
import { contextIn } from '../support/plans.ts'
import { startSshd, type SshServer } from '../support/sshd.ts'
import { line } from '../support/tcp-proxy.ts'
import { testProgram } from '../support/program.ts'

let server: SshServer
let folder: string
let key = 0
const signal = new AbortController().signal
const attempt = (parts: object = {}) => ({ signal, idempotencyKey: `r/${key}`, attempt: 2, fencingToken: 7, ...parts })
const after = (previous: 'none' | 'failed' | 'interrupted') => ({ signal, idempotencyKey: `r/${key}`, previous })
const context = (parts: Partial<ActionContext> = {}) => contextIn(folder, { resolveSecret, ...parts })

function ssh(params: object): BoundAction {
  const action = actions.find(({ kind }) => kind === 'ssh')
  if (action === undefined) throw new Error('there is no ssh')
  return action.bind({ ...server.target, ...params })
}
const run = (params: object, parts: object = {}) => ssh(params).run(context(parts), attempt())
const path = (name: string) => join(folder, name)
const exists = (name: string) => () => existsSync(path(name))
const isRunning = async (name: string) => (await runProcess('sh', ['-c', `kill -0 "$(cat ${path(name)})"`])).exitCode === 0

describeWith('sshd', 'ssh to a real sshd', (program) => {
  beforeAll(async () => {
    server = await startSshd(program)
  })
  beforeEach(async () => {
    key++
    folder = await mkdtemp(join(tmpdir(), 'holdfast-ssh-'))
    return async () => await rm(folder, { recursive: true })
  })
  afterAll(async () => await server[Symbol.asyncDispose]())

  test('a line and a list run over there, in their folder, with their variables and what every command can rely on', async () => {
    await mkdir(path('a folder'))
    const common = { cwd: path('a folder'), env: { GIVEN: "it's $HOME" }, capture: true }
    const print = 'echo "$GIVEN|$HOLDFAST_STEP $HOLDFAST_ATTEMPT $HOLDFAST_FENCING_TOKEN|$PWD"; test -n "$SSH_CONNECTION"'
    const expected = { exitCode: 0, stdout: `it's $HOME|a 2 7|${path('a folder')}` }
    expect(await run({ run: print, ...common })).toEqual(expected)
    expect(await run({ run: ['sh', '-c', print], ...common })).toEqual(expected)
    expect(await run({ run: ['printf', '%s;', 'a b', '$(x)', "it's"], capture: true })).toEqual({
      exitCode: 0,
      stdout: "a b;$(x);it's;",
    })
  })

  test('it reads nothing, so that no command waits for input or eats what is behind it', async () => {
    expect(await run({ run: 'cat; echo end', capture: true })).toEqual({ exitCode: 0, stdout: 'end' })
  })

  test('its exit code is told from ssh’s own, also when it is 255', async () => {
    await expect(run({ run: 'echo broken >&2; exit 255' })).rejects.toMatchObject({
      code: 'command-failed',
      message: `sh on ${server.target.user}@127.0.0.1:${server.port} ended with exit code 255: broken`,
      details: { exitCode: 255 },
    })
    const state = async (exitCode: number) =>
      (await ssh({ run: 'true', probe: `exit ${exitCode}` }).probe(context(), after('none'))).state
    expect([await state(0), await state(1), await state(255)]).toEqual(['done', 'not-done', 'unknown'])
  })

  test('a secret reaches the command, and no argument, output, progress or error', async () => {
    process.env.SSH_TEST_SECRET = "hun'ter2"
    const seen: string[] = []
    const progress = { progress: ({ text }: { text: string }) => seen.push(text) }
    const env = { TOKEN: { env: 'SSH_TEST_SECRET' } }
    const look = `test "\${#TOKEN}" = 8 && echo "token $TOKEN" && for p in /proc/[0-9]*; do tr '\\000' ' ' < $p/cmdline; done 2>/dev/null | grep -c "hun'ter[2]"`
    await expect(run({ run: `${look}; echo "bad $TOKEN" >&2; exit 3`, env }, progress)).rejects.toMatchObject({
      message: expect.stringMatching(/exit code 3: bad \*\*\*$/) as string,
    })
    expect(await run({ run: `${look}; true`, env, capture: true }, progress)).toEqual({ exitCode: 0, stdout: 'token ***\n0' })
    expect(seen.join('\n')).not.toContain("hun'ter2")
    expect(seen.length).toBeGreaterThan(0)
    delete process.env.SSH_TEST_SECRET
  })

  test('a shell that greets everybody does not end up in the output', async () => {
    // What sshd runs for this key is not the command itself but this, which says something first.
    const keys = await readFile(join(server.folder, 'authorized_keys'), 'utf8')
    await writeFile(join(server.folder, 'authorized_keys'), `command="echo Welcome; eval \\"$SSH_ORIGINAL_COMMAND\\"" ${keys}`)
    expect(await run({ run: 'echo said', capture: true })).toEqual({ exitCode: 0, stdout: 'said' })
    await writeFile(join(server.folder, 'authorized_keys'), keys)
  })

  test('its undo runs over there and has the output', async () => {
    const action = ssh({ run: 'true', undo: `echo "$HOLDFAST_OUTPUT" > '${path('undone')}'` })
    expect(action.canUndo).toBe(true)
    await action.undo({ exitCode: 0 }, context(), attempt())
    expect(await readFile(path('undone'), 'utf8')).toBe('{"exitCode":0}\n')
  })

  test.each([
    [
      'a machine that is not known',
      () => ({ knownHosts: '/dev/null' }),
      /key is known|Host key verification failed/,
      /ssh-keyscan/,
    ],
    [
      'a machine with another key than the known one',
      () => ({ knownHosts: path('other_hosts') }),
      /Host key verification failed/,
      /ssh-keyscan/,
    ],
    [
      'a key that the machine does not accept',
      () => ({ identityFile: join(server.folder, 'stranger') }),
      /Permission denied/,
      /authorized_keys/,
    ],
  ])('%s is refused, by the preflight and by the step, and nothing has begun', async (_what, params, message, hint) => {
    const stranger = await readFile(join(server.folder, 'stranger.pub'), 'utf8')
    await writeFile(path('other_hosts'), `[127.0.0.1]:${server.port} ${stranger}`)
    const action = ssh({ run: `touch '${path('begun')}'`, ...params() })
    const failed = {
      code: 'command-failed',
      message: expect.stringMatching(message) as string,
      hint: expect.stringMatching(hint) as string,
    }
    await expect(action.preflight(context(), signal)).rejects.toMatchObject(failed)
    await expect(action.run(context(), attempt())).rejects.toMatchObject({ ...failed, retryable: false })
    expect(await action.probe(context(), after('interrupted'))).toEqual({ state: 'not-done' })
    expect(exists('begun')()).toBe(false)
  })

  test('preflight sees that all is well, that a program or a file is missing, and warns of a machine that is not up yet', async () => {
    const found = async (params: object) => await ssh({ run: ['true'], ...params }).preflight(context(), signal)
    expect(await found({})).toEqual([])
    expect(await found({ run: ['no-such-program'] })).toMatchObject([{ severity: 'blocker', code: 'command-missing' }])
    expect(await found({ cwd: '/no/such/folder' })).toMatchObject([{ severity: 'blocker', code: 'command-missing' }])
    expect(await found({ identityFile: '/no/such/key' })).toMatchObject([{ severity: 'blocker', code: 'file-missing' }])
    await server.stop()
    expect(await found({})).toMatchObject([
      { severity: 'warning', code: 'ssh-unreachable', message: expect.stringContaining('Connection refused') as string },
    ])
    await server.start()
  })

  test('a connection that is never made is not done, whenever it breaks', async () => {
    await using cable = await line(server.port)
    const action = ssh({
      port: cable.port,
      knownHosts: await knownAt(cable.port),
      run: `touch '${path('begun')}'`,
      effect: 'reversible',
    })
    // In the greeting, in the key exchange, in the log-in.
    for (const bytes of [0, 30, 800, 1500]) {
      cable.mend()
      cable.cutAfter(cable.received() + bytes)
      await expect(action.run(context(), attempt())).rejects.toMatchObject({
        code: 'command-failed',
        message: expect.stringContaining('failed before the command began') as string,
        retryable: true,
      })
    }
    expect(await action.probe(context(), after('interrupted'))).toEqual({ state: 'not-done' })
    expect(exists('begun')()).toBe(false)
    cable.mend()
    expect(await action.run(context(), attempt())).toEqual({ exitCode: 0 })
  })

  test('a connection that is lost midway is an unknown outcome; what still runs there is ended before the probe decides', async () => {
    await using cable = await line(server.port)
    const begins = `echo $$ > '${path('pid')}'; sleep 1000; touch '${path('done')}'`
    const action = ssh({
      port: cable.port,
      knownHosts: await knownAt(cable.port),
      run: begins,
      probe: `test -e '${path('done')}'`,
    })
    const running = action.run(context(), attempt())
    await expect.poll(exists('pid'), { timeout: 60_000 }).toBe(true)
    cable.cut()
    await expect(running).rejects.toMatchObject({
      code: 'outcome-unknown',
      message: expect.stringContaining('was lost before the command had ended') as string,
      retryable: true,
    })
    expect(await isRunning('pid')).toBe(true)
    await expect(action.probe(context(), after('interrupted'))).rejects.toMatchObject({ code: 'command-failed' })
    cable.mend()
    expect(await action.probe(context(), after('interrupted'))).toEqual({ state: 'not-done' })
    expect(await isRunning('pid')).toBe(false)
    expect(exists('done')()).toBe(false)
  })

  test('lost midway without a probe it is unknown, unless it may run again', async () => {
    await using cable = await line(server.port)
    const params = { port: cable.port, knownHosts: await knownAt(cable.port), run: `touch '${path('begun')}'; sleep 1000` }
    const running = ssh(params).run(context(), attempt())
    await expect.poll(exists('begun'), { timeout: 60_000 }).toBe(true)
    cable.cut()
    await expect(running).rejects.toMatchObject({ code: 'outcome-unknown' })
    cable.mend()
    expect((await ssh(params).probe(context(), after('interrupted'))).state).toBe('unknown')
    expect((await ssh({ ...params, idempotent: true }).probe(context(), after('interrupted'))).state).toBe('not-done')
  })

  test('a step that is stopped leaves nothing running there once it is asked, save a daemon that left on purpose', async () => {
    const stop = new AbortController()
    const starts = `setsid sleep 1000 & echo $! > '${path('daemon')}'; echo $$ > '${path('pid')}'; sleep 1000`
    const action = ssh({ run: starts })
    const running = action.run(context(), attempt({ signal: stop.signal }))
    await expect.poll(exists('pid'), { timeout: 60_000 }).toBe(true)
    stop.abort(new Error('enough'))
    await expect(running).rejects.toThrow('enough')
    await action.probe(context(), after('interrupted'))
    expect([await isRunning('pid'), await isRunning('daemon')]).toEqual([false, true])
    await runProcess('sh', ['-c', `kill "$(cat ${path('daemon')})"`])
  })

  test('killed with SIGKILL in the middle, its command over there is ended before anything else', async () => {
    const command = `echo $$ > '${path('pid')}'; sleep 1000; touch '${path('done')}'`
    const params = { ...server.target, run: command, probe: `test -e '${path('done')}'` }
    const script = testProgram('interop/ssh-process')
    const child = spawn(process.execPath, [script, folder, JSON.stringify(params)], { stdio: 'inherit' })
    await expect.poll(exists('pid'), { timeout: 60_000 }).toBe(true)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const probed = await ssh(params).probe(context(), { ...after('interrupted'), idempotencyKey: 'killed' })
    expect(probed).toEqual({ state: 'not-done' })
    expect([await isRunning('pid'), exists('done')()]).toEqual([false, false])
  })

  test('a name that could be an option of ssh is refused', () => {
    for (const params of [{ host: '-oProxyCommand=x' }, { user: '-x' }, { host: 'a b' }])
      expect(() => ssh({ run: 'true', ...params })).toThrow(/do not fit/)
  })

  test('the plain commands of the runbook do the same', async () => {
    process.env.SSH_TEST_SECRET = 'hunter2'
    const write = `printf '%s %s' "$PWD" "$A$TOKEN" > '${path('written')}'`
    const cases = [
      [{ run: write }, `${process.env.HOME} `],
      [{ run: ['sh', '-c', write], cwd: folder }, `${folder} `],
      [{ run: write, cwd: folder, env: { A: "it's ", TOKEN: { env: 'SSH_TEST_SECRET' } } }, `${folder} it's hunter2`],
    ] as const
    for (const [params, written] of cases) {
      const commands = ssh(params).manual()
      expect(commands.join('\n')).not.toContain('hunter2')
      const { stderr, exitCode } = await runProcess('sh', ['-ec', commands.join('\n')])
      expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
      expect(await readFile(path('written'), 'utf8')).toBe(written)
    }
    delete process.env.SSH_TEST_SECRET
  })
})

/** The known hosts for the same server behind another port. */
async function knownAt(port: number): Promise<string> {
  const file = path('known_hosts')
  await writeFile(file, (await readFile(server.target.knownHosts, 'utf8')).replace(String(server.port), String(port)))
  return file
}
