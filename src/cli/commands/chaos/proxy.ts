import { HoldfastError } from '../../../kernel/index.ts'
import { runChaosProxy, type ProxyEvent, type ProxyRoute } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'

const defaultApi = '127.0.0.1:8474'

export const chaosProxyCommand = command(
  'proxy',
  'carry TCP connections, so that the fault tcp.toxic can slow, cut or break them',
  [
    [
      'holdfast chaos proxy orders-db=127.0.0.1:15432,127.0.0.1:5432',
      'clients connect to 15432 and get to 5432; until it is stopped',
    ],
    ['holdfast chaos proxy', 'without a proxy: they are added through its API, which Toxiproxy’s clients know'],
  ],
)
  .argument('[proxies...]', 'each NAME=LISTEN,UPSTREAM, with addresses as HOST:PORT; a listening port of 0 takes a free one')
  .option('--api <address>', 'where it is told what to break; it asks for no password, so keep it on this machine', defaultApi)
  .action(async (texts, { api }, self) => {
    const { print, signal } = contextOf(self)
    const routes = texts.map(routeOf)
    const twice = routes.find(({ name }, index) => routes.findIndex((other) => other.name === name) < index)
    if (twice !== undefined) throw new HoldfastError('usage', { message: `two proxies are called ${twice.name}` })
    await runChaosProxy(
      { api: addressOf(api), routes },
      (event) => (print.json ? print.progress(event, () => '') : print.note(eventText(event))),
      signal,
    )
  })

function eventText({ api, proxies }: ProxyEvent): string {
  const lines = proxies.map(({ name, listen, upstream }) => `${name}: ${listen} → ${upstream}`)
  return [...lines, `told at ${api}: use it as the parameter \`api\` of tcp.toxic`].join('\n')
}

function routeOf(text: string): ProxyRoute {
  const [, name = '', listen = '', upstream = ''] = /^([^=]+)=([^,]+),(.+)$/.exec(text) ?? []
  if (name === '' || !isAddress(listen) || !isAddress(upstream)) {
    throw new HoldfastError('usage', {
      message: `'${text}' is no proxy`,
      hint: 'write NAME=LISTEN,UPSTREAM, as orders-db=127.0.0.1:15432,127.0.0.1:5432',
    })
  }
  return { name, listen, upstream }
}

function addressOf(text: string): { host: string; port: number } {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? []
  if (host === undefined || !isAddress(text)) {
    throw new HoldfastError('usage', {
      message: `'${text}' is not an address to listen at`,
      hint: `write HOST:PORT, as ${defaultApi}`,
    })
  }
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) }
}

function isAddress(text: string): boolean {
  const [, port] = /^(?:\[[0-9a-f:.]+\]|[^:[\]]+):(\d{1,5})$/i.exec(text) ?? []
  return port !== undefined && Number(port) <= 65_535
}
