import { layNetwork } from '../split-brain/network.ts'
import { runProcess } from '../../src/kernel/index.ts'

/** Two machines with a cable between them, as network namespaces. */
export async function twoPlaces() {
  const network = await layNetwork([['here', 'there']])
  const inside = (place: 'here' | 'there', ...command: string[]) => runProcess(...asCommand(network.inside(place, command)))
  return {
    namespace: { name: network.namespace('here') },
    here: network.address('here'),
    there: network.address('there'),
    inside,
    /** Of ten packets in half a second, those that were answered. */
    async answered(place: 'here' | 'there' = 'here', count = 5): Promise<number> {
      const to = network.address(place === 'here' ? 'there' : 'here')
      const { stdout } = await inside(place, 'ping', '-c', String(count), '-i', '0.02', '-W', '1', to)
      return Number(/(\d+) received/.exec(stdout)?.[1] ?? 0)
    },
    async tables(): Promise<string> {
      return (await inside('here', 'nft', 'list', 'tables')).stdout.trim()
    },
    async qdiscs(): Promise<string> {
      return (await inside('here', 'tc', 'qdisc', 'show', 'dev', 'cable0')).stdout.trim()
    },
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  }
}

function asCommand([program, ...args]: [string, ...string[]]): [string, string[]] {
  return [program, args]
}
