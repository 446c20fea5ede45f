import { command } from '../../command.ts'
import { repairIndexCommand } from './repair-index.ts'
import { repairPacksCommand } from './repair-packs.ts'
import { repairSnapshotsCommand } from './repair-snapshots.ts'

export const repairCommand = command('repair', 'save what can be saved of a damaged repository', [
  ['holdfast --repo /mnt/nas/holdfast check --read-data', 'first: what is damaged'],
  ['holdfast --repo /mnt/nas/holdfast repair index', 'then make the index say what the packs say'],
  ['holdfast --repo /mnt/nas/holdfast repair packs 3f2a91c0', 'save what is whole in a damaged pack'],
  ['holdfast --repo /mnt/nas/holdfast backup /srv/data', 'store again what is still in the source'],
  ['holdfast --repo /mnt/nas/holdfast repair snapshots --forget', 'last: leave out of snapshots what is lost'],
])
  .addCommand(repairIndexCommand)
  .addCommand(repairPacksCommand)
  .addCommand(repairSnapshotsCommand)
