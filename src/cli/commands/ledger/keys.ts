import { loadCatalog } from '../../../catalog/index.ts'
import { HoldfastError } from '../../../kernel/index.ts'
import { installationKey } from '../../../service/index.ts'
import { catalogPath } from '../../catalog-path.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { table } from '../../output/table.ts'

export const ledgerKeysCommand = command(
  'keys',
  'the key that this installation signs evidence with, and those that the catalog names',
  [['holdfast ledger keys', 'to name it in the catalog: ledger.keys']],
).action(async (_options, self) => {
  const { globals, print, signal } = contextOf(self)
  const catalog = await loadCatalog(catalogPath(globals), {}, signal)
  const own = (await installationKey(catalog.file))?.key
  if (own === undefined)
    throw new HoldfastError('signing-key-unusable', {
      message: 'this installation cannot keep a key',
      hint: 'let HOLDFAST_STATE_DIR name a folder that can be written to',
    })
  const named = Object.entries(catalog.ledger.keys).map(([name, key]) => ({ name, key }))
  print.result({ own, named }, () => {
    const rows = named.some(({ key }) => key === own) ? named : [{ name: '-', key: own }, ...named]
    const keys = table(
      [
        { title: 'name', value: ({ name }) => name },
        { title: 'key', value: ({ key }) => key },
        { title: '', value: ({ key }) => (key === own ? 'this installation' : '') },
      ],
      rows,
    )
    if (rows === named) return keys
    return `${keys}\nHINT: name it in the catalog, so that its evidence counts as known: ledger: { keys: { NAME: ${own} } }`
  })
})
