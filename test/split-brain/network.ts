import { randomBytes } from 'node:crypto'
import { HoldfastError, runProcess } from '../../src/kernel/index.ts'
import { namespacePrefix, sweepNamespaces } from './stale.ts'

/** A cable between two places that talk; cut, packets are lost without a word, as between sites. */
export type Cable<Place extends string> = readonly [Place, Place]

const nobody = '02:00:00:00:00:01'

export interface Network<Place extends string> extends AsyncDisposable {
  /** The program and arguments that run a command there. */
  inside(place: Place, command: readonly string[]): [string, ...string[]]
  namespace(place: Place): string
  /** The address of a place, the same for all that have a cable to it. */
  address(place: Place): string
  cut(one: Place, other: Place): Promise<void>
  mend(one: Place, other: Place): Promise<void>
}

/**
 * Places in network namespaces of their own, as on machines of their own. Nobody forwards: two places without a cable do not reach each other. Needs
 * root and iproute2. The namespaces, and with them the cables, are gone when it is disposed; those that a killed process left, when the next network is laid.
 */
export async function layNetwork<const Place extends string>(cables: readonly Cable<Place>[]): Promise<Network<Place>> {
  await sweepNamespaces()
  await using cleanUp = new AsyncDisposableStack()
  const prefix = `${namespacePrefix}${process.pid}-${randomBytes(3).toString('hex')}-`
  const namespace = (place: Place) => `${prefix}${place}`
  const places = [...new Set(cables.flat())]
  const address = (place: Place) => `10.213.255.${places.indexOf(place) + 1}`
  cleanUp.defer(async () => {
    for (const place of places) await ip('netns', 'delete', namespace(place)).catch(() => {})
  })
  /** Both ends of a cable are called after it: in different namespaces they may. */
  const ends = cables.flatMap(([one, other], index) => [
    { dev: `cable${index}`, at: one, own: `10.213.${index}.1`, far: other, to: `10.213.${index}.2` },
    { dev: `cable${index}`, at: other, own: `10.213.${index}.2`, far: one, to: `10.213.${index}.1` },
  ])
  await batch([
    ...places.map((place) => `netns add ${namespace(place)}`),
    ...cables.map(([one, other], index) => {
      const dev = `cable${index}`
      return `link add name ${dev} netns ${namespace(one)} type veth peer name ${dev} netns ${namespace(other)}`
    }),
  ])
  for (const place of places) {
    const lines = ends
      .filter(({ at }) => at === place)
      .flatMap(({ dev, own, far, to }) => [
        `address add ${own}/24 dev ${dev}`,
        `link set dev ${dev} up`,
        `route add ${address(far)} via ${to} src ${address(place)}`,
      ])
    await batch([`address add ${address(place)}/32 dev lo`, 'link set dev lo up', ...lines], namespace(place))
  }
  const endsBetween = (one: Place, other: Place) => {
    const found = ends.filter(({ at, far }) => (at === one && far === other) || (at === other && far === one))
    if (found.length === 0) throw new Error(`there is no cable between ${one} and ${other}`)
    return found
  }
  const owned = cleanUp.move()
  return {
    inside: (place, command) => ['ip', 'netns', 'exec', namespace(place), ...command],
    namespace,
    address,
    // Frames for a card that is not there: they leave, and nobody takes them or says so.
    cut: async (one, other) => {
      for (const { at, to, dev } of endsBetween(one, other))
        await ip('-n', namespace(at), 'neighbour', 'replace', to, 'lladdr', nobody, 'dev', dev, 'nud', 'permanent')
    },
    mend: async (one, other) => {
      // One that was not cut has no such entry, or another.
      for (const { at, to, dev } of endsBetween(one, other))
        await ip('-n', namespace(at), 'neighbour', 'delete', to, 'dev', dev).catch(() => {})
    },
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  }
}

async function batch(lines: readonly string[], namespace?: string): Promise<void> {
  const args = [...(namespace === undefined ? [] : ['-n', namespace]), '-batch', '-']
  const { exitCode, stderr } = await runProcess('ip', args, { input: `${lines.join('\n')}\n` })
  if (exitCode !== 0) throw new HoldfastError('command-failed', { message: `ip: ${stderr.trim()}` })
}

async function ip(...args: string[]): Promise<void> {
  const { exitCode, stderr } = await runProcess('ip', args)
  if (exitCode !== 0) throw new HoldfastError('command-failed', { message: `ip ${args.join(' ')}: ${stderr.trim()}` })
}
