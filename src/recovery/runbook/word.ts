import { afterwardsChapter, escalationChapter, rollbackChapter, verificationChapter } from './chapters/after.ts'
import { detectionChapter, prerequisitesChapter } from './chapters/before.ts'
import { proofChapter } from './chapters/proof.ts'
import { recoveryChapter } from './chapters/recovery.ts'
import { backupsChapter, serviceChapter } from './chapters/service.ts'
import { code, text, type RunbookDocument } from './document.ts'
import type { RunbookEvidence } from './evidence.ts'
import type { Runbook } from './model.ts'

/** A runbook in words. Without evidence it says that none was looked at. */
export function wordRunbook(runbook: Runbook, evidence?: RunbookEvidence): RunbookDocument {
  const { service, plan, planHash, version } = runbook
  const title = `Runbook: ${service.name}`
  return {
    title,
    identity: { service: service.name, plan: plan.name, hash: planHash, version },
    blocks: [
      { type: 'heading', level: 1, text: title },
      text(
        'How ',
        code(service.name),
        ' comes back. The same plan that ',
        code(`holdfast recover ${service.name}`),
        ' runs, with the plain commands that do each step without it.',
      ),
      ...proofChapter(runbook, evidence),
      ...serviceChapter(runbook),
      ...backupsChapter(runbook),
      { type: 'chapter', blocks: [...detectionChapter(runbook), ...prerequisitesChapter(runbook)] },
      { type: 'chapter', blocks: recoveryChapter(runbook, evidence) },
      { type: 'chapter', blocks: [...verificationChapter(runbook), ...rollbackChapter(runbook)] },
      { type: 'chapter', blocks: [...escalationChapter(runbook), ...afterwardsChapter(runbook)] },
      text(
        'Plan ',
        code(plan.name),
        ', hash ',
        code(planHash),
        `, Holdfast ${version}. `,
        code(`holdfast runbook check ${service.name} FILE`),
        ' says whether this file is still true.',
      ),
    ],
  }
}
