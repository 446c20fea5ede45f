import pc from 'picocolors'
import { formatDuration, HoldfastError } from '../../kernel/index.ts'
import type { ObserverEvent } from '../../detection/index.ts'
import { dutyOf, loadRunCatalog, runCollector, runObserver, type CollectorEvent } from '../../service/index.ts'
import { command } from '../command.ts'
import { contextOf } from '../context.ts'
import { catalogPath } from '../catalog-path.ts'

type Observed = Extract<ObserverEvent, { readonly type: 'observed' }>

const defaultAddress = '127.0.0.1:8710'

export const observeCommand = command('observe', 'look from another site whether services are well, and report it', [
  ['holdfast observe --as north', 'as an observer of the catalog, until it is stopped'],
  ['holdfast observe --as north --once', 'one look and one report: to try an observer out'],
  ['holdfast observe --listen', `collect the reports of observers that report over http, at ${defaultAddress}`],
  ['holdfast observe --listen 127.0.0.1:9000', 'at another address; put TLS in front of it before it leaves this machine'],
])
  .option('--as <name>', 'an observer of the catalog')
  .option('--once', 'look once and report once; a hold time needs an observer that keeps running')
  .option('--listen [address]', 'collect reports instead, at HOST:PORT')
  .action(async ({ as: name, once, listen }, self) => {
    const { globals, print, signal } = contextOf(self)
    if ((name === undefined) === (listen === undefined)) {
      throw new HoldfastError('usage', {
        message: 'give either --as NAME or --listen',
        hint: '`holdfast observe --as NAME` observes, `holdfast observe --listen` collects what others report',
      })
    }
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    if (name === undefined) {
      await runCollector(
        catalog,
        addressOf(listen === true || listen === undefined ? defaultAddress : listen),
        (event) => {
          if (event.type === 'report-received' || print.json) print.progress(event, () => collectorText(event))
          else print.note(collectorText(event))
        },
        signal,
      )
      return
    }
    const { observer, plans } = dutyOf(catalog, name)
    if (!print.json) print.note(`observing as ${name}, at ${observer.site}: ${plans.join(', ')}`)
    const seen = new Map<string, Observed>()
    const onEvent = (event: ObserverEvent) => {
      if (event.type === 'observed') seen.set(event.plan, event)
      const isNews = event.type !== 'observed' || event.before !== undefined
      if (isNews && !print.json) print.note(eventText(event))
      // Without durations: in the log of a daemon the same line is written once.
      else print.progress(event, () => [...seen.values()].map(({ plan, state }) => `${plan}: ${state}`).join(', '))
    }
    await runObserver(catalog, name, { once: once === true, onEvent }, signal)
    if (once === true) print.result([...seen.values()], (all) => all.map(eventText).join('\n'))
  })

function addressOf(text: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? []
  if (port !== undefined && Number(port) <= 65_535)
    return { host: (host ?? '127.0.0.1').replace(/^\[(.*)\]$/, '$1'), port: Number(port) }
  throw new HoldfastError('usage', {
    message: `'${text}' is not an address to listen at`,
    hint: `write HOST:PORT, as ${defaultAddress}`,
  })
}

function collectorText(event: CollectorEvent): string {
  return event.type === 'collecting'
    ? `collecting at ${event.url}, for ${event.observers.join(', ')}`
    : `${event.observer} reports`
}

function eventText(event: ObserverEvent): string {
  switch (event.type) {
    case 'reporting':
      return event.lostMs === undefined
        ? `its reports arrive (epoch ${event.epoch})`
        : `its reports arrive again, after ${formatDuration(event.lostMs)}`
    case 'report-lost':
      return `${pc.yellow('its reports do not arrive')}, it goes on looking: ${event.message}`
    case 'observed':
    default: {
      const state = { up: pc.green('up'), down: pc.red('down'), blind: pc.yellow('blind') }[event.state]
      const why = event.failing.map(({ probe, because }) => `${probe}: ${because}`).join('; ')
      return `${event.plan}: ${state} for ${formatDuration(event.heldMs)}${why === '' ? '' : ` (${why})`}`
    }
  }
}
