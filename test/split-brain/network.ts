import { randomBytes } from 'node:crypto'
import { HoldfastError, runProcess } from '../../src/kernel/index.ts'

/** Who is in the world: each in a network namespace of its own, as on a machine of its own. */
export const places = ['primary', 'west', 'runner', 'clients'] as const
export type Place = (typeof places)[number]

/** A cable between each two that talk; cut, packets are lost without a word, as between sites. */
const cables = [
  ['primary', 'west'],
  ['primary', 'runner'],
  ['primary', 'clients'],
  ['west', 'runner'],
  ['west', 'clients'],
] as const satisfies readonly (readonly [Place, Place])[]
type Cable = (typeof cables)[number]
/** The two that a cable connects. */
export type CableName = 'primary-west' | 'primary-runner' | 'primary-clients' | 'west-runner' | 'west-clients'

const nobody = '02:00:00:00:00:01'

export interface Network extends AsyncDisposable {
  /** The program and arguments that run a command there. */
  inside(place: Place, command: readonly string[]): [string, ...string[]]
  /** The address of `of`, as `from` reaches it. */
  address(of: Place, from: Place): string
  cut(cable: CableName): Promise<void>
  mend(cable: CableName): Promise<void>
}

/** Needs root and iproute2. The namespaces, and with them the cables, are gone when it is disposed. */
export async function layNetwork(): Promise<Network> {
  await using cleanUp = new AsyncDisposableStack()
  const id = randomBytes(3).toString('hex')
  const namespace = (place: Place) => `holdfast-${id}-${place}`
  for (const place of places) {
    await ip('netns', 'add', namespace(place))
    cleanUp.defer(async () => await ip('netns', 'delete', namespace(place)))
    await ip('-n', namespace(place), 'link', 'set', 'dev', 'lo', 'up')
  }
  // Both ends of a cable are called after it: in different namespaces they may.
  const device = (cable: Cable) => `cable${cables.indexOf(cable)}`
  for (const [index, cable] of cables.entries()) {
    const [one, other] = cable
    const ends = [
      'name',
      device(cable),
      'netns',
      namespace(one),
      'type',
      'veth',
      'peer',
      'name',
      device(cable),
      'netns',
      namespace(other),
    ]
    await ip('link', 'add', ...ends)
    for (const [end, place] of [
      [1, one],
      [2, other],
    ] as const) {
      await ip('-n', namespace(place), 'address', 'add', `10.213.${index}.${end}/24`, 'dev', device(cable))
      await ip('-n', namespace(place), 'link', 'set', 'dev', device(cable), 'up')
    }
  }
  const endsOf = (name: CableName) => {
    const index = cables.findIndex((ends) => ends.join('-') === name)
    const cable = cables[index] ?? cables[0]
    return (
      [
        [0, 2],
        [1, 1],
      ] as const
    ).map(([end, other]) => ({
      from: namespace(cable[end]),
      to: `10.213.${index}.${other}`,
      dev: device(cable),
    }))
  }
  const owned = cleanUp.move()
  return {
    inside: (place, command) => ['ip', 'netns', 'exec', namespace(place), ...command],
    address(of, from) {
      const index = cables.findIndex(
        (cable) => (cable as readonly Place[]).includes(of) && (cable as readonly Place[]).includes(from),
      )
      return `10.213.${index}.${cables[index]?.[0] === of ? 1 : 2}`
    },
    // Frames for a card that is not there: they leave, and nobody takes them or says so.
    cut: async (cable) => {
      for (const { from, to, dev } of endsOf(cable))
        await ip('-n', from, 'neighbour', 'replace', to, 'lladdr', nobody, 'dev', dev, 'nud', 'permanent')
    },
    mend: async (cable) => {
      for (const { from, to, dev } of endsOf(cable)) await ip('-n', from, 'neighbour', 'delete', to, 'dev', dev)
    },
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  }
}

async function ip(...args: string[]): Promise<void> {
  const { exitCode, stderr } = await runProcess('ip', args)
  if (exitCode !== 0) throw new HoldfastError('command-failed', { message: `ip ${args.join(' ')}: ${stderr.trim()}` })
}
