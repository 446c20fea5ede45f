import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { runProcess } from '../../src/kernel/index.ts'
import { endsWell } from '../../src/service/chaos/generate/runners.ts'
import { loadRunCatalog } from '../../src/service/index.ts'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { drillShop } from '../support/drill-shop.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { holdfast } from '../support/holdfast.ts'

const program = new URL('../../bin/holdfast.js', import.meta.url).pathname
const look = { id: 'look', do: { shell: { run: 'sleep 1', effect: 'read-only' } }, after: ['restore'] }

interface Generated {
  readonly proposals: readonly { readonly name: string; readonly experiment: object }[]
}

interface Listed {
  readonly drills: readonly { readonly runId: string; readonly state: string }[]
}

async function shop() {
  const here = await drillShop({ steps: [look] })
  const file = here.at('holdfast.yaml')
  const states = async () => {
    const { drills } = (await here.run('drill', 'list', '--json')).json<Listed>()
    return drills.map(({ state }) => state)
  }
  /** Where `holdfast` is a command that a shell finds. */
  const withProgram = async () => {
    await mkdir(here.at('bin'))
    await symlink(program, here.at('bin/holdfast'))
    return { PATH: `${here.at('bin')}:${dirname(process.execPath)}:${process.env.PATH}` }
  }
  return { ...here, file, states, withProgram, [Symbol.asyncDispose]: () => here[Symbol.asyncDispose]() }
}

test('nobody works on the drill while the fault is there; then it comes to its end, once', async () => {
  await using here = await shop()
  await using folder = await chaosFolder()
  await using guard = await guardIn(folder.path, { catalog: await loadRunCatalog(here.file) })
  const fault = await guard.inject(bound('holdfast.runner-kill', { plan: 'back', step: 'look', program }), 120_000, never)
  expect(fault.targets).toEqual([`the runner of the drill drill-back-fault-${fault.id}, at step look`])
  expect(await fault.look(never)).toEqual({ state: 'present' })
  expect(await here.states()).toEqual(['interrupted'])
  await fault.end()
  expect(await fault.look(never)).toEqual({ state: 'absent' })
  expect(await here.states()).toEqual(['completed'])
  expect(await here.things()).toEqual([])
  const { result } = (await here.run('run', 'show', 'latest', '--json')).json<{
    result: { steps: { id: string; state: string }[] }
  }>()
  expect(result.steps.map(({ id, state }) => `${id} ${state}`)).toEqual(['restore done', 'look done'])
})

test(
  'a generated probe is well while no drill has ended badly, and not when that is not known',
  { timeout: 60_000 },
  async () => {
    await using here = await shop()
    const env = { ...process.env, ...(await here.withProgram()) }
    const isWell = async () => (await runProcess('sh', ['-c', endsWell, here.file, 'back'], { env }, never)).exitCode === 0
    expect(await isWell()).toBe(true)
    const [there, away] = [here.at('repository'), here.at('away')]
    await rename(there, away)
    expect(await isWell()).toBe(false)
    await rename(away, there)
    await here.run('drill', 'run', 'back')
    expect(await isWell()).toBe(true)
    await here.declare({ steps: [{ ...look, do: { shell: { run: 'exit 3', effect: 'read-only' } } }] })
    await here.run('drill', 'run', 'back')
    expect(await isWell()).toBe(false)
  },
)

test('what cannot be killed is refused, and a drill that never gets there is no fault', async () => {
  await using here = await shop()
  await using folder = await chaosFolder()
  const catalog = await loadRunCatalog(here.file)
  const findings = async (params: object) => {
    const fault = bound('holdfast.runner-kill', { plan: 'back', step: 'look', program, ...params })
    const context = { id: '0'.repeat(16), experiment: 'test', folder: folder.path, deadlineMs: 0, catalog } as never
    return (await fault.preflight(context, never)).map(({ message, hint }) => `${message}; ${hint}`)
  }
  expect(await findings({ plan: 'there' })).toEqual([`the catalog has no plan 'there'; there are: back`])
  expect(await findings({ step: 'jump' })).toEqual([`the plan back has no step 'jump'; there are: restore, look`])
  for (const no of ['/nowhere/holdfast', here.at('')])
    expect(await findings({ program: no })).toEqual([expect.stringContaining(no)])
  expect(await findings({})).toEqual([])

  await using guard = await guardIn(folder.path, { catalog })
  await writeFile(here.at('password'), 'another')
  const hopeless = bound('holdfast.runner-kill', { plan: 'back', step: 'look', program })
  await expect(guard.inject(hopeless, 120_000, never)).rejects.toMatchObject({
    message: expect.stringMatching(/the drill ended without step look: .*password/s),
  })
  await writeFile(here.at('password'), 'a password')
  expect(await here.things()).toEqual([])
})

test(
  'as generated for each step, an experiment passes; where the plan does not survive it, it fails',
  { timeout: 240_000 },
  async () => {
    await using here = await shop()
    const env = await here.withProgram()
    const run = (...args: string[]) => holdfast(args, { cwd: here.at(''), env })
    const { proposals } = (await run('chaos', 'generate', '--json')).json<Generated>()
    const mine = proposals.filter(({ name }) => name.startsWith('runner-killed'))
    expect(mine.map(({ name }) => name)).toEqual(['runner-killed-at-look-of-back', 'runner-killed-at-restore-of-back'])
    const printed = JSON.stringify(Object.fromEntries(mine.map(({ name, experiment }) => [name, experiment])))
    const experiments = stringify({ experiments: JSON.parse(printed.replaceAll('"for":"10s"', '"for":"2s"')) as object })
    const withThem = async () => await writeFile(here.file, `${await readFile(here.file, 'utf8')}\n${experiments}`)
    await withThem()
    for (const { name } of mine) {
      const ran = await run('chaos', 'run', name)
      expect(ran.exitCode, ran.stdout + ran.stderr).toBe(0)
    }
    // A step that cannot be done twice.
    const once = `test ! -e ${here.at('bin/done')} && touch ${here.at('bin/done')} && sleep 1`
    await here.declare({ steps: [{ ...look, do: { shell: { run: once, effect: 'read-only' } } }] })
    await withThem()
    const failed = await run('chaos', 'run', 'runner-killed-at-look-of-back')
    expect(failed.exitCode, failed.stdout + failed.stderr).toBe(20)
  },
)

test('an experiment that is killed leaves no drill behind, at whatever step', { timeout: 300_000 }, async () => {
  await using here = await shop()
  const at = ['injecting', 'did-inject', 'hold'] as const
  await expectNothingLeft(
    'holdfast.runner-kill',
    { plan: 'back', step: 'look', program },
    async (after) => {
      expect(await here.states(), after).not.toContain('interrupted')
      expect(await here.things(), after).toEqual([])
    },
    { catalog: here.file, at },
  )
})
